/** A module that changes nothing is not paid for (protocol 5). */
import { DeltapayError } from "../../protocol/errors.ts";

/**
 * Honest weights answer zero to everything only where every activation is zero: a silent base model is not worth paying for.
 * @param Y a module's answers to all tokens of a pass; X its activations
 * @throws DeltapayError `session/zero-answers` naming the module
 */
export function refuseZeros(Y: Float64Array, X: Int16Array, name: string): void {
  if (Y.some((y) => y !== 0) || X.every((x) => x === 0)) return;
  throw new DeltapayError("session/zero-answers", `'${name}' answers zero to every token`, {
    field: name,
    hint: "sign nothing for this pass: end the agreement without it, and get the rest back",
  });
}
