/** A bundle as a file, before anything of it is checked: what a page needs of it without a curve. */
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { bundleSchema, type ProofBundle, parseMessage } from "../../../runner/wire/messages.ts";

/**
 * A bundle from the text of its file.
 * @throws DeltapayError `wire/malformed` naming the field
 */
export function parseBundle(text: string): ProofBundle {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new DeltapayError("wire/malformed", "the file is not JSON", {
      field: "bundle",
      hint: "a proof bundle is written by: deltapay prove AGREEMENT --out FILE",
    });
  }
  return parseMessage(bundleSchema, json, "bundle");
}

/** Names of the modules of a group. */
export function modulesOf(modules: readonly { name: string; group: number }[], group: number): string[] {
  return modules.filter((module) => module.group === group).map(({ name }) => name);
}
