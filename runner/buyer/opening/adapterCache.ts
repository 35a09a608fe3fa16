/**
 * Manifests and commitment files on the buyer's disk, each under its SHA-256, and what was verified of them.
 *
 * NAME.manifest and NAME.commitments are read again only if their hash still matches. MANIFEST-VKHASH.verified is written
 * after every check has passed: magic 32 | a column sum of 64 bytes per module | HMAC-SHA256 32. Only who has the buyer's
 * vault can write one: a note that was planted, copied or left by other checks counts for nothing.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import * as path from "node:path";
import { concatBytes, equalBytes, fromHex, type Hex, tag, toHex } from "../../protocol/bytes.ts";
import { type Curve, decodePoints, encodePoint, POINT_BYTES, pointAt } from "../../protocol/curve.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/hash.ts";
import { makePrivateDirectory, readFileIfThere, writeFileAtomic } from "../../storage/files.ts";
import type { Vault } from "../../storage/vault.ts";

/** Names the checks that a note stands for: a new number whenever they change. */
const CHECKS = tag("deltapay/1/adapter-checks/2");
const MAC_BYTES = 32;

/** What was verified: three SHA-256 of files and key. */
export interface VerifiedFiles {
  manifest: Hex;
  vkHash: Hex;
  commitments: Hex;
}

export class AdapterCache {
  readonly #directory: string;
  readonly #key: Uint8Array;

  /** @param vault the buyer's; notes made under another are not believed */
  constructor(directory: string, vault: Vault) {
    makePrivateDirectory(directory);
    this.#directory = directory;
    this.#key = vault.deriveKey("adapter-checks");
  }

  /** The file with this hash: from disk, or fetched and kept. A fetched file with another hash is returned, not kept. */
  async file(
    kind: "manifest" | "commitments",
    hash: Hex,
    fetch: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const at = path.join(this.#directory, `${hash.slice(2)}.${kind}`);
    const kept = readFileIfThere(at);
    if (kept !== undefined && toHex(sha256(kept)) === hash) return kept;
    const fetched = await fetch();
    if (toHex(sha256(fetched)) === hash) writeFileAtomic(at, fetched);
    return fetched;
  }

  /** Column sums of an adapter verified before under this key, as inner points; undefined when it was not. */
  async verified(curve: Curve, files: VerifiedFiles, modules: number): Promise<Uint8Array[] | undefined> {
    const bytes = readFileIfThere(this.#noteFile(files));
    if (bytes?.length !== 32 + modules * POINT_BYTES + MAC_BYTES) return undefined;
    const sums = bytes.subarray(32, -MAC_BYTES);
    const mac = bytes.subarray(-MAC_BYTES);
    if (!equalBytes(bytes.subarray(0, 32), CHECKS)) return undefined;
    if (!timingSafeEqual(mac, this.#mac(files, sums))) return undefined;
    try {
      const points = await decodePoints(curve, sums, "column sums");
      return Array.from({ length: modules }, (_, m) => pointAt(points, m));
    } catch (error) {
      if (error instanceof DeltapayError) return undefined;
      throw error;
    }
  }

  /** Notes that every check of this adapter passed under this key. */
  noteVerified(curve: Curve, files: VerifiedFiles, columnSums: readonly Uint8Array[]): void {
    const sums = concatBytes(...columnSums.map((sum) => encodePoint(curve, sum)));
    writeFileAtomic(this.#noteFile(files), concatBytes(CHECKS, sums, this.#mac(files, sums)));
  }

  #mac({ manifest, vkHash, commitments }: VerifiedFiles, sums: Uint8Array): Uint8Array {
    const bound = [manifest, vkHash, commitments].map((hash) => fromHex(hash, 32));
    return createHmac("sha256", this.#key)
      .update(concatBytes(CHECKS, ...bound, sums))
      .digest();
  }

  #noteFile({ manifest, vkHash }: VerifiedFiles): string {
    return path.join(this.#directory, `${manifest.slice(2)}-${vkHash.slice(2)}.verified`);
  }
}
