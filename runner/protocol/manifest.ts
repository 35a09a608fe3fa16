/**
 * The manifest: what an adapter registers (protocol 4), as canonical JSON, and its commitments as one binary file.
 *
 * Canonical: the bytes served equal JSON.stringify of the parsed manifest with fields in the order below. That refuses
 * duplicate keys, unknown fields and two spellings of one manifest at once.
 */
import { z } from "zod";
import {
  concatBytes,
  equalBytes,
  fromHex,
  type Hex,
  readUintLE,
  tag,
  takeFrom,
  toHex,
  u32,
} from "./bytes.ts";
import type { KeyPoints, ModuleCommitments } from "./commitment.ts";
import { type Curve, decodePoints, POINT_BYTES, packScalars } from "./curve.ts";
import { DeltapayError } from "./errors.ts";
import { P } from "./field.ts";
import { sha, sha256 } from "./hash.ts";
import { checkKnowledge, type ModuleKnowledge } from "./knowledge.ts";
import { type AdapterLayout, layoutModules, MAX_MODULES, MAX_NAME } from "./layout.ts";
import { FILE_MAGICS, PROTOCOL_VERSION, TAGS } from "./tags.ts";

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`)) as unknown as z.ZodType<Hex>;
const count = z.number().int().min(0).max(0xffffffff);

const manifestSchema = z.strictObject({
  protocol: z.literal(PROTOCOL_VERSION),
  chainId: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  registry: hex(20),
  contributor: hex(20),
  vkHash: hex(32),
  keySize: count,
  groups: count,
  adapterSalt: hex(32),
  baseModel: z.strictObject({ name: z.string().min(1).max(MAX_NAME), sha256: hex(32) }).nullable(),
  modules: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(MAX_NAME),
        shape: z.tuple([count, count, count]),
        group: count,
        scalesHash: hex(32),
      }),
    )
    .min(1)
    .max(MAX_MODULES),
  commitments: z.strictObject({ sha256: hex(32), bytes: count }),
});

/** shape is [d_in, d_out, r]; scalesHash is `scalesHash` below; addresses and hashes in lower-case hex. */
export type Manifest = z.infer<typeof manifestSchema>;

/** The canonical bytes of a manifest; their SHA-256 goes on chain. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifestSchema.parse(manifest)));
}

/**
 * Parses served bytes.
 * @throws DeltapayError `manifest/malformed` naming the field, `manifest/not-canonical`
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DeltapayError("manifest/malformed", "the manifest is not JSON", { field: "manifest", cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new DeltapayError("manifest/malformed", issue.message, {
      field: `manifest.${issue.path.join(".")}`,
    });
  }
  if (!equalBytes(encodeManifest(parsed.data), bytes))
    throw new DeltapayError(
      "manifest/not-canonical",
      "the manifest is not in canonical form (field order, no spaces, no duplicate keys)",
      { field: "manifest" },
    );
  return parsed.data;
}

/** SHA-256 over the bytes served. */
export function manifestHash(bytes: Uint8Array): Hex {
  return toHex(sha256(bytes));
}

/** The layout of a manifest, every rule of protocol 2 checked, and its `groups` compared. */
export function manifestLayout(manifest: Manifest): AdapterLayout {
  const layout = layoutModules(
    manifest.modules.map(({ name, shape: [dIn, dOut, r], group }) => ({ name, dIn, dOut, r, group })),
    manifest.keySize,
  );
  if (layout.groups !== manifest.groups)
    throw new DeltapayError(
      "manifest/groups",
      `the manifest says ${manifest.groups} groups, its modules make ${layout.groups}`,
      { field: "manifest.groups" },
    );
  return layout;
}

/** sha("scales", scaleSalt, m u32, b as float64 LE): keeps b secret until `open`. */
export function scalesHash(scaleSalt: Uint8Array, m: number, b: Float64Array): Uint8Array {
  return sha(TAGS.scales, scaleSalt, u32(m), encodeScales(b));
}

/** b as float64 LE. */
export function encodeScales(b: Float64Array): Uint8Array {
  const out = new Uint8Array(8 * b.length);
  const view = new DataView(out.buffer);
  for (const [j, value] of b.entries()) view.setFloat64(8 * j, value, true);
  return out;
}

/**
 * b from bytes: finite, >= 0 and not -0.
 * @throws DeltapayError `scales/...` naming the element
 */
export function decodeScales(bytes: Uint8Array, dOut: number, field: string): Float64Array {
  if (bytes.length !== 8 * dOut)
    throw new DeltapayError("scales/bad-length", `${bytes.length} bytes, expected ${8 * dOut}`, { field });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const b = new Float64Array(dOut);
  for (let j = 0; j < dOut; j++) {
    const value = view.getFloat64(8 * j, true);
    if (!Number.isFinite(value) || value < 0 || Object.is(value, -0))
      throw new DeltapayError("scales/out-of-range", "a scale must be finite and not negative", {
        field: `${field}[${j}]`,
      });
    b[j] = value;
  }
  return b;
}

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
