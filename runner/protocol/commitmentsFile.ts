/** The commitments of a manifest as one binary file (protocol 4), and the check of both that a buyer makes before paying. */
import { concatBytes, equalBytes, fromHex, readUintLE, tag, takeFrom, toHex, u32 } from "./bytes.ts";
import type { KeyPoints, ModuleCommitments } from "./commitment.ts";
import { type Curve, decodePoints, POINT_BYTES, packScalars } from "./curve.ts";
import { DeltapayError } from "./errors.ts";
import { P } from "./field.ts";
import { sha256 } from "./hash.ts";
import { checkKnowledge, type ModuleKnowledge } from "./knowledge.ts";
import type { AdapterLayout } from "./layout.ts";
import { type Manifest, manifestLayout } from "./manifest.ts";
import { FILE_MAGICS } from "./tags.ts";

const FILE_MAGIC = tag(FILE_MAGICS.commitments);

/** Length of the commitments file of a layout, bytes. */
export function commitmentsFileBytes(layout: AdapterLayout): number {
  return layout.modules.reduce(
    (sum, { dIn, dOut, r }) => sum + (dIn + dOut) * POINT_BYTES + 2 * (POINT_BYTES + (r + 1) * 32),
    32 + 4,
  );
}

/**
 * Layout: magic 32 | M u32 | a module: CA dIn*64, CB dOut*64 | a module: T_A 64, z_A (r+1)*32 LE, T_B 64, z_B (r+1)*32 LE.
 * @param encoded commitments, big-endian
 */
export function encodeCommitmentsFile(
  encoded: readonly ModuleCommitments[],
  knowledge: readonly ModuleKnowledge[],
): Uint8Array {
  return concatBytes(
    FILE_MAGIC,
    u32(encoded.length),
    ...encoded.flatMap(({ CA, CB }) => [CA, CB]),
    ...knowledge.flatMap(({ A, B }) => [A.T, packScalars(A.z, 32), B.T, packScalars(B.z, 32)]),
  );
}

/**
 * Splits a commitments file. Lengths and scalars are checked, points are not yet.
 * @throws DeltapayError `manifest/commitments`
 */
export function decodeCommitmentsFile(
  layout: AdapterLayout,
  bytes: Uint8Array,
): { encoded: ModuleCommitments[]; knowledge: ModuleKnowledge[] } {
  const fail = (message: string, field: string): never => {
    throw new DeltapayError("manifest/commitments", message, { field });
  };
  if (bytes.length !== commitmentsFileBytes(layout))
    fail(`${bytes.length} bytes, expected ${commitmentsFileBytes(layout)}`, "commitments");
  if (!equalBytes(bytes.subarray(0, 36), concatBytes(FILE_MAGIC, u32(layout.modules.length))))
    fail("wrong magic or module count", "commitments");
  const take = takeFrom(bytes, 36);
  const encoded = layout.modules.map(({ dIn, dOut }) => ({
    CA: take(dIn * POINT_BYTES),
    CB: take(dOut * POINT_BYTES),
  }));
  const side = (name: string, r: number) => ({
    T: take(POINT_BYTES),
    z: Array.from({ length: r + 1 }, (_, k) => {
      const z = readUintLE(take(32), 0, 32);
      if (z >= P) fail("a response is not below p", `${name}.z[${k}]`);
      return z;
    }),
  });
  const knowledge = layout.modules.map(({ name, r }) => ({
    A: side(`${name}.A`, r),
    B: side(`${name}.B`, r),
  }));
  return { encoded, knowledge };
}

/** What a buyer keeps of a checked adapter. */
export interface CheckedAdapter {
  manifest: Manifest;
  layout: AdapterLayout;
  commitments: ModuleCommitments[];
}

/**
 * Checks a manifest and its commitments against a key: hashes, shapes, every point, every proof of knowledge.
 * The caller has compared contributor, vkHash and groups with the registry.
 * @throws DeltapayError naming what is wrong
 */
export async function checkManifest(
  curve: Curve,
  key: KeyPoints,
  manifest: Manifest,
  file: Uint8Array,
  onModule?: (done: number, total: number) => void,
): Promise<CheckedAdapter> {
  const layout = manifestLayout(manifest);
  if (key.size !== layout.keySize)
    throw new DeltapayError("manifest/key", `the manifest needs the key of size ${layout.keySize}`, {
      field: "manifest.keySize",
    });
  if (toHex(sha256(file)) !== manifest.commitments.sha256 || file.length !== manifest.commitments.bytes)
    throw new DeltapayError(
      "manifest/commitments",
      "the commitments file is not the one the manifest names",
      {
        field: "manifest.commitments",
      },
    );
  const { encoded, knowledge } = decodeCommitmentsFile(layout, file);
  const commitments: ModuleCommitments[] = [];
  for (const [m, { CA, CB }] of encoded.entries()) {
    const name = layout.modules[m]!.name;
    commitments.push({
      CA: await decodePoints(curve, CA, `${name}.CA`),
      CB: await decodePoints(curve, CB, `${name}.CB`),
    });
  }
  const decodedT = await decodePoints(
    curve,
    concatBytes(...knowledge.flatMap(({ A, B }) => [A.T, B.T])),
    "knowledge.T",
  );
  const context = {
    chainId: BigInt(manifest.chainId),
    registry: manifest.registry,
    contributor: manifest.contributor,
    vkHash: manifest.vkHash,
    adapterSalt: fromHex(manifest.adapterSalt, 32),
  };
  await checkKnowledge(curve, key, context, layout, encoded, commitments, knowledge, decodedT, onModule);
  return { manifest, layout, commitments };
}
