/** A bundle as a file, before anything of it is checked: what a page needs of it without a curve. */
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { bundleSchema, type ProofBundle, parseMessage } from "../../../runner/wire/messages.ts";

/**
 * A bundle from the text of its file.
 * @throws DeltapayError `wire/malformed` naming the field
 */
export function parseBundle(text: string): ProofBundle {
  const malformed = (message: string): DeltapayError =>
    new DeltapayError("wire/malformed", message, {
      field: "bundle",
      hint: "a proof bundle is written by: deltapay prove AGREEMENT --out FILE",
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed("the file is not JSON");
  }
  if (typeof json !== "object" || json === null || !("claims" in json && "receipt" in json))
    throw malformed("the file is JSON, but has no receipt and no proofs");
  return parseMessage(bundleSchema, json, "bundle");
}

/** Names of the modules of a group. */
export function modulesOf(modules: readonly { name: string; group: number }[], group: number): string[] {
  return modules.filter((module) => module.group === group).map(({ name }) => name);
}
