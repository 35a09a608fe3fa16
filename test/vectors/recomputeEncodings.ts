/** Numbers, points, hashes and the key, from the inputs of their vectors and `second.ts` alone. */
import { keccak256 as keccak } from "ethers";
import type { Plain } from "./book.ts";
import { text, vectorsByName } from "./read.ts";
import {
  be,
  blake2b,
  bytes,
  cat,
  doubles,
  encodePoint,
  fromLE,
  generator,
  hex,
  int16,
  int64,
  integers,
  keccakAbi,
  le,
  point,
  roundEven,
  sha256,
  shake,
  tag,
  u32,
  wide,
  xof,
} from "./second.ts";

/** Computes a vector's output from its inputs; the rest of the name is what follows the handler's prefix. */
export type Recompute = (inputs: Plain, rest: string) => Plain;

const { vector } = vectorsByName();
const REFUSED = "refused";

/** Numbers of a list, some of which may be fractions. */
const numbers = (list: string): number[] => list.split(" ").map(Number);
const fieldsOf = (inputs: Plain): Buffer[] => (inputs as { fields: string[] }).fields.map(bytes);

function refusesPoint(inputs: Plain): Plain {
  try {
    point(bytes(text(inputs, "bytes")));
  } catch {
    return REFUSED;
  }
  return "accepted";
}

function quantiseRow(row: readonly number[], limit: number): { scale: number; q: number[] } {
  const scale = Math.max(...row.map(Math.abs)) / limit;
  const one = (value: number): number => Math.max(-limit, Math.min(limit, roundEven(value / scale)));
  return { scale, q: row.map((value) => (scale === 0 ? 0 : one(value) + 0)) };
}

const rows = (list: readonly number[], width: number): number[][] =>
  Array.from({ length: list.length / width }, (_, i) => list.slice(i * width, (i + 1) * width));

function quantiseWeights(inputs: Plain): Plain {
  const [r, dIn, scale] = ["r", "dIn", "scale"].map((name) => Number(text(inputs, name)));
  const A = rows(numbers(text(inputs, "A")), dIn!).map((row) => quantiseRow(row, 127));
  const B = rows(numbers(text(inputs, "B")), r!)
    .map((row) => row.map((value, k) => scale! * value * A[k]!.scale))
    .map((row) => quantiseRow(row, 127));
  const b = B.map((row) => row.scale);
  const flat = (quantised: typeof A): string => quantised.flatMap((row) => row.q).join(" ");
  return { Aq: flat(A), Bq: flat(B), b: b.join(" "), bBytes: hex(doubles(b)) };
}

function quantiseActivations(inputs: Plain): Plain {
  const quantised = rows(numbers(text(inputs, "x")), Number(text(inputs, "dIn"))).map((row) =>
    quantiseRow(row, 32767),
  );
  return {
    X: quantised.flatMap((row) => row.q).join(" "),
    sigma: quantised.map((row) => row.scale).join(" "),
  };
}

function dequantise(inputs: Plain): Plain {
  const [Y, sigma, b] = ["Y", "sigma", "b"].map((name) => numbers(text(inputs, name)));
  return Y!.map((y, i) => Math.fround(sigma![Math.floor(i / b!.length)]! * b![i % b!.length]! * y)).join(" ");
}

const KEY_FIELDS = ["alpha1", "beta2", "gamma2", "delta2", "ic0"] as const;

function keyParts(inputs: Plain): { points: Buffer[]; bases: Buffer } {
  return {
    points: KEY_FIELDS.map((name) => bytes(text(inputs, name))),
    bases: cat(...["I", "H", "S", "Z"].map((name) => bytes(text(inputs, "bases", name)))),
  };
}

const words = (encoded: Buffer): bigint[] =>
  Array.from({ length: encoded.length / 32 }, (_, i) => BigInt(hex(encoded.subarray(32 * i, 32 * i + 32))));

function vkHash(inputs: Plain): Plain {
  const { points, bases } = keyParts(inputs);
  const [alpha1, beta2, gamma2, delta2, ic0] = points.map(words);
  const basesHash = keccak(bases);
  return keccakAbi(
    [
      "bytes32",
      "uint256",
      "bytes32",
      "uint256",
      "uint256[2]",
      "uint256[4]",
      "uint256[4]",
      "uint256[4]",
      "uint256[2]",
      "bytes32",
    ],
    [
      tag("deltapay/1/verifying-key"),
      1,
      text(inputs, "r1csHash"),
      text(inputs, "size"),
      alpha1,
      beta2,
      gamma2,
      delta2,
      ic0,
      basesHash,
    ],
  );
}

function commitKeyFile(): Plain {
  const { inputs } = vector("key/vk-hash");
  const { points, bases } = keyParts(inputs);
  const r1csHash = bytes(text(inputs, "r1csHash"));
  const size = u32(BigInt(text(inputs, "size")));
  return hex(cat(tag("deltapay/1/commit-key"), size, r1csHash, ...points, bases));
}

/** Handlers by the beginning of the names they know. */
export const ENCODINGS: Record<string, Recompute> = {
  "tag/": (inputs) => hex(tag(text(inputs, "text"))),
  "u32/": (inputs) => hex(u32(BigInt(text(inputs, "value")))),
  "u256-le": (inputs) => hex(le(BigInt(text(inputs, "value")), 32)),
  "scalar/": (inputs) => hex(le(BigInt(text(inputs, "value")), 32)),
  activations: (inputs) => hex(int16(integers(text(inputs, "values")))),
  "activations/refused": (inputs) =>
    BigInt.asIntN(16, fromLE(bytes(text(inputs, "bytes")))) < -32767n ? REFUSED : "accepted",
  answers: (inputs) => hex(int64(integers(text(inputs, "values")))),
  "answers/bound/": (inputs) => {
    const [r, dIn] = [BigInt(text(inputs, "r")), BigInt(text(inputs, "dIn"))];
    return Number(r * 127n * dIn * 127n * 32767n);
  },
  "answers/refused/": (inputs) => {
    const y = BigInt.asIntN(64, fromLE(bytes(text(inputs, "bytes"))));
    return y > 127n * 127n * 32767n || y < -127n * 127n * 32767n ? REFUSED : "accepted";
  },
  scales: (inputs) => hex(doubles(numbers(text(inputs, "values")))),
  "scales/refused/": (inputs) => {
    const b = bytes(text(inputs, "bytes")).readDoubleLE();
    return Number.isFinite(b) && b >= 0 && !Object.is(b, -0) ? "accepted" : REFUSED;
  },
  "point/generator": (inputs) => hex(cat(be(BigInt(text(inputs, "x"))), be(BigInt(text(inputs, "y"))))),
  "point/minus-generator": () => hex(encodePoint(generator.negate())),
  "point/37-generator": (inputs) => hex(encodePoint(generator.multiply(BigInt(text(inputs, "scalar"))))),
  "point/g2-generator": (inputs) =>
    hex(cat(...["xImaginary", "xReal", "yImaginary", "yReal"].map((name) => be(BigInt(text(inputs, name)))))),
  "point/refused/": refusesPoint,
  "quantise/weights": quantiseWeights,
  "quantise/activations": quantiseActivations,
  "quantise/delta": dequantise,
  sha: (inputs) => hex(sha256(tag(text(inputs, "tag")), ...fieldsOf(inputs))),
  "sha/no-fields": (inputs) => hex(sha256(tag(text(inputs, "tag")))),
  xof: (inputs) => {
    const [seed, n] = [bytes(text(inputs, "seed")), Number(text(inputs, "n"))];
    return { bytes: hex(shake(16 * n, seed)), integers: xof(seed, n).join(" ") };
  },
  wide: (inputs) => wide(text(inputs, "tag").replace("deltapay/1/", ""), ...fieldsOf(inputs)).toString(),
  "key/r1cs-hash": (inputs) => hex(sha256(bytes(text(inputs, "r1cs")))),
  "key/circuit-hash": (inputs) =>
    hex(
      blake2b(
        tag("deltapay/1/moved-key"),
        bytes(text(inputs, "circuitHash")),
        u32(BigInt(text(inputs, "movedPoints"))),
      ),
    ),
  "key/vk-hash": vkHash,
  "key/commit-key-file": commitKeyFile,
};
