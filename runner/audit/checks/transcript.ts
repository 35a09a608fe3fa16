/** A transcript folded again, and where it differs from the one that was signed. */
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { oddTokens } from "../formats/linearity.ts";
import type { Module } from "../formats/manifest.ts";
import type { Receipt } from "../formats/messages.ts";
import type { Opening } from "../formats/openingFile.ts";
import { type Pass, passFileName, readPass } from "../formats/passFile.ts";
import { addRows, firstHead, foldWeights, nextHead, statementBlind } from "../formats/session.ts";
import { type Hex, toHex } from "../primitives/bytes.ts";
import { demand, Missing, Wrong } from "../problem.ts";

export type OnPass = (done: number, total: number) => void;

export interface Folded {
  passes: number;
  tokens: bigint;
  head: Hex;
  /** What the statements of the last receipt open to; the manifest's hash is not the transcript's to know. */
  opening: Opening;
}

export interface TranscriptToFold {
  folder: string;
  /** The same session as others kept it. */
  others: readonly string[];
  modules: readonly Module[];
  groups: number;
  receipt: Receipt;
  /** Other receipts of the agreement: those for fewer passes must be of the same session. */
  earlier: readonly Receipt[];
  agreementId: Hex;
  onPass: OnPass;
}

function passOf(folder: string, number: number, modules: readonly Module[]): Pass {
  const name = passFileName(number);
  const file = path.join(folder, name);
  if (!existsSync(file)) throw new Missing(`${file} is not there: the transcript lacks pass ${number}`);
  return readPass(readFileSync(file), modules, `pass ${number}`);
}

/**
 * Folds the passes that the receipt covers.
 * @throws Wrong naming module and token of a value out of range, or where the transcript is not the signed one
 */
export function foldTranscript(transcript: TranscriptToFold): Folded {
  const { folder, modules, groups, receipt, agreementId, onPass } = transcript;
  const passes = Number(receipt.passes);
  let head = firstHead(agreementId);
  let tokens = 0n;
  let salt = new Uint8Array();
  const reached: Pick<Folded, "head" | "tokens">[] = [];
  const xBar = modules.map(({ dIn }) => new Array<bigint>(dIn).fill(0n));
  const yBar = modules.map(({ dOut }) => new Array<bigint>(dOut).fill(0n));
  for (let number = 1; number <= passes; number++) {
    const pass = passOf(folder, number, modules);
    head = nextHead(head, pass);
    for (const [m, { X, Y }] of pass.modules.entries()) {
      const weights = foldWeights(head, m, pass.tokens);
      addRows(xBar[m]!, X, weights);
      addRows(yBar[m]!, Y, weights);
    }
    tokens += BigInt(pass.tokens);
    reached.push({ head: toHex(head), tokens });
    salt = Uint8Array.from(pass.salt);
    onPass(number, passes);
  }
  const found = toHex(head);
  if (found !== receipt.head)
    throw new Wrong(`${headMessage(found, receipt)}; ${locate(transcript, Number(tokens))}`);
  demand(
    tokens === receipt.tokens,
    `the transcript has ${tokens} tokens, the receipt covers ${receipt.tokens}`,
  );
  for (const other of transcript.earlier) {
    const there = reached[Number(other.passes) - 1];
    demand(
      there === undefined || (there.head === other.head && there.tokens === other.tokens),
      `another settled receipt, for ${other.passes} passes and ${other.tokens} tokens with the head ${other.head}, is of another session: this one has ${there?.tokens} tokens there and the head ${there?.head}`,
    );
  }
  const t = Array.from({ length: groups }, (_, g) => statementBlind(salt, head, g));
  const opening = {
    agreementId,
    manifestHash: "",
    passes: receipt.passes,
    tokens,
    head: found,
    t,
    xBar,
    yBar,
  };
  return { passes, tokens, head: found, opening };
}

const headMessage = (found: Hex, { head }: Receipt): string =>
  `the transcript folds to the head ${found}, the receipt is for ${head}`;

/** Steps of some 30 ns that the search in the answers may take: ten minutes. A long session would take it days. */
const MOST_STEPS = 2e10;

/** Where it differs, by another copy or by the answers themselves. */
function locate(transcript: TranscriptToFold, tokens: number): string {
  const { others, modules } = transcript;
  const found = others.map((other) => compareWith(transcript, other));
  const steps = modules.reduce((sum, { dIn }) => sum + tokens * dIn ** 2, 0);
  if (steps <= MOST_STEPS) found.push(findOdd(transcript));
  const said = found.filter((text) => text !== undefined);
  return said.length > 0
    ? said.join("; ")
    : "where is not told by this copy alone: name the other party's with another --transcript";
}

/** Where another copy differs. One that cannot be read takes nothing back: the transcript is not the signed one. */
function compareWith(transcript: TranscriptToFold, other: string): string | undefined {
  try {
    return compareCopies(transcript, other);
  } catch (error) {
    return `it cannot be compared with ${other}: ${(error as Error).message}`;
  }
}

/** First place at which two copies differ, to module, token and column. */
function compareCopies({ folder, modules, receipt }: TranscriptToFold, other: string): string | undefined {
  for (let number = 1; number <= Number(receipt.passes); number++) {
    const [one, two] = [folder, other].map((copy) => passOf(copy, number, modules)) as [Pass, Pass];
    const where = `it differs from ${other} at pass ${number}`;
    if (one.tokens !== two.tokens) return `${where}: ${one.tokens} tokens, there ${two.tokens}`;
    if (toHex(one.salt) !== toHex(two.salt)) return `${where}: another salt`;
    for (const [m, { name, dIn, dOut }] of modules.entries())
      for (const [part, width] of [
        ["X", dIn],
        ["Y", dOut],
      ] as const) {
        const [values, others] = [one.modules[m]![part], two.modules[m]![part]];
        const at = values.findIndex((value, i) => value !== others[i]);
        if (at < 0) continue;
        const place = `module ${name}, token ${Math.floor(at / width)}, column ${at % width} of ${part}`;
        return `${where}, ${place}: ${values[at]}, there ${others[at]}`;
      }
  }
  return undefined;
}

/** Tokens whose answers are not those of the one linear map that a module is. */
function findOdd({ folder, modules, receipt }: TranscriptToFold): string | undefined {
  const passes = Array.from({ length: Number(receipt.passes) }, (_, i) => passOf(folder, i + 1, modules));
  const said: string[] = [];
  for (const [m, { name, dIn, dOut }] of modules.entries()) {
    const odd = oddTokens(
      passes.map((pass) => pass.modules[m]!),
      dIn,
      dOut,
    );
    const places = odd.map((token) => placeOf(passes, token));
    if (places.length > 0)
      said.push(
        `the answers of module ${name} at ${places.slice(0, 5).join(", ")} are not the linear map of all others`,
      );
  }
  return said.length === 0 ? undefined : said.join("; ");
}

function placeOf(passes: readonly Pass[], token: number): string {
  let rest = token;
  for (const [i, { tokens }] of passes.entries()) {
    if (rest < tokens) return `pass ${i + 1}, token ${rest}`;
    rest -= tokens;
  }
  return `token ${token}`;
}
