/** Claims that would each fail alone, put together so that they might pass. */
import { loadCommitKey } from "../../keys/load.ts";
import { concatBytes, pointWords, uintLE } from "../../protocol/bytes.ts";
import { decodePoints, encodePoint, loadCurve } from "../../protocol/curve.ts";
import type { CommitKey } from "../../protocol/key.ts";
import type { Claim } from "../../wire/messages.ts";
import { type Attack, gainOf, refused } from "./attack.ts";
import { sell } from "./sale.ts";
import { settleByHand } from "./settling.ts";

type Words = readonly bigint[];

/** Words of a contract as packed big-endian bytes. */
const bytesOf = (words: Words): Uint8Array => concatBytes(...words.map((word) => uintLE(word, 32).reverse()));

/** Whether a batch of two would hold if all weights r were one. */
async function holdsWithEqualWeights(key: CommitKey, V: readonly Uint8Array[], claims: readonly Claim[]) {
  const curve = await loadCurve();
  const { G1, G2 } = curve;
  const g1 = (bytes: Uint8Array): Promise<Uint8Array> => decodePoints(curve, bytes, "point");
  const g2 = (bytes: Uint8Array): Uint8Array => G2.fromRprUncompressed(bytes, 0);
  const sum = async (points: readonly Uint8Array[]): Promise<Uint8Array> => {
    let total = G1.zero;
    for (const point of points) total = G1.add(total, await g1(point));
    return G1.neg(total);
  };
  const pairs = [];
  for (const { a, b } of claims) pairs.push(await g1(bytesOf(a)), g2(bytesOf(b)));
  pairs.push(await sum(claims.map(() => key.alpha1)), g2(key.beta2));
  pairs.push(await sum(claims.map(({ group }) => V[group]!)), g2(key.gamma2));
  pairs.push(await sum(claims.map(({ c }) => bytesOf(c))), g2(key.delta2));
  return curve.pairingEq(...pairs);
}

export const claimTwice: Attack = {
  name: "claim-twice",
  expected: "the same claim twice in a batch, in place of one that cannot be proven: refused by the contract",
  async run(world) {
    const { signed, proven } = await sell(world, { modulesPerProof: 1 });
    const [first, , ...rest] = proven.claims;
    const claims = [first!, first!, ...rest];
    const { message } = await refused("the claim", "contract/groups-not-increasing", () =>
      settleByHand(world.contributor.ctx, signed, { V: proven.V, claims }),
    );
    return { how: message, gained: await gainOf(world, "contributor") };
  },
};

export const cancellingProofs: Attack = {
  name: "cancelling-proofs",
  expected:
    "two invalid proofs whose errors cancel when both have the same weight in the batch: refused by the contract",
  async run(world) {
    const { signed, proven, keySize } = await sell(world, { modulesPerProof: 1 });
    const { V } = proven;
    const key = await loadCommitKey(keySize);
    const curve = await loadCurve();
    const shifted = async ({ c, ...claim }: Claim, by: Uint8Array): Promise<Claim> => {
      const C = curve.G1.add(await decodePoints(curve, bytesOf(c), "C"), by);
      return { ...claim, c: [...pointWords(encodePoint(curve, C))] };
    };
    const [first, second, ...rest] = proven.claims;
    const error = curve.G1.g;
    const pair = [await shifted(first!, error), await shifted(second!, curve.G1.neg(error))];
    if (!(await holdsWithEqualWeights(key, V, pair)))
      throw new Error("the errors do not cancel: nothing was attacked");
    const { message } = await refused("the pair", "contract/invalid-proof", () =>
      settleByHand(world.contributor.ctx, signed, { V, claims: [...pair, ...rest] }),
    );
    return {
      how: `with equal weights the pairing holds, with weights drawn from the whole batch ${message}`,
      gained: await gainOf(world, "contributor"),
    };
  },
};
