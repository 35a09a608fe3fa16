/**
 * The manifest: what an adapter registers (protocol 4), as canonical JSON. Its commitments are in commitmentsFile.ts.
 *
 * Canonical: the bytes served equal JSON.stringify of the parsed manifest with fields in the order below. That refuses
 * duplicate keys, unknown fields and two spellings of one manifest at once.
 */
import { z } from "zod";
import { equalBytes, type Hex, toHex, u32 } from "./bytes.ts";
import { DeltapayError } from "./errors.ts";
import { sha, sha256 } from "./hash.ts";
import { type AdapterLayout, layoutModules, MAX_MODULES, MAX_NAME } from "./layout.ts";
import { PROTOCOL_VERSION, TAGS } from "./tags.ts";

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
