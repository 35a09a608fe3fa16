/** A contributor whose answers or scales are none: the buyer refuses them before they mean anything. */
import { closeAgreement } from "../../chain/escrow.ts";
import { answerBound } from "../../protocol/layout.ts";
import type { Purchase, World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { EvilContributor } from "./evilContributor.ts";

/** The buyer closes and is refunded. @returns what it did not get back */
async function moneyLost(world: World, { agreementId, remote }: Purchase): Promise<bigint> {
  await closeAgreement(world.buyer.ctx, agreementId);
  await world.passTime(3601);
  const { amount } = await world.buyerChain.refund(agreementId);
  return remote.terms.amount - amount + (await gainOf(world, "contributor"));
}

function withInteger(bytes: Uint8Array, index: number, value: bigint): Uint8Array {
  const out = bytes.slice();
  new DataView(out.buffer).setBigInt64(8 * index, value, true);
  return out;
}

function withFloat(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const out = bytes.slice();
  new DataView(out.buffer).setFloat64(8 * index, value, true);
  return out;
}

export const badAnswers: Attack = {
  name: "bad-answers",
  expected:
    "answers that are fractions, too large, too short or too long: each refused by the buyer, none is signed for",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const evil = await EvilContributor.serve(world, adapterId);
    const purchase = await world.buy(evil.url);
    const { remote } = purchase;
    const module = remote.layout.modules[0]!;
    const beyond = BigInt(answerBound(module)) + 1n;
    const X = new Int16Array(2 * module.dIn).fill(1);
    await remote.beginPass(2);
    const cases: [what: string, code: string, distort: EvilContributor["distort"]][] = [
      ["a fraction", "encoding/out-of-range", (bytes) => withFloat(bytes, 3, 0.5)],
      ["NaN", "encoding/out-of-range", (bytes) => withFloat(bytes, 3, Number.NaN)],
      ["Y_MAX + 1", "encoding/out-of-range", (bytes) => withInteger(bytes, 3, beyond)],
      ["-Y_MAX - 1", "encoding/out-of-range", (bytes) => withInteger(bytes, 3, -beyond)],
      ["2^63 - 1", "encoding/out-of-range", (bytes) => withInteger(bytes, 3, 2n ** 63n - 1n)],
      ["a short answer", "wire/bad-answer", (bytes) => bytes.slice(8)],
      ["a torn number", "wire/bad-answer", (bytes) => bytes.slice(1)],
      ["no answer", "wire/bad-answer", () => new Uint8Array(0)],
      ["a long answer", "http/too-large", (bytes) => Uint8Array.from([...bytes, ...bytes.subarray(0, 8)])],
    ];
    const words = new Set<string>();
    for (const [what, code, distort] of cases) {
      evil.distort = distort;
      words.add((await refused(what, code, () => remote.answer([0], X))).message);
    }
    await refused("a pass without answers", "session/bad-pass", () => remote.finishPass());
    if (evil.receipts.length > 0 || remote.progress.passes > 0)
      throw new AttackSucceeded("the buyer signed for a bad answer");
    return { how: [...words].join("; "), gained: await moneyLost(world, purchase) };
  },
};

export const wrongScales: Attack = {
  name: "wrong-scales",
  expected:
    "other output scales than the manifest's hashes: refused before the buyer sends a single activation",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    let asked = 0;
    const evil = await EvilContributor.serve(world, adapterId, () => {
      asked++;
    });
    const purchase = await world.buy(evil.url);
    const { scales } = evil.adapter;
    const b0 = new DataView(scales.buffer, scales.byteOffset).getFloat64(32, true);
    const cases: [what: string, code: string, scales: Uint8Array][] = [
      ["b doubled in one place", "scales/hash", withFloat(scales, 4, 2 * b0)],
      ["another salt", "scales/hash", withInteger(scales, 0, 1n)],
      ["a negative b", "scales/out-of-range", withFloat(scales, 4, -b0)],
      ["NaN", "scales/out-of-range", withFloat(scales, 4, Number.NaN)],
      ["too few", "scales/bad-length", scales.slice(8)],
    ];
    const words = new Set<string>();
    for (const [what, code, wrong] of cases) {
      evil.adapter.scales = wrong;
      words.add((await refused(what, code, () => purchase.remote.beginPass(1))).message);
      await refused("a pass under wrong scales", "session/no-pass", () =>
        purchase.remote.answer([0], new Int16Array(purchase.remote.layout.modules[0]!.dIn)),
      );
    }
    if (asked > 0) throw new AttackSucceeded("activations were sent under wrong scales");
    return { how: [...words].join("; "), gained: await moneyLost(world, purchase) };
  },
};
