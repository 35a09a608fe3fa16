/** An adapter and an agreement on a test chain, with proofs of statements made up for them under the smallest key. */
import { randomBytes } from "node:crypto";
import type { LocalAccount } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { ReceiptToSettle } from "../../runner/chain/claims.ts";
import { type ChainContext, domainOf } from "../../runner/chain/connect.ts";
import { type AgreementToOpen, openAgreement } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import { registerAdapter } from "../../runner/chain/registry.ts";
import { releaseVerifiers } from "../../runner/chain/verifiers.ts";
import { loadProvingKey } from "../../runner/keys/load.ts";
import { type Hex, pointWords, toHex } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { type GroupWitness, witnessStatement } from "../../runner/protocol/statement.ts";
import { type Offer, type Receipt, statementsHash, typedData } from "../../runner/protocol/typedData.ts";
import { Prover } from "../../runner/prover/prove.ts";

/** Slots of the key these tests prove under. */
const KEY_SIZE = 14;

export const random32 = (): Hex => toHex(new Uint8Array(randomBytes(32)));

/** Registers an adapter of `groups` groups under the smallest key. */
export async function register(contributor: ChainContext, groups: number): Promise<Hex> {
  const { address: verifier } = releaseVerifiers().find(({ size }) => size === KEY_SIZE)!;
  const request = { manifestHash: random32(), uri: "http://127.0.0.1/", verifier, groups, salt: random32() };
  return (await registerAdapter(contributor, request)).adapterId;
}

/** Terms for the tests, with changes. */
export function terms(contributor: LocalAccount, adapterId: Hex, changes: Partial<Offer> = {}): Offer {
  return {
    adapterId,
    payout: contributor.address,
    token: "0x0000000000000000000000000000000000000000",
    pricePerToken: 5n,
    openingFee: 7n,
    maxUnpaidTokens: 64n,
    tokenCap: 1000n,
    minDuration: 600n,
    closeWindow: 60n,
    maxOpens: 10n,
    nonce: BigInt(random32()),
    expiry: BigInt(Math.floor(Date.now() / 1000) + 86_400),
    ...changes,
  };
}

/** What `openAgreement` takes for an offer the contributor signs now. */
export async function opening(
  contributor: ChainContext & { account: LocalAccount },
  offer: Offer,
  changes: Partial<AgreementToOpen> = {},
): Promise<AgreementToOpen> {
  return {
    offer,
    signature: await contributor.account.signTypedData(typedData(domainOf(contributor), "Offer", offer)),
    signer: privateKeyToAccount(generatePrivateKey()).address,
    amount: 1000n,
    deadline: (await chainTime(contributor)) + 700n,
    nonce: BigInt(random32()),
    ...changes,
  };
}

/** An agreement open on a fresh adapter, and who signs its receipts. */
export async function openAgreementOf(
  contributor: ChainContext & { account: LocalAccount },
  buyer: ChainContext,
  groups: number,
  changes: Partial<Offer> = {},
): Promise<{ agreementId: Hex; signer: LocalAccount; offer: Offer }> {
  const signer = privateKeyToAccount(generatePrivateKey());
  const offer = terms(contributor.account, await register(contributor, groups), changes);
  const request = await opening(contributor, offer, { signer: signer.address });
  return { agreementId: (await openAgreement(buyer, request)).agreementId, signer, offer };
}

/** A witness of the circuit with small random values. */
function anyWitness(): GroupWitness {
  const small = (): bigint[] => Array.from(randomBytes(KEY_SIZE), (byte) => BigInt(byte));
  const h = small();
  const s = small();
  return {
    yhat: h.reduce((sum, value, k) => sum + value * s[k]!, 0n),
    h,
    s,
    blind: BigInt(random32()) >> 8n,
  };
}

/** A signed receipt over statements made up here, and the proof of each. */
export async function provenReceipt(
  ctx: ChainContext,
  agreementId: Hex,
  signer: LocalAccount,
  groups: number,
  tokens: bigint,
): Promise<ReceiptToSettle> {
  const key = await loadProvingKey(KEY_SIZE);
  const curve = await loadCurve();
  const points = await decodeKeyPoints(curve, key.commitKey);
  const prover = new Prover(key);
  const statements: Uint8Array[] = [];
  const claims: ReceiptToSettle["claims"][number][] = [];
  for (let group = 0; group < groups; group++) {
    const witness = anyWitness();
    const V = await witnessStatement(curve, points, witness);
    claims.push({ group, ...(await prover.prove(witness, V)) });
    statements.push(V);
  }
  const receipt: Receipt = {
    agreementId,
    passes: 1n,
    tokens,
    head: random32(),
    statementsHash: statementsHash(statements),
  };
  const signature = await signer.signTypedData(typedData(domainOf(ctx), "Receipt", receipt));
  return { agreementId, receipt, signature, V: statements.map(pointWords), claims };
}
