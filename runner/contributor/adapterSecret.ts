/**
 * What a contributor must keep of a registered adapter: seed, scaleSalt, quantised weights and scales, as one file of the vault.
 * Layout: magic 32 | seed 32 | scaleSalt 32 | a module: Aq r*dIn int8, Bq dOut*r int8, b dOut float64 LE.
 */
import { concatBytes, equalBytes, tag, takeFrom } from "../protocol/bytes.ts";
import type { ModuleWeights } from "../protocol/commitment.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { decodeScales, encodeScales } from "../protocol/manifest.ts";

export interface AdapterSecret {
  /** Blinds of the commitments come from it. */
  seed: Uint8Array;
  scaleSalt: Uint8Array;
  /** In manifest order. */
  modules: (ModuleWeights & { b: Float64Array })[];
}

interface Shape {
  name: string;
  dIn: number;
  dOut: number;
  r: number;
}

const MAGIC = tag("deltapay/1/adapter-secret");

/** The vault's name for an adapter's secret. */
export function adapterSecretName(adapterId: string): string {
  return `adapter-${adapterId}`;
}

export function encodeAdapterSecret({ seed, scaleSalt, modules }: AdapterSecret): Uint8Array {
  const bytesOf = (array: Int8Array): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return concatBytes(
    MAGIC,
    seed,
    scaleSalt,
    ...modules.flatMap(({ Aq, Bq, b }) => [bytesOf(Aq), bytesOf(Bq), encodeScales(b)]),
  );
}

/** @throws DeltapayError `adapter/secret-malformed` when it does not fit the adapter's shapes */
export function decodeAdapterSecret(shapes: readonly Shape[], bytes: Uint8Array): AdapterSecret {
  const expected = shapes.reduce((sum, { dIn, dOut, r }) => sum + r * (dIn + dOut) + 8 * dOut, 96);
  if (bytes.length !== expected || !equalBytes(bytes.subarray(0, 32), MAGIC))
    throw new DeltapayError("adapter/secret-malformed", "the stored secret does not fit its manifest", {
      field: "secret",
      hint: "restore the data folder from a backup",
    });
  const take = takeFrom(bytes, 32);
  return {
    seed: take(32).slice(),
    scaleSalt: take(32).slice(),
    modules: shapes.map(({ name, dIn, dOut, r }) => ({
      Aq: new Int8Array(take(r * dIn)),
      Bq: new Int8Array(take(dOut * r)),
      b: decodeScales(take(8 * dOut), dOut, name),
    })),
  };
}
