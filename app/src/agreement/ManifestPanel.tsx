import { useId } from "react";
import { LIMITS } from "../../../runner/wire/paths.ts";
import { HashText } from "../layout/AddressText.tsx";
import { readBytes } from "../layout/chosenFile.ts";
import { Failure } from "../layout/Failure.tsx";
import { Panel } from "../layout/Panel.tsx";
import type { AgreementFacts } from "./facts.ts";
import type { Modules } from "./useModules.ts";

/** Asks for the manifest: without it proofs have numbers, not module names. */
export function ManifestPanel({ facts, modules }: { facts: AgreementFacts; modules: Modules }) {
  const id = useId();
  const { registration } = facts;
  return (
    <Panel title="Names of the modules">
      <p>
        The chain knows the manifest by its hash{" "}
        <HashText value={registration.manifestHash} label="manifest hash" /> only. With its file the proofs
        below get the names of their modules; without it every check is the same.
      </p>
      <p className="fine">
        {registration.uri === "" ? (
          "The contributor named no address where it is served: ask for the file."
        ) : (
          <>
            The contributor said it is served at <code>{registration.uri.slice(0, 200)}</code>, below{" "}
            <code>/v1/adapters/…/manifest</code>.
          </>
        )}{" "}
        This page asks no server it was not set up with.
      </p>
      <div className="field">
        <label htmlFor={id}>Manifest file</label>
        <input
          id={id}
          type="file"
          accept="application/json,.json"
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file !== undefined) void modules.read(readBytes(file, LIMITS.manifestBytes));
          }}
        />
      </div>
      {modules.error !== undefined && <Failure title="This is not the manifest" error={modules.error} />}
    </Panel>
  );
}
