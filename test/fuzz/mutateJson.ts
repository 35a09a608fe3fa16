/** Mutations of JSON: values of other kinds, keys that mean something to JavaScript, doubled keys, depth, size. */
import fc from "fast-check";
import type { SeededRandom } from "../kill/random.ts";
import { bytesOf, type Mutator, textOf } from "./target.ts";

const POISON = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "length",
  "then",
  "",
  "0",
  "\u0000",
];
const NUMBERS = ["-1", "0", "-0", "1e999", "1.5", "9007199254740993", "4294967296", "1e-7", "1E2", "00"];
const TEXTS = [
  '""',
  '"0x"',
  '"-1"',
  '"1e3"',
  '" 1"',
  `"${"9".repeat(400)}"`,
  `"0x${"f".repeat(64)}"`,
  '"\\u0000"',
  '"\\ud800"',
  '"../../x"',
  `"${"a".repeat(5000)}"`,
];
const SHAPES = ["null", "true", "{}", "[]", "[[]]", '{"__proto__":{"r":1}}', '{"length":1e9}'];

/** Values out of fast-check, as text; drawn once a seed. */
let drawn: { seed: number; texts: string[] } | undefined;

/** Text of an arbitrary JSON value. */
export function anyJson(random: SeededRandom): string {
  if (drawn === undefined || random.next() < 0.001) {
    const seed = random.below(2 ** 31);
    drawn = { seed, texts: fc.sample(fc.json({ maxDepth: 4 }), { seed, numRuns: 300 }) };
  }
  return random.pick(drawn.texts)!;
}

/** Where a value begins and ends in the text, and whether it is a key. */
interface Piece {
  start: number;
  end: number;
  isKey: boolean;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s{}[\],:"]+/gs;

/** Every value and key of valid JSON text, also those that hold others. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  const open: number[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const end = index + token.length;
    if (token === "{" || token === "[") open.push(index);
    else if (token === "}" || token === "]") pieces.push({ start: open.pop() ?? 0, end, isKey: false });
    else
      pieces.push({
        start: index,
        end,
        isKey: token.startsWith('"') && /^\s*:/.test(text.slice(end, end + 8)),
      });
  }
  return pieces;
}

function value(random: SeededRandom): string {
  const kind = random.below(5);
  if (kind === 0) return random.pick(NUMBERS)!;
  if (kind === 1) return random.pick(TEXTS)!;
  if (kind === 2) return random.pick(SHAPES)!;
  if (kind === 3) return anyJson(random);
  const depth = 1 + random.below(random.next() < 0.1 ? 20_000 : 60);
  return random.next() < 0.5
    ? "[".repeat(depth) + "]".repeat(depth)
    : `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

function edit(text: string, random: SeededRandom): string {
  const pieces = piecesOf(text);
  const piece = random.pick(pieces);
  if (piece === undefined) return value(random);
  const put = (what: string, { start, end } = piece): string => text.slice(0, start) + what + text.slice(end);
  const own = text.slice(piece.start, piece.end);
  if (piece.isKey) {
    if (random.next() < 0.5) return put(JSON.stringify(random.pick(POISON)));
    // The same key twice, or one more.
    return put(`${random.next() < 0.5 ? own : JSON.stringify(random.pick(POISON))}:${value(random)},${own}`);
  }
  const kind = random.below(6);
  if (kind <= 1) return put(value(random));
  if (kind === 2)
    return put(text.slice(...(Object.values(random.pick(pieces)!).slice(0, 2) as [number, number])));
  if (kind === 3) {
    const times = random.next() < 0.95 ? 1 + random.below(4) : 1 + random.below(2000);
    return put(Array.from({ length: times + 1 }, () => own).join(","));
  }
  if (kind === 4)
    return own.startsWith('"') ? put(`"${own.slice(1 + random.below(own.length - 1))}`) : put(`"${own}"`);
  return put("");
}

/** A few edits of JSON text. */
export const mutateJson: Mutator = (input, random) => {
  let text = textOf(input);
  for (let left = 1 + random.below(3); left > 0 && text.length < 2 ** 18; left--) text = edit(text, random);
  if (random.next() < 0.02) text = `\ufeff${text}`;
  return bytesOf(text);
};

/** Any JSON as an input. */
export const generateJson = (random: SeededRandom): Uint8Array => bytesOf(anyJson(random));
