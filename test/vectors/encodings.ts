/** Vectors of numbers, points and their refusals. */
import { fromHex, tag, u32, uintLE } from "../../runner/protocol/bytes.ts";
import { type Curve, decodePoints, encodePoint, packScalars } from "../../runner/protocol/curve.ts";
import {
  decodeActivations,
  decodeAnswers,
  encodeActivations,
  encodeAnswers,
} from "../../runner/protocol/encoding.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { P, Q } from "../../runner/protocol/field.ts";
import { answerBound } from "../../runner/protocol/layout.ts";
import { decodeScales, encodeScales } from "../../runner/protocol/manifest.ts";
import { dequantise, quantiseActivations, quantiseAdapterModule } from "../../runner/protocol/quantise.ts";
import type { Book } from "./book.ts";

/** The error code of something that must be refused. */
async function refusal(run: () => unknown): Promise<{ error: string }> {
  try {
    await run();
  } catch (error) {
    if (error instanceof DeltapayError) return { error: error.code };
    throw error;
  }
  throw new Error("nothing was refused");
}

function addTags(book: Book, tags: Record<string, string>): void {
  for (const [name, text] of Object.entries(tags)) book.add(`tag/${name}`, { text }, tag(text));
}

function addIntegers(book: Book): void {
  for (const value of [0, 1, 0x12345678, 0xffffffff]) book.add(`u32/${value}`, { value }, u32(value));
  book.add("u256-le", { value: 31337n }, uintLE(31337n, 32));
  book.add("scalar/largest", { value: P - 1n }, packScalars([P - 1n], 32));
}

async function addMatrices(book: Book): Promise<void> {
  const X = Int16Array.from([0, 1, -1, 258, 32767, -32767]);
  book.add("activations", { values: X }, encodeActivations(X));
  const lowest = fromHex("0x0080");
  book.add("activations/refused", { bytes: lowest }, await refusal(() => decodeActivations(lowest, 1)));

  const largest = Number.MAX_SAFE_INTEGER;
  const Y = Float64Array.from([0, 1, -1, 2 ** 32, -(2 ** 32) - 1, largest, -largest]);
  book.add("answers", { values: Y }, encodeAnswers(Y));
  for (const [r, dIn] of [
    [1, 1],
    [8, 768],
    [1, 17_042_984],
  ] as const)
    book.add(`answers/bound/${r}x${dIn}`, { r, dIn }, answerBound({ r, dIn }));
  const bound = answerBound({ r: 1, dIn: 1 });
  for (const value of [bound + 1, -bound - 1]) {
    const bytes = encodeAnswers(Float64Array.of(value));
    book.add(
      `answers/refused/${value < 0 ? "below" : "above"}`,
      { r: 1, dIn: 1, bytes },
      await refusal(() => decodeAnswers(bytes, 1, bound)),
    );
  }

  const b = Float64Array.from([0, 1, 0.1, 5e-324, Number.MAX_VALUE]);
  book.add("scales", { values: b }, encodeScales(b));
  for (const [name, value] of Object.entries({
    minusZero: -0,
    negative: -1,
    nan: Number.NaN,
    infinite: Infinity,
  })) {
    const bytes = encodeScales(Float64Array.of(value));
    book.add(`scales/refused/${name}`, { bytes }, await refusal(() => decodeScales(bytes, 1, "b")));
  }
}

const bigEndian = (x: bigint, y: bigint): Uint8Array =>
  fromHex(`0x${[x, y].map((word) => word.toString(16).padStart(64, "0")).join("")}`);

async function addPoints(book: Book, curve: Curve): Promise<void> {
  const { G1 } = curve;
  book.add("point/generator", { x: 1n, y: 2n }, encodePoint(curve, G1.g));
  const opposite = G1.neg(G1.g);
  book.add("point/minus-generator", { x: 1n, y: Q - 2n }, encodePoint(curve, opposite));
  const inner = await decodePoints(curve, bigEndian(1n, 2n), "point");
  book.add("point/37-generator", { scalar: 37 }, encodePoint(curve, G1.timesScalar(inner, 37n)));
  const [xRe, xIm, yRe, yIm] = curve.G2.toObject(curve.G2.g).flat();
  book.add(
    "point/g2-generator",
    { xReal: xRe, xImaginary: xIm, yReal: yRe, yImaginary: yIm },
    curve.G2.toUncompressed(curve.G2.toAffine(curve.G2.g)),
  );
  const refused = {
    infinity: bigEndian(0n, 0n),
    "x-is-q": bigEndian(Q, 2n),
    "y-above-q": bigEndian(1n, Q + 2n),
    "off-curve": bigEndian(1n, 1n),
    short: bigEndian(1n, 2n).subarray(1),
  };
  for (const [name, bytes] of Object.entries(refused))
    book.add(`point/refused/${name}`, { bytes }, await refusal(() => decodePoints(curve, bytes, "point")));
}

function addQuantisation(book: Book): void {
  const shape = { r: 2, dIn: 4, dOut: 3, scale: 4 };
  const A = Float64Array.from([127, 0.5, -2.5, 1.5, 0.3, -0.1, 0.2, 0]);
  const B = Float64Array.from([0.25, -1, 0, 0, 0.001, 3]);
  const { Aq, Bq, b } = quantiseAdapterModule({ ...shape, A, B });
  book.add("quantise/weights", { ...shape, A, B }, { Aq, Bq, b, bBytes: encodeScales(b) });
  const x = Float64Array.from([32767, 0.5, -1.5, 2.5, 0, 0, 0, 0, 0.1, -0.2, 0.3, -0.05]);
  const { X, sigma } = quantiseActivations(x, 3, 4);
  book.add("quantise/activations", { tokens: 3, dIn: 4, x }, { X, sigma });
  const Y = Float64Array.from([1, -2, 3, 0, 0, 0, 1_000_000, -7, 123_456_789]);
  const delta = dequantise(Y, sigma, b, 3, 3);
  book.add("quantise/delta", { tokens: 3, dOut: 3, Y, sigma, b }, Float64Array.from(delta));
}

/** Adds every vector of this file. */
export async function addEncodings(book: Book, curve: Curve, tags: Record<string, string>): Promise<void> {
  addTags(book, tags);
  addIntegers(book);
  await addMatrices(book);
  await addPoints(book, curve);
  addQuantisation(book);
}
