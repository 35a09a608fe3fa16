/** Proves a session file in a worker of its own, which ends with the proofs: nothing secret is left in the page. */
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import type { ProvingFiles } from "./proveSession.ts";
import type { ReleaseKey } from "./releaseKey.ts";
import { runWorker } from "./runWorker.ts";

/** What the page sends to the worker. */
export interface ProveRequest {
  /** The session file's text. */
  text: string;
  passphrase: string;
  files: ProvingFiles;
}

export interface ProveProgress {
  step: "unlocking" | "proving";
  done: number;
  total: number;
  /** Of the group just proven. */
  modules?: string[];
  ms?: number;
}

/**
 * Makes the proofs of a session file.
 * @throws DeltapayError `session-file/...`, `key/not-pinned`, `prover/...`, `worker/...`
 */
export function proveInWorker(
  request: ProveRequest,
  options: { onProgress?: (progress: ProveProgress) => void; signal?: AbortSignal } = {},
): Promise<ProofBundle> {
  const worker = new Worker(new URL("./prove.worker.ts", import.meta.url), { type: "module" });
  return runWorker<ProveRequest, ProofBundle, ProveProgress>(worker, request, options);
}

const keyPath = (size: number, name: string): string => `/keys/${size}/${name}`;

async function fetchKeyFile(size: number, name: string, signal?: AbortSignal): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(keyPath(size, name), signal ? { signal } : {});
  } catch (cause) {
    throw new DeltapayError("key/not-served", `the server of this page does not answer for ${name}`, {
      field: name,
      hint: "choose the key's two files below",
      cause,
    });
  }
  ensure(response.ok, "key/not-served", `the server of this page has no ${name} for ${size} slots`, {
    field: name,
    hint: "choose the key's two files below: deltapay keys list says where they are",
  });
  return new Uint8Array(await response.arrayBuffer());
}

/** The proving files of a key from the page's own server; the worker holds them against the pins. */
export async function fetchProvingFiles(
  { size }: Pick<ReleaseKey, "size">,
  signal?: AbortSignal,
): Promise<ProvingFiles> {
  const [zkey, wasm] = await Promise.all([
    fetchKeyFile(size, "key.zkey", signal),
    fetchKeyFile(size, "lora_statement.wasm", signal),
  ]);
  return { zkey, wasm };
}
