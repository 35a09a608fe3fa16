/** The bundle a person is submitting, kept in the browser so that a reload goes on with it. It holds nothing secret. */
import { type ProofBundle, stringifyMessage } from "../../../runner/wire/messages.ts";
import { parseBundle } from "../verification/bundleFile.ts";

const PREFIX = "deltapay:bundle:";

type BundleStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Keeps a bundle; a full storage is no reason to stop, the file can be dropped again. */
export function keepBundle(storage: BundleStorage, scope: string, bundle: ProofBundle): void {
  try {
    storage.setItem(PREFIX + scope, stringifyMessage(bundle));
  } catch {
    storage.removeItem(PREFIX + scope);
  }
}

/** The kept bundle; undefined when there is none, or none that can be read. */
export function keptBundle(storage: BundleStorage, scope: string): ProofBundle | undefined {
  const text = storage.getItem(PREFIX + scope);
  if (text === null) return undefined;
  try {
    return parseBundle(text);
  } catch {
    return undefined;
  }
}

export function forgetBundle(storage: BundleStorage, scope: string): void {
  storage.removeItem(PREFIX + scope);
}
