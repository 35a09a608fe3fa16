/** Vectors of a whole session: two passes over the adapter, its statements, witnesses and wire bodies. */

import { fromHex, type Hex } from "../../runner/protocol/bytes.ts";
import type { Curve } from "../../runner/protocol/curve.ts";
import { encodeActivations, encodeAnswers } from "../../runner/protocol/encoding.ts";
import { addPass, initialState, type SessionState } from "../../runner/protocol/fold.ts";
import { xofAt } from "../../runner/protocol/hash.ts";
import { modulesOfGroup, totalOutputs } from "../../runner/protocol/layout.ts";
import { encodeOpening, openingOf } from "../../runner/protocol/openingFile.ts";
import { encodePass } from "../../runner/protocol/passFile.ts";
import {
  buyerStatements,
  columnSums,
  type GroupWitness,
  groupWitness,
} from "../../runner/protocol/statement.ts";
import {
  deltaWeights,
  foldWeights,
  ioHash,
  nextHead,
  statementBlind,
} from "../../runner/protocol/transcript.ts";
import { statementsHash } from "../../runner/protocol/typedData.ts";
import { encodePassAnswer, encodePassRequest } from "../../runner/wire/passRequest.ts";
import type { VectorAdapter } from "./adapter.ts";
import type { Book } from "./book.ts";
import { LAYOUT, MODULES, PASSES, type VectorPass } from "./inputs.ts";
import type { VectorKey } from "./keyVectors.ts";

export interface VectorSession {
  state: SessionState;
  V: Uint8Array[];
  witnesses: GroupWitness[];
  statementsHash: Hex;
}

const integers = (stream: Uint8Array): bigint[] =>
  Array.from({ length: stream.length / 16 }, (_, i) => xofAt(stream, i));

function addOnePass(book: Book, p: number, pass: VectorPass, before: SessionState): SessionState {
  const { passSalt, tokens, X, Y } = pass;
  const hashes = LAYOUT.modules.map((_, m) => {
    const bytes = { X: encodeActivations(X[m]!), Y: encodeAnswers(Y[m]!) };
    const hash = ioHash(passSalt, m, tokens, bytes.X, bytes.Y);
    book.add(`io-hash/${p}/${m}`, { passSalt, m, tokens, X: X[m], Y: Y[m] }, hash);
    return hash;
  });
  const after = addPass(LAYOUT, before, pass);
  book.add(`head/${p}`, { head: before.head, ioHashes: hashes }, nextHead(before.head, hashes));
  for (const m of LAYOUT.modules.keys())
    book.add(
      `fold-weights/${p}/${m}`,
      { head: after.head, m, tokens },
      integers(foldWeights(after.head, m, tokens)),
    );
  return after;
}

/** The bodies of one pass: its first two modules read the same X and share a request. */
function addBodies(book: Book, p: number, { passSalt, tokens, X, Y }: VectorPass): void {
  for (const modules of [[0, 1], [2]]) {
    const name = modules.join("+");
    const activations = X[modules[0]!]!;
    book.add(
      `wire/pass-request/${p}/${name}`,
      { modules, passSalt, tokens, X: activations },
      encodePassRequest({ modules, passSalt, tokens, X: activations }),
    );
    const answers = modules.map((m) => Y[m]!);
    book.add(`wire/pass-answer/${p}/${name}`, { modules, tokens, Y: answers }, encodePassAnswer(answers));
  }
}

/** What an auditor is given: every pass, and the openings of the statements. */
function addAuditFiles(book: Book, adapter: VectorAdapter, agreementId: Hex, state: SessionState): void {
  for (const [i, pass] of PASSES.entries())
    book.add(`file/pass-transcript/${i + 1}`, { pass: `io-hash/${i + 1}/m` }, encodePass(pass));
  const opening = openingOf(agreementId, adapter.manifestHash, LAYOUT.groups, state);
  book.add("file/opening", { fold: "fold/m", t: "statement-blind/g" }, encodeOpening(opening));
}

/** Adds every vector of this file. */
export async function addSession(
  book: Book,
  curve: Curve,
  key: VectorKey,
  adapter: VectorAdapter,
  agreementId: Hex,
): Promise<VectorSession> {
  let state = initialState(LAYOUT, fromHex(agreementId));
  book.add("head/0", { agreementId }, state.head);
  for (const [i, pass] of PASSES.entries()) {
    state = addOnePass(book, i + 1, pass, state);
    addBodies(book, i + 1, pass);
  }
  const { head, lastSalt, xBar, yBar } = state;
  for (const m of LAYOUT.modules.keys())
    book.add(
      `fold/${m}`,
      {
        weights: PASSES.map((_, i) => `fold-weights/${i + 1}/${m}`),
        passes: PASSES.map((_, i) => `io-hash/${i + 1}/${m}`),
      },
      { xBar: xBar[m], yBar: yBar[m] },
    );
  const outputs = totalOutputs(LAYOUT);
  book.add("delta", { head, outputs }, integers(deltaWeights(head, outputs)));
  const witnesses = Array.from({ length: LAYOUT.groups }, (_, g) => {
    const t = statementBlind(lastSalt, head, g);
    book.add(`statement-blind/${g}`, { passSalt: lastSalt, head, group: g }, t);
    return groupWitness(LAYOUT, MODULES, adapter.blinds, state, g);
  });
  const sums = await columnSums(curve, adapter.commitments);
  const V = await buyerStatements(curve, key.points, LAYOUT, adapter.commitments, sums, state);
  for (const [g, witness] of witnesses.entries()) {
    const modules = modulesOfGroup(LAYOUT, g);
    book.add(`witness/${g}`, { modules, fold: "fold/m", delta: "delta", openings: "commitment/m" }, witness);
    book.add(
      `statement/${g}`,
      { modules, key: "key/vk-hash", commitments: "commitment/m", yhat: witness.yhat },
      V[g],
    );
  }
  const hash = statementsHash(V);
  book.add("statements-hash", { V }, hash);
  addAuditFiles(book, adapter, agreementId, state);
  return { state, V, witnesses, statementsHash: hash };
}
