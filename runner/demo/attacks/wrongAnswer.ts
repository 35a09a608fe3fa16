/** Wrong numbers served by the contributor: the buyer signs what it got, and that cannot be proven. */
import { settle } from "../../chain/settle.ts";
import { loadProvingKey } from "../../keys/load.ts";
import { decodeKeyPoints } from "../../protocol/commitment.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { P } from "../../protocol/field.ts";
import { witnessStatement } from "../../protocol/statement.ts";
import { proveStatement } from "../../prover/prove.ts";
import { speak } from "../speak.ts";
import type { World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { EvilContributor, statementWords, type Tamper } from "./evilContributor.ts";

/** Serves with `tamper`, sells a few tokens, and tries to settle with proofs of what the weights really answer. */
async function serveAndSettle(world: World, tamper: Tamper, modulesPerProof: 1 | "all"): Promise<string> {
  const { adapterId, manifest } = await world.register("kjv-attn", modulesPerProof);
  await world.makeOffer(adapterId);
  const evil = await EvilContributor.serve(world, adapterId, tamper);
  const { remote, agreementId } = await world.buy(evil.url);
  await speak(remote, "And I saw", 3);
  await remote.signReceipt();
  const { receipt, signature, state } = evil.receipts.at(-1)!;
  const V = await evil.buyersStatements(state);
  const key = await loadProvingKey(manifest.keySize);
  const claims = [];
  let unprovable: string | undefined;
  for (let group = 0; group < manifest.groups; group++) {
    const witness = evil.witness(state, group);
    const honest = witness.h.reduce((sum, h, k) => (sum + h * witness.s[k]!) % P, 0n);
    if (honest !== witness.yhat) {
      unprovable ??= (
        await refused("a proof of a wrong answer", "prover/no-witness", () =>
          proveStatement({ key, witness, V: V[group]! }),
        )
      ).message;
      // the nearest thing that can be proven: what the registered weights do answer
      witness.yhat = honest;
    }
    const points = await decodeKeyPoints(await loadCurve(), key.commitKey);
    const ownV = await witnessStatement(await loadCurve(), points, witness);
    claims.push({ group, ...(await proveStatement({ key, witness, V: ownV })) });
  }
  if (unprovable === undefined) throw new AttackSucceeded("the wrong answer has a witness");
  const { ctx } = world.contributor;
  const settlement = { agreementId, receipt, signature, V: statementWords(V), claims };
  const onChain = await refused("the settlement", "contract/invalid-proof", () => settle(ctx, settlement));
  await world.passTime(3 * 3600);
  const { amount } = await world.buyerChain.refund(agreementId);
  const left = await world.credit(world.buyer);
  if (left !== amount) throw new AttackSucceeded("the buyer did not get everything back");
  return `${unprovable}; on chain: ${onChain.message}; the buyer was refunded ${amount} wei`;
}

export const wrongAnswer: Attack = {
  name: "wrong-answer",
  expected:
    "one wrong element in one answer at one token: no proof exists, nothing is paid, the refund works",
  async run(world) {
    const tamper: Tamper = ({ pass, module }, Y) => {
      if (pass === 2 && module === 3) Y[7]! += 1;
    };
    return { how: await serveAndSettle(world, tamper, 1), gained: await gainOf(world, "contributor") };
  },
};

export const cancellingErrors: Attack = {
  name: "cancelling-errors",
  expected:
    "an error in one module hidden by its opposite in another module of the same group: no proof exists",
  async run(world) {
    const tamper: Tamper = ({ pass, module }, Y) => {
      if (pass === 1 && module === 0) Y[0]! += 1;
      if (pass === 1 && module === 1) Y[0]! -= 1;
    };
    return { how: await serveAndSettle(world, tamper, "all"), gained: await gainOf(world, "contributor") };
  },
};
