/** What `deltapay keys build` and `deltapay keys list` do, as plain data. `keys verify` is verifyKey.ts. */
import type { PinnedKey } from "./artefacts.ts";
import { ensureKey, type KeyOptions } from "./load.ts";
import { pinnedKey, pinnedKeys } from "./pinned.ts";
import { isStored, type KeyPaths, keyPaths } from "./store.ts";

export type BuiltKey = PinnedKey & { paths: KeyPaths };

export type ListedKey = PinnedKey & {
  /** Whether the pinned key lies on this machine. */
  built: boolean;
  directory: string;
};

/** Builds the keys of these sizes where they are missing. @throws DeltapayError as `ensureKey` */
export async function buildKeys(sizes: readonly number[], options: KeyOptions = {}): Promise<BuiltKey[]> {
  const built: BuiltKey[] = [];
  for (const size of sizes) built.push({ ...pinnedKey(size), paths: await ensureKey(size, options) });
  return built;
}

/** Every key of this version, by ascending size. */
export function listKeys(): ListedKey[] {
  return pinnedKeys().map((key) => ({
    ...key,
    built: isStored(key),
    directory: keyPaths(key.size).directory,
  }));
}
