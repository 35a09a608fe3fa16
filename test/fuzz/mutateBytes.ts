/** Mutations that know nothing of a format: bits, words, lengths, pieces moved, cut out, doubled. */
import type { SeededRandom } from "../kill/random.ts";

/** Inputs do not grow beyond this. */
export const MAX_INPUT = 2 ** 20;

const WORDS = [0n, 1n, 2n, 0x7fn, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn];
const LONG_WORDS = [...WORDS, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

type Edit = (bytes: Uint8Array, random: SeededRandom, other: Uint8Array) => Uint8Array;

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - remove + insert.length);
  out.set(bytes.subarray(0, at));
  out.set(insert, at);
  out.set(bytes.subarray(at + remove), at + insert.length);
  return out;
}

/** A piece: where it begins and how long it is, mostly short. */
function piece(bytes: Uint8Array, random: SeededRandom): [at: number, length: number] {
  const at = random.below(bytes.length + 1);
  const most = bytes.length - at;
  const length = random.next() < 0.7 ? Math.min(most, 1 + random.below(16)) : random.below(most + 1);
  return [at, length];
}

function setWord(bytes: Uint8Array, random: SeededRandom, width: 2 | 4 | 8): Uint8Array {
  if (bytes.length < width) return bytes;
  const step = random.next() < 0.5 ? width : 1;
  const at = Math.min(bytes.length - width, step * random.below(Math.ceil(bytes.length / step)));
  const lengths = [bytes.length, bytes.length - at, bytes.length - at - width].map(BigInt);
  const words = width === 8 ? LONG_WORDS : WORDS;
  const value = random.pick(random.next() < 0.8 ? words : lengths)! + BigInt(random.below(3) - 1);
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const isLittle = random.next() < 0.8;
  if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), isLittle);
  else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), isLittle);
  else view.setUint16(at, Number(BigInt.asUintN(16, value)), isLittle);
  return out;
}

function change(bytes: Uint8Array, random: SeededRandom, to: (byte: number) => number): Uint8Array {
  if (bytes.length === 0) return bytes;
  const out = bytes.slice();
  const at = random.below(out.length);
  out[at] = to(out[at]!);
  return out;
}

const randomBytes = (random: SeededRandom, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.below(256));

const EDITS: readonly Edit[] = [
  (bytes, random) => change(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => change(bytes, random, () => random.below(256)),
  (bytes, random) => change(bytes, random, (byte) => byte + random.below(33) - 16),
  (bytes, random) => setWord(bytes, random, 2),
  (bytes, random) => setWord(bytes, random, 4),
  (bytes, random) => setWord(bytes, random, 4),
  (bytes, random) => setWord(bytes, random, 8),
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => splice(bytes, ...piece(bytes, random), new Uint8Array()),
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), 0, randomBytes(random, random.below(40))),
  (bytes, random) => {
    const [at, length] = piece(bytes, random);
    const times = random.next() < 0.9 ? 1 : 1 + random.below(64);
    let out = bytes;
    for (let i = 0; i < times && out.length < MAX_INPUT; i++)
      out = splice(out, at, 0, bytes.subarray(at, at + length));
    return out;
  },
  (bytes, random) => {
    const [at, length] = piece(bytes, random);
    return splice(
      bytes,
      at,
      length,
      random.next() < 0.5 ? new Uint8Array(length) : randomBytes(random, length),
    );
  },
  (bytes, random, other) => {
    const [from, taken] = piece(other, random);
    const [at, length] = piece(bytes, random);
    return splice(bytes, at, length, other.subarray(from, from + taken));
  },
];

/**
 * One to four edits.
 * @param other an input to take pieces from
 */
export function mutateBytes(bytes: Uint8Array, random: SeededRandom, other: Uint8Array): Uint8Array {
  let out = bytes;
  for (let left = 1 + random.below(4); left > 0; left--) out = random.pick(EDITS)!(out, random, other);
  return out.subarray(0, MAX_INPUT);
}
