/** The auditor's page: the certificate of one agreement, or the form that asks for its id. */
import { type FormEvent, useState } from "react";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { TextField } from "../layout/Field.tsx";
import { parseRoute, routeHash } from "../routes.ts";
import { CertificatePage } from "./CertificatePage.tsx";

export function AgreementPage({ agreementId }: { agreementId?: Hex }) {
  return (
    <>
      <p className="lead">
        What the chain holds about one agreement, read and recomputed in this browser: every hash, every
        signature, every proof. Only this page's node is taken at its word.
      </p>
      {agreementId === undefined ? <AskForId /> : <CertificatePage agreementId={agreementId} />}
    </>
  );
}

function AskForId() {
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const route = parseRoute(`#/agreement/${text.trim()}`);
    if (route.page === "agreement" && route.agreementId !== undefined) {
      window.location.hash = routeHash(route);
      return;
    }
    setError("An agreement's id is 0x and 64 hexadecimal digits. Its parties' tools print it.");
  };
  return (
    <form className="panel" onSubmit={submit}>
      <TextField
        label="Agreement id"
        value={text}
        onChange={setText}
        hint="0x and 64 hexadecimal digits, as deltapay open prints it"
        error={error}
      />
      <div className="row">
        <button type="submit" className="primary">
          Show its certificate
        </button>
      </div>
    </form>
  );
}
