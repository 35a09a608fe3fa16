/** Proving without a service: from a session file, in a worker of this page. */
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { Progress } from "../layout/Bar.tsx";
import { readBytes, readText } from "../layout/chosenFile.ts";
import { Failure } from "../layout/Failure.tsx";
import { type ProveProgress, proveInWorker } from "./proveInWorker.ts";
import type { ProvingFiles } from "./proveSession.ts";

const STEPS: Record<ProveProgress["step"], string> = {
  unlocking: "Unlocking the file",
  fetching: "Fetching the key",
  proving: "Proving",
};

/** Most bytes of a session file or of a key's file: a browser holds little more in one piece. */
const MOST_BYTES = 256 * 2 ** 20;

/** The key's two files where both were chosen. */
async function chosenFiles(
  zkey: File | undefined,
  wasm: File | undefined,
): Promise<{ files?: ProvingFiles }> {
  if (zkey === undefined || wasm === undefined) return {};
  return {
    files: { zkey: await readBytes(zkey, MOST_BYTES), wasm: await readBytes(wasm, MOST_BYTES) },
  };
}

/** @param onBundle takes the proofs; they were made here, and are still to be checked like any others */
export function ProveInBrowser({ onBundle }: { onBundle: (bundle: ProofBundle) => void }) {
  const [session, setSession] = useState<File>();
  const [zkey, setZkey] = useState<File>();
  const [wasm, setWasm] = useState<File>();
  const [passphrase, setPassphrase] = useState("");
  const [progress, setProgress] = useState<ProveProgress>();
  const [error, setError] = useState<unknown>();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const busy = progress !== undefined;

  const prove = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (session === undefined || busy) return;
    const controller = new AbortController();
    const { signal } = controller;
    stop.current = controller;
    setError(undefined);
    setProgress({ step: "unlocking", done: 0, total: 1 });
    try {
      const request = {
        text: await readText(session, MOST_BYTES),
        passphrase,
        ...(await chosenFiles(zkey, wasm)),
      };
      const bundle = await proveInWorker(request, { onProgress: setProgress, signal });
      setPassphrase("");
      onBundle(bundle);
    } catch (caught) {
      if (!signal.aborted) setError(caught);
    } finally {
      setProgress(undefined);
    }
  };

  return (
    <form className="stack" onSubmit={(event) => void prove(event)}>
      <p className="fine">
        Without a running service: <code>deltapay prove AGREEMENT --export-session FILE</code> writes what
        proves a session, encrypted. It is unlocked and proven in this browser, nothing of it is sent
        anywhere. It is secret: delete the file when the proofs are made.
      </p>
      <div className="fields">
        <FileField label="Session file (secret)" accept=".json,application/json" onFile={setSession} />
        <PassphraseField value={passphrase} onChange={setPassphrase} />
      </div>
      <details>
        <summary>Choose the key's files yourself</summary>
        <div className="fields">
          <FileField label="Proving key (key.zkey)" accept=".zkey" onFile={setZkey} />
          <FileField label="Witness generator (lora_statement.wasm)" accept=".wasm" onFile={setWasm} />
        </div>
        <p className="fine">Both are held against the hashes of this release before they are used.</p>
      </details>
      <div className="row">
        <button type="submit" disabled={session === undefined || passphrase === "" || busy}>
          Prove in this browser
        </button>
        {busy && (
          <button type="button" className="quiet" onClick={() => stop.current?.abort()}>
            Stop
          </button>
        )}
      </div>
      <div role="status">{progress !== undefined && <Doing progress={progress} />}</div>
      {error !== undefined && <Failure title="The session was not proven" error={error} />}
    </form>
  );
}

function Doing({ progress: { step, done, total, modules, ms } }: { progress: ProveProgress }) {
  return (
    <div className="stack">
      <span>
        {STEPS[step]}
        {step === "proving" && `, ${done} of ${total} proofs made`}
        {modules !== undefined && ms !== undefined && (
          <span className="fine">
            {" "}
            {modules.slice(0, 3).join(", ")} in {ms.toFixed(0)} ms
          </span>
        )}
      </span>
      <Progress done={done} total={total} label={STEPS[step]} />
    </div>
  );
}

function FileField({
  label,
  accept,
  onFile,
}: {
  label: string;
  accept: string;
  onFile: (file: File | undefined) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} type="file" accept={accept} onChange={(event) => onFile(event.target.files?.[0])} />
    </div>
  );
}

function PassphraseField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Its passphrase</label>
      <input
        id={id}
        type="password"
        autoComplete="off"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
