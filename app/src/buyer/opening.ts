/** Accepting an offer with a wallet: terms fixed and checked first, then paid in, once. */
import { encodeFunctionData, erc20Abi } from "viem";
import { checkOfferTerms } from "../../../runner/buyer/opening/offer.ts";
import { readAgreement, readOfferState } from "../../../runner/chain/agreements.ts";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { deploymentDomain } from "../../../runner/chain/deploymentFile.ts";
import { balanceOf, isEth } from "../../../runner/chain/erc20.ts";
import { onChain } from "../../../runner/chain/errors.ts";
import { readAdapter } from "../../../runner/chain/registry.ts";
import type { Call } from "../../../runner/chain/transact.ts";
import { formatAmount } from "../../../runner/cli/amounts.ts";
import { readUintLE } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import { refuseDevKey } from "../../../runner/protocol/keyTrust.ts";
import { PROTOCOL_VERSION } from "../../../runner/protocol/tags.ts";
import { type Address, agreementId, offerHash } from "../../../runner/protocol/typedData.ts";
import { parseMessage, type SignedOffer, signedOfferSchema } from "../../../runner/wire/messages.ts";
import { openingSchema, type PreparedOpening } from "../../../runner/wire/opening.ts";
import { checkStored } from "../adapters/registration.ts";
import { readShownToken } from "../chain/shownToken.ts";
import { escrowCall } from "../transactions/escrowCall.ts";
import { exclusively } from "../transactions/exclusive.ts";
import type { TransactionRecord } from "../transactions/record.ts";
import { lockName, resume, type Sending, sendLocked } from "../transactions/send.ts";
import { keyOfVerifier, type ReleaseKey } from "../verification/releaseKey.ts";

/** Under which the transactions of an opening are remembered. */
export function openPurpose({ agreementId: id }: Pick<PreparedOpening, "agreementId">): string {
  return `open-${id}`;
}

/** The id the escrow gives an opening. */
function idOf(opening: Omit<PreparedOpening, "agreementId">): PreparedOpening["agreementId"] {
  const { chainId, escrow, buyer, offer, signer, amount, deadline, nonce } = opening;
  return agreementId({
    chainId,
    escrow,
    buyer,
    offerHash: offerHash(offer),
    signer,
    amount,
    deadline,
    nonce,
  });
}

/** Fixes the terms of an opening; its nonce, and so its id, is fresh. */
export function prepareOpening(
  { deployment }: Pick<ChainContext, "deployment">,
  terms: { buyer: Address; signed: SignedOffer; signer: Address; amount: bigint; deadline: bigint },
): PreparedOpening {
  const { signed, buyer, signer, amount, deadline } = terms;
  const opening: Omit<PreparedOpening, "agreementId"> = {
    protocol: PROTOCOL_VERSION,
    ...deploymentDomain(deployment),
    buyer,
    offer: signed.offer,
    offerSignature: signed.signature,
    signer,
    amount,
    deadline,
    nonce: readUintLE(crypto.getRandomValues(new Uint8Array(32)), 0, 32),
  };
  return { ...opening, agreementId: idOf(opening) };
}

/**
 * A signed offer or a prepared opening, from the text a person pasted or dropped.
 * @throws DeltapayError `wire/malformed` naming the field
 */
export function readOfferOrOpening(
  text: string,
): { kind: "offer"; signed: SignedOffer } | { kind: "opening"; opening: PreparedOpening } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new DeltapayError("wire/malformed", "this is not JSON", {
      field: "offer",
      hint: "paste the whole text of the signed offer, or of the opening your client prepared",
    });
  }
  if (typeof json === "object" && json !== null && "agreementId" in json)
    return { kind: "opening", opening: parseMessage(openingSchema, json, "opening") };
  // What the command line prints of an offer holds more than the offer.
  const { offer, signature } = (json ?? {}) as { offer?: unknown; signature?: unknown };
  return { kind: "offer", signed: parseMessage(signedOfferSchema, { offer, signature }, "offer") };
}

export interface CheckedOpening {
  /** The release's key that proofs of the adapter are made under. */
  key: ReleaseKey;
  groups: number;
  contributor: Address;
  /** Times the offer can still be taken. */
  opensLeft: bigint;
}

/**
 * Whether an offer can be taken now: its adapter, verifier and key, its signature, terms and uses.
 * @throws DeltapayError `adapter/...`, `chain/unknown-verifier`, `key/dev-key`, `signature/...`, `offer/...`, `chain/...`
 */
export async function checkSignedOffer(
  ctx: ChainContext,
  release: readonly ReleaseKey[],
  signed: SignedOffer,
  terms: { now: bigint; amount?: bigint },
): Promise<CheckedOpening> {
  const { adapterId } = signed.offer;
  const adapter = await readAdapter(ctx, adapterId);
  ensure(adapter !== undefined, "adapter/not-registered", `adapter ${adapterId} is not in the registry`, {
    field: "offer.adapterId",
    hint: "the offer is for another chain or deployment: ask the contributor",
  });
  const key = keyOfVerifier(release, adapter.verifier, adapter.verifierCodeHash);
  ensure(key !== undefined, "chain/unknown-verifier", "the adapter's verifier is none of this release", {
    field: "verifier",
    hint: "do not pay for this adapter: its verifier can accept whatever its maker likes",
  });
  refuseDevKey(key.trust, ctx.chainId);
  await checkStored(ctx, adapterId, adapter);
  const domain = deploymentDomain(ctx.deployment);
  const { contributor, groups } = adapter;
  await checkOfferTerms(signed, { domain, adapterId, contributor, ...terms });
  const { opens, cancelled } = await readOfferState(ctx, signed.offer);
  ensure(!cancelled, "offer/cancelled", "the contributor has cancelled this offer", {
    field: "offer",
    hint: "ask for another",
  });
  const opensLeft = signed.offer.maxOpens > opens ? signed.offer.maxOpens - opens : 0n;
  return { key, groups, contributor, opensLeft };
}

/**
 * Whether an opening is what this account can send here now. Its signature and id are checked again: it may come from a file.
 * @throws DeltapayError `opening/...`, and as `checkSignedOffer`
 */
export async function checkOpening(
  ctx: ChainContext,
  release: readonly ReleaseKey[],
  opening: PreparedOpening,
  { account, now }: { account: Address; now: bigint },
): Promise<CheckedOpening> {
  const { offer, offerSignature, amount, deadline, buyer, signer } = opening;
  const domain = deploymentDomain(ctx.deployment);
  ensure(
    opening.chainId === domain.chainId && opening.escrow.toLowerCase() === domain.escrow.toLowerCase(),
    "opening/other-deployment",
    `the opening is for escrow ${opening.escrow} on chain ${opening.chainId}`,
    { field: "opening.escrow", hint: "open the page of that deployment" },
  );
  ensure(
    idOf(opening) === opening.agreementId.toLowerCase(),
    "opening/other-id",
    "the opening's terms are not those its id was made of",
    { field: "opening.agreementId", hint: "prepare it again" },
  );
  ensure(
    buyer.toLowerCase() === account.toLowerCase(),
    "opening/other-buyer",
    `the opening was prepared for ${buyer}, the wallet holds ${account}`,
    { field: "opening.buyer", hint: "choose that account in the wallet" },
  );
  ensure(BigInt(signer) !== 0n, "opening/no-signer", "receipts need a signer", { field: "opening.signer" });
  const signed = { offer, signature: offerSignature };
  const checked = await checkSignedOffer(ctx, release, signed, { now, amount });
  const { status } = await readAgreement(ctx, opening.agreementId);
  if (status !== "none") return checked;
  ensure(checked.opensLeft > 0n, "offer/exhausted", "the offer was taken as often as it allows", {
    field: "offer.maxOpens",
    hint: "ask for another",
  });
  ensure(
    deadline >= now + offer.minDuration,
    "opening/deadline",
    "the deadline is earlier than the offer allows",
    { field: "deadline", hint: "choose a later one, or prepare the opening again" },
  );
  const total = amount + offer.openingFee;
  const [held, token] = await Promise.all([
    balanceOf(ctx, offer.token, account),
    readShownToken(ctx, offer.token),
  ]);
  ensure(
    held >= total,
    "opening/balance",
    `the account holds ${formatAmount(held, token)}, the opening takes ${formatAmount(total, token)}`,
    {
      field: "amount",
      hint: "pay in less, or send the account more",
    },
  );
  return checked;
}

/** Lets the escrow take exactly the sum; some tokens refuse to change an allowance that is not zero. */
async function approvals(
  ctx: ChainContext,
  token: Address,
  owner: Address,
  total: bigint,
): Promise<{ label: string; call: Call }[]> {
  const spender = ctx.deployment.escrow;
  const allowed = await onChain(ctx, () =>
    ctx.publicClient.readContract({
      address: token,
      abi: erc20Abi,
      functionName: "allowance",
      args: [owner, spender],
    }),
  );
  if (allowed === total) return [];
  const approve = (label: string, value: bigint) => ({
    label,
    call: {
      to: token,
      data: encodeFunctionData({ abi: erc20Abi, functionName: "approve", args: [spender, value] }),
    },
  });
  return [
    ...(allowed > 0n ? [approve("Take back an older allowance", 0n)] : []),
    ...(total > 0n ? [approve("Approve the sum", total)] : []),
  ];
}

/** Makes the call that submits a signed permit for the sum; asked only when the allowance is not there yet. */
export type MakePermit = (total: bigint) => Promise<Call>;

/**
 * Pays in and opens. Repeating it is safe: an opening that is on chain, or on its way, is not sent again.
 * @param opening checked before
 * @param permit for tokens that take one; default: `approve`
 * @returns transactions confirmed during this call
 * @throws DeltapayError `contract/...`, `wallet/...`, `transaction/...`, `tab/busy`, `chain/...`
 */
export function openByWallet(
  sending: Sending,
  opening: PreparedOpening,
  permit?: MakePermit,
): Promise<TransactionRecord[]> {
  const { ctx, wallet } = sending;
  const purpose = openPurpose(opening);
  const { offer, offerSignature, signer, amount, deadline, nonce } = opening;
  const total = amount + offer.openingFee;
  return exclusively(sending.locks, lockName(sending, purpose), async () => {
    const done: TransactionRecord[] = [];
    const send = async (label: string, call: Call): Promise<void> => {
      done.push(await sendLocked(sending, { purpose, label, call }));
    };
    const earlier = await resume(sending, purpose);
    if (earlier !== undefined) done.push(earlier);
    // A node that lags behind the one that told of its block must not have it paid again.
    if (earlier?.to.toLowerCase() === ctx.deployment.escrow.toLowerCase()) return done;
    if ((await readAgreement(ctx, opening.agreementId)).status !== "none") return done;
    const eth = isEth(offer.token);
    if (!eth) {
      const calls = await approvals(ctx, offer.token, wallet.address, total);
      if (calls.length > 0 && permit !== undefined) await send("Submit the permit", await permit(total));
      else for (const { label, call } of calls) await send(label, call);
    }
    const args = [offer, offerSignature, signer, amount, deadline, nonce] as const;
    await send("Open the agreement", escrowCall(ctx, "open", args, eth ? total : undefined));
    return done;
  });
}
