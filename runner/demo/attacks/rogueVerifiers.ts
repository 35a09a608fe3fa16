/** Verifier contracts that accept what their maker likes: with each a buyer that does not look loses its money. */
import { encodeFunctionData, parseAbi } from "viem";
import { contractCode } from "../../chain/bytecode.ts";
import { transact } from "../../chain/transact.ts";
import { verifierName } from "../../chain/verifiers.ts";
import type { ServedAdapter } from "../../contributor/adapters.ts";
import { loadCommitKey } from "../../keys/load.ts";
import { type Hex, pointWords, toHex } from "../../protocol/bytes.ts";
import { type Curve, decodePoints, encodePoint, loadCurve } from "../../protocol/curve.ts";
import { mod } from "../../protocol/field.ts";
import type { CommitKey } from "../../protocol/key.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { Claim } from "../../wire/messages.ts";
import type { World } from "../world.ts";
import { type Attack, gainOf, refused } from "./attack.ts";
import { deployAttacker, deployCode } from "./attackerContracts.ts";
import { CARELESS_PAY, carelessPurchase, requireRobbed } from "./carelessBuyer.ts";
import { honestAdapter, inspect, registerForgery } from "./forgery.ts";
import { settleByHand } from "./settling.ts";

/** Registers the adapter with the verifier, robs a careless buyer with `prove`, and shows it to a careful one. */
async function tryVerifier(
  world: World,
  adapter: ServedAdapter,
  verifier: Address,
  prove: (V: Uint8Array, group: number) => Promise<Claim>,
  beforeSettling = async (): Promise<void> => {},
): Promise<{ how: string; gained: bigint }> {
  const { manifest, commitments } = adapter;
  const { adapterId, url } = await registerForgery(world, { manifest, commitments, verifier });
  const { bases } = await loadCommitKey(manifest.keySize);
  // nobody can open these: they are bases of the key
  const V = Array.from({ length: manifest.groups }, (_, g) => bases.slice(64 * g, 64 * g + 64));
  const signed = await carelessPurchase(world, adapterId, V);
  await beforeSettling();
  const claims = await Promise.all(V.map(prove));
  await settleByHand(world.contributor.ctx, signed, { V, claims });
  await requireRobbed(world, signed.receipt.agreementId);
  const { message } = await refused("the adapter", "adapter/unknown-verifier", () => inspect(world, url));
  return {
    how: `a buyer that does not look pays for a false proof; before \`open\`: ${message}`,
    gained: await gainOf(world, "contributor", CARELESS_PAY),
  };
}

/** No proof of anything. */
const nonsense = async (_: Uint8Array, group: number): Promise<Claim> => ({
  group,
  a: [1n, 2n],
  b: [1n, 2n, 3n, 4n],
  c: [1n, 2n],
});

export const trueVerifier: Attack = {
  name: "true-verifier",
  expected: "an adapter whose verifier contract returns true: refused by the buyer before `open`",
  async run(world) {
    const adapter = await honestAdapter(world);
    const claimed = { type: "bytes32", value: adapter.manifest.vkHash } as const;
    const verifier = await deployAttacker(world.contributor, "TrueVerifier", claimed);
    return tryVerifier(world, adapter, verifier, nonsense);
  },
};

export const proxyVerifier: Attack = {
  name: "proxy-verifier",
  expected:
    "a verifier contract that answers as the release's does until it is exchanged: refused by the buyer before `open`",
  async run(world) {
    const { contributor } = world;
    const adapter = await honestAdapter(world);
    const claimed = { type: "bytes32", value: adapter.manifest.vkHash } as const;
    const accomplice = await deployAttacker(contributor, "TrueVerifier", claimed);
    const honest = { type: "address", value: adapter.record.verifier } as const;
    const proxy = await deployAttacker(contributor, "ExchangeableVerifier", honest);
    const abi = parseAbi(["function exchange(address implementation)"]);
    const data = encodeFunctionData({ abi, functionName: "exchange", args: [accomplice] });
    return tryVerifier(world, adapter, proxy, nonsense, async () => {
      await transact(contributor.ctx, { to: proxy, data });
    });
  },
};

/** What someone who runs a setup alone knows: alpha, beta and delta. */
const TRAPDOOR = { alpha: 3n, beta: 5n, delta: 7n };

/** The release's verifier with the attacker's alpha_1, beta_2 and delta_2 in its code instead; it names the same key. */
async function deployOwnKey(world: World, curve: Curve, key: CommitKey): Promise<Address> {
  const { G1, G2 } = curve;
  const times = (scalar: bigint): Uint8Array => G2.toUncompressed(G2.toAffine(G2.timesScalar(G2.g, scalar)));
  let code = contractCode(verifierName(key.size)).bytecode;
  for (const [old, own] of [
    [key.alpha1, encodePoint(curve, G1.timesScalar(G1.g, TRAPDOOR.alpha))],
    [key.beta2, times(TRAPDOOR.beta)],
    [key.delta2, times(TRAPDOOR.delta)],
  ] as const)
    for (let at = 0; at < old.length; at += 32) {
      const word = (bytes: Uint8Array): string => toHex(bytes.subarray(at, at + 32)).slice(2);
      if (!code.includes(word(old))) throw new Error("the verifier's code does not hold its key as expected");
      code = code.replace(word(old), word(own)) as Hex;
    }
  return deployCode(world.contributor, code);
}

/** A proof of any statement: A = G1, B = G2, C = (1 - alpha beta) / delta * G1 - V / delta. */
async function forgeProof(curve: Curve, key: CommitKey, V: Uint8Array, group: number): Promise<Claim> {
  const { G1, Fr } = curve;
  const { alpha, beta, delta } = TRAPDOOR;
  const rest = G1.sub(G1.timesScalar(G1.g, mod(1n - alpha * beta)), await decodePoints(curve, V, "V"));
  const C = G1.timesScalar(rest, Fr.toObject(Fr.inv(Fr.e(delta))));
  const words = (bytes: Uint8Array): readonly [bigint, bigint] => pointWords(bytes);
  return {
    group,
    a: [...words(encodePoint(curve, G1.g))],
    // gamma_2 is the generator
    b: [...words(key.gamma2.subarray(0, 64)), ...words(key.gamma2.subarray(64))],
    c: [...words(encodePoint(curve, C))],
  };
}

export const ownKeyVerifier: Attack = {
  name: "own-key-verifier",
  expected:
    "a real Groth16 verifier with a key whose delta the contributor knows, so that it can prove anything: refused by the buyer before `open`",
  async run(world) {
    const adapter = await honestAdapter(world);
    const curve = await loadCurve();
    const key = await loadCommitKey(adapter.manifest.keySize);
    const verifier = await deployOwnKey(world, curve, key);
    return tryVerifier(world, adapter, verifier, (V, group) => forgeProof(curve, key, V, group));
  },
};
