/**
 * Manifests and commitment files on the buyer's disk, each under its SHA-256, and what was verified of them.
 *
 * NAME.manifest and NAME.commitments are read again only if their hash still matches. MANIFEST-VKHASH.verified is written
 * after every check has passed: magic 32 | a column sum of 64 bytes per module.
 */
import * as path from "node:path";
import { concatBytes, equalBytes, type Hex, tag, toHex } from "../protocol/bytes.ts";
import { type Curve, decodePoints, encodePoint, POINT_BYTES, pointAt } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { makePrivateDirectory, readFileIfThere, writeFileAtomic } from "../storage/files.ts";

const MAGIC = tag("deltapay/1/verified-adapter");

export class AdapterCache {
  readonly #directory: string;

  constructor(directory: string) {
    makePrivateDirectory(directory);
    this.#directory = directory;
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
  async verified(
    curve: Curve,
    manifest: Hex,
    vkHash: Hex,
    modules: number,
  ): Promise<Uint8Array[] | undefined> {
    const bytes = readFileIfThere(this.#verifiedFile(manifest, vkHash));
    if (bytes?.length !== 32 + modules * POINT_BYTES || !equalBytes(bytes.subarray(0, 32), MAGIC))
      return undefined;
    try {
      const points = await decodePoints(curve, bytes.subarray(32), "column sums");
      return Array.from({ length: modules }, (_, m) => pointAt(points, m));
    } catch (error) {
      if (error instanceof DeltapayError) return undefined;
      throw error;
    }
  }

  /** Notes that every check of this adapter passed under this key. */
  noteVerified(curve: Curve, manifest: Hex, vkHash: Hex, columnSums: readonly Uint8Array[]): void {
    const bytes = concatBytes(MAGIC, ...columnSums.map((sum) => encodePoint(curve, sum)));
    writeFileAtomic(this.#verifiedFile(manifest, vkHash), bytes);
  }

  #verifiedFile(manifest: Hex, vkHash: Hex): string {
    return path.join(this.#directory, `${manifest.slice(2)}-${vkHash.slice(2)}.verified`);
  }
}
