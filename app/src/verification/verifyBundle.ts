/** Checks a proof bundle in a worker, so that the page stays alive. */
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import type { BundleVerdict, OnGroup, VerificationContext } from "./checkBundle.ts";
import { runWorker } from "./runWorker.ts";

export interface VerifyOptions {
  /** Hears of each group, with its modules, as it is done. */
  onGroup?: OnGroup;
  /** Ends the worker at once. */
  signal?: AbortSignal;
}

/** What the page sends to the worker. */
export interface VerifyRequest {
  /** Parsed, or the text of the file. */
  bundle: ProofBundle | string;
  context: VerificationContext;
}

/**
 * Whether a bundle is what its agreement needs, group by group, each proof by a pairing of its own.
 * @throws DeltapayError `wire/malformed`, `bundle/...`, `signature/...`, `key/...` when the bundle is no use at all;
 * `worker/stopped` when `signal` says so. A proof that fails is in the verdict.
 */
export async function verifyBundle(
  bundle: ProofBundle | string,
  context: VerificationContext,
  { onGroup, signal }: VerifyOptions = {},
): Promise<BundleVerdict> {
  if (typeof Worker === "undefined")
    throw new DeltapayError("worker/none", "this browser has no web workers", {
      hint: "use another browser",
    });
  const worker = new Worker(new URL("./verify.worker.ts", import.meta.url), { type: "module" });
  return runWorker<VerifyRequest, BundleVerdict, Parameters<OnGroup>>(
    worker,
    { bundle, context },
    { onProgress: (progress) => onGroup?.(...progress), ...(signal && { signal }) },
  );
}
