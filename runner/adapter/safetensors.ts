/**
 * Strict reader of safetensors: a u64 little-endian header length, a JSON header, then raw little-endian tensors
 * that cover the rest of the file without holes or overlap. Source: the format page of the safetensors project.
 */
import { DeltapayError } from "../protocol/errors.ts";
import { isRecord, parseJson } from "./json.ts";

const MAX_HEADER_BYTES = 16 * 2 ** 20;
const MAX_TENSORS = 65_536;
const MAX_DIMENSIONS = 8;
const BYTES_PER_VALUE = { F32: 4, F16: 2, BF16: 2 } as const;

export type TensorType = keyof typeof BYTES_PER_VALUE;

export interface StoredTensor {
  dtype: TensorType;
  shape: number[];
  /** The values, row-major, widened without loss to float64. */
  values: () => Float64Array;
}

interface Entry {
  name: string;
  dtype: TensorType;
  shape: number[];
  begin: number;
  end: number;
}

/**
 * Reads the tensors of a safetensors file.
 * @param bytes the whole file; not kept alive by the values read from it
 * @param source file name, for errors
 * @returns tensors by name, in the order of the header
 * @throws DeltapayError `safetensors/...` naming the tensor, `json/...` for the header
 */
export function parseSafetensors(bytes: Uint8Array, source: string): Map<string, StoredTensor> {
  const { header, data } = splitHeader(bytes, source);
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  if (entries.length > MAX_TENSORS)
    fail("too-large", source, `${entries.length} tensors, more than ${MAX_TENSORS}`);
  const parsed = entries.map(([name, entry]) => parseEntry(name, entry, data.length, source));
  checkCoverage(parsed, data.length, source);
  return new Map(
    parsed.map(({ name, dtype, shape, begin, end }) => [
      name,
      { dtype, shape, values: () => widen(dtype, data.subarray(begin, end)) },
    ]),
  );
}

function splitHeader(
  bytes: Uint8Array,
  source: string,
): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8) fail("malformed", source, "shorter than its 8-byte header length");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES)
    fail("too-large", source, `a header of ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  const end = 8 + Number(length);
  if (end > bytes.length)
    fail("malformed", source, `a header of ${length} bytes in a file of ${bytes.length}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, end));
  } catch (cause) {
    throw new DeltapayError("safetensors/malformed", `${source}: the header is not UTF-8`, {
      field: source,
      cause,
    });
  }
  const header = parseJson(text, source);
  if (!isRecord(header)) fail("malformed", source, "the header is not a JSON object");
  return { header, data: bytes.subarray(end) };
}

function parseEntry(name: string, entry: unknown, available: number, source: string): Entry {
  const field = `${source}: ${name}`;
  if (!isRecord(entry)) return fail("malformed", field, "its header entry is not an object");
  const { dtype, shape, data_offsets: offsets, ...rest } = entry;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) fail("malformed", field, `unknown header key '${unknown}'`);
  if (typeof dtype !== "string" || !Object.hasOwn(BYTES_PER_VALUE, dtype))
    fail("unsupported-dtype", field, `dtype ${JSON.stringify(dtype)}; F32, F16 and BF16 are read`);
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS)
    return fail("malformed", field, "its shape is not a list of sizes");
  if (!isSizes(offsets) || offsets.length !== 2)
    return fail("malformed", field, "data_offsets is not two offsets");
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > available)
    fail("out-of-bounds", field, `data_offsets [${begin}, ${end}] in ${available} bytes of data`);
  const size = shape.reduce(
    (product, dimension) => product * dimension,
    BYTES_PER_VALUE[dtype as TensorType],
  );
  if (size !== end - begin)
    fail("out-of-bounds", field, `shape [${shape}] takes ${size} bytes, data_offsets ${end - begin}`);
  return { name, dtype: dtype as TensorType, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Tensors side by side must cover the data exactly: no overlap, no hidden bytes. */
function checkCoverage(entries: Entry[], length: number, source: string): void {
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered)
      fail("overlap", `${source}: ${name}`, `starts at ${begin}, inside the tensor before it`);
    if (begin > covered)
      fail(
        "hole",
        `${source}: ${name}`,
        `starts at ${begin}, ${begin - covered} bytes after the tensor before it`,
      );
    covered = end;
  }
  if (covered !== length) fail("hole", source, `${length - covered} bytes after the last tensor`);
}

/** Copies through a DataView: a tensor may start at any offset, a typed array may not. */
function widen(dtype: TensorType, raw: Uint8Array): Float64Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (dtype === "F32")
    return Float64Array.from({ length: raw.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  if (dtype === "F16")
    return Float64Array.from({ length: raw.length / 2 }, (_, i) => view.getFloat16(2 * i, true));
  const upper = new DataView(new ArrayBuffer(4));
  return Float64Array.from({ length: raw.length / 2 }, (_, i) => {
    upper.setUint16(2, view.getUint16(2 * i, true), true);
    return upper.getFloat32(0, true);
  });
}

function fail(what: string, field: string, message: string): never {
  throw new DeltapayError(`safetensors/${what}`, `${field}: ${message}`, {
    field,
    hint: "save the adapter again with a current PEFT and safetensors",
  });
}
