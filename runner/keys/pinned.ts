/** The keys this version of the project vouches for: circuits/keys.json. */
import * as fs from "node:fs";
import { fileURLToPath } from "node:url";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { KEY_SIZES } from "../protocol/key.ts";
import { type KeyTrust, keyTrust } from "../protocol/keyTrust.ts";
import type { PinnedKey } from "./artefacts.ts";

/** Path of circuits/keys.json. */
export const PINNED_KEYS_FILE = fileURLToPath(new URL("../../circuits/keys.json", import.meta.url));

/** All pinned keys by ascending size. */
export function pinnedKeys(): PinnedKey[] {
  return JSON.parse(fs.readFileSync(PINNED_KEYS_FILE, "utf8")) as PinnedKey[];
}

/**
 * The pinned key of size L.
 * @throws DeltapayError `key/unknown-size`
 */
export function pinnedKey(size: number): PinnedKey {
  const found = pinnedKeys().find((key) => key.size === size);
  if (found === undefined)
    throw new DeltapayError("key/unknown-size", `there is no key of size ${size}`, {
      field: "size",
      hint: `use one of ${KEY_SIZES.join(", ")}`,
    });
  return found;
}

/** The trust asked for by the key with this vkHash; one this version does not vouch for counts as `dev`. */
export function pinnedTrust(vkHash: Hex): KeyTrust {
  const found = pinnedKeys().find((key) => key.vkHash === vkHash);
  return found === undefined ? { state: "dev" } : keyTrust(found);
}
