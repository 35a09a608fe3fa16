/** Proves a session file in a worker of its own, which ends with the proofs: nothing secret is left in the page. */
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import type { ProvingFiles } from "./proveSession.ts";
import { runWorker } from "./runWorker.ts";

/** What the page sends to the worker. */
export interface ProveRequest {
  /** The session file's text. */
  text: string;
  passphrase: string;
  /** Default: fetched from the page's own server. */
  files?: ProvingFiles;
}

export interface ProveProgress {
  step: "unlocking" | "fetching" | "proving";
  done: number;
  total: number;
  /** Of the group just proven. */
  modules?: string[];
  ms?: number;
}

/**
 * Makes the proofs of a session file.
 * @throws DeltapayError `session-file/...`, `key/not-served`, `key/not-pinned`, `prover/...`, `worker/...`
 */
export function proveInWorker(
  request: ProveRequest,
  options: { onProgress?: (progress: ProveProgress) => void; signal?: AbortSignal } = {},
): Promise<ProofBundle> {
  const worker = new Worker(new URL("./prove.worker.ts", import.meta.url), { type: "module" });
  return runWorker<ProveRequest, ProofBundle, ProveProgress>(worker, request, options);
}
