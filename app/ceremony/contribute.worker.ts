/** Takes part in a ceremony: everything the command does, in a worker that ends with it. */
import "../src/noEval.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import type { Start, Told } from "./messages.ts";
import { participate } from "./participate.ts";

const tell = (told: Told): void => postMessage(told);

addEventListener("message", ({ data }: MessageEvent<Start>) => {
  participate(data, tell).then(
    ({ round, attestation }) => tell({ kind: "done", round, attestation }),
    (error: unknown) => {
      const known = error instanceof DeltapayError ? error : undefined;
      tell({
        kind: "failed",
        code: known?.code ?? "internal/error",
        message: known?.message ?? String(error),
        hint: known?.hint ?? null,
      });
    },
  );
});
