/** Every vector recomputed by a second implementation that shares no code with the product. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Plain } from "../vectors/book.ts";
import { text, vectorsByName } from "../vectors/read.ts";
import { batchWeights, CHAIN, claims, statements } from "../vectors/recomputeChain.ts";
import { ENCODINGS, type Recompute } from "../vectors/recomputeEncodings.ts";
import { bases, challengeParts, modules, SESSION } from "../vectors/recomputeSession.ts";
import {
  be,
  bytes,
  cat,
  combine,
  encodePoint,
  hex,
  integers,
  modulo,
  P,
  pairingHolds,
  point,
  point2,
  points,
} from "../vectors/second.ts";

const { names, vector } = vectorsByName();
const HANDLERS: Record<string, Recompute> = { ...ENCODINGS, ...SESSION, ...CHAIN };

/** The handler with the longest beginning of the name. */
function handlerOf(name: string): { run: Recompute; rest: string } | undefined {
  const known = Object.keys(HANDLERS)
    .filter((start) => (start.endsWith("/") ? name.startsWith(start) : name === start))
    .sort((a, b) => b.length - a.length);
  const start = known[0];
  return start === undefined ? undefined : { run: HANDLERS[start]!, rest: name.slice(start.length) };
}

/** Error codes are the product's own; that something is refused is the protocol's. */
function expected(output: Plain): Plain {
  const refused = typeof output === "object" && output !== null && "error" in output;
  return refused ? "refused" : output;
}

describe("recomputed from its inputs alone", () => {
  for (const name of names.filter((known) => known !== "claims"))
    test(name, () => {
      const handler = handlerOf(name);
      assert.ok(handler, "no second implementation computes this vector");
      const { inputs, output } = vector(name);
      assert.deepEqual(handler.run(inputs, handler.rest), expected(output));
    });
});

const g1 = ([x, y]: readonly bigint[]) => point(cat(be(x!), be(y!)));
const g2 = (words: readonly bigint[]) => point2(cat(...words.map((word) => be(word))));

function verifyingKey() {
  const { inputs } = vector("key/vk-hash");
  const of = (name: string): Buffer => bytes(text(inputs, name));
  return {
    alpha: point(of("alpha1")),
    beta: point2(of("beta2")),
    gamma: point2(of("gamma2")),
    delta: point2(of("delta2")),
  };
}

describe("the session's proofs", () => {
  const key = verifyingKey();

  test("each one verifies for the statement of its group and not for the other", () => {
    const holds = (proof: number, statement: number): boolean => {
      const { a, b, c } = claims()[proof]!;
      return pairingHolds([
        { g1: g1(a), g2: g2(b) },
        { g1: key.alpha.negate(), g2: key.beta },
        { g1: point(bytes(statements()[statement]!)).negate(), g2: key.gamma },
        { g1: g1(c).negate(), g2: key.delta },
      ]);
    };
    assert.deepEqual([holds(0, 0), holds(1, 1), holds(0, 1), holds(1, 0)], [true, true, false, false]);
  });

  test("the batch equation holds with the weights of its seed", () => {
    const r = batchWeights();
    const proofs = claims();
    const sum = r.reduce((total, weight) => total + weight, 0n);
    const V = statements().map((encoded) => point(bytes(encoded)));
    const holds = (weights: bigint[]): boolean =>
      pairingHolds([
        ...proofs.map(({ a, b }, g) => ({ g1: g1(a).multiply(weights[g]!), g2: g2(b) })),
        { g1: key.alpha.multiply(sum % P).negate(), g2: key.beta },
        { g1: combine(V, r).negate(), g2: key.gamma },
        {
          g1: combine(
            proofs.map(({ c }) => g1(c)),
            r,
          ).negate(),
          g2: key.delta,
        },
      ]);
    assert.equal(holds(r), true);
    assert.equal(holds([r[1]!, r[0]!]), false);
  });
});

test("the responses prove knowledge of the openings over each module's own slots", () => {
  const { H, S, Z } = bases();
  const parts = challengeParts();
  const T = vector("knowledge/nonce").output;
  const z = vector("knowledge/responses").output;
  for (const [m, { slot, r }] of modules().entries())
    for (const side of ["A", "B"] as const) {
      const own = [...(side === "A" ? H : S).slice(slot, slot + r), Z];
      const C = points(bytes(text(vector(`commitment/${m}`).output, `C${side}`)));
      const left = combine(own, integers(text(z, m, side)));
      const right = combine(C, parts[m]![side]).add(point(bytes(text(T, m, side))));
      assert.ok(left.equals(right), `${m} ${side}`);
    }
});

test("the contributor's openings give the buyer's statements, and yhat is <s, h>", () => {
  const { ic0, I, H, S, Z } = bases();
  for (const [g, V] of statements().entries()) {
    const { output } = vector(`witness/${g}`);
    const [h, s] = ["h", "s"].map((name) => integers(text(output, name)));
    const [yhat, blind] = ["yhat", "blind"].map((name) => BigInt(text(output, name)));
    assert.equal(modulo(h!.reduce((sum, value, k) => sum + value * s![k]!, 0n)), yhat);
    const opened = combine([I, ...H, ...S, Z], [yhat!, ...h!, ...s!, blind!]);
    assert.equal(hex(encodePoint(ic0.add(opened))), V);
  }
});
