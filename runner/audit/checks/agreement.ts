/** Registration, offer and opening, recomputed from calldata. */

import { STATUSES } from "../chain/contracts.ts";
import { checkSigned } from "../chain/transactions.ts";
import { adapterId, type Offer, offerDigest, offerHash, signerOf } from "../formats/messages.ts";
import type { Hex } from "../primitives/bytes.ts";
import { demand } from "../problem.ts";
import { operatorEvents, ownWithdrawals } from "../replay/course.ts";
import { openedBy, type Subject } from "../subject.ts";
import { difference } from "./compare.ts";

/** Every transaction that the agreement's course rests on is the one its sender signed. */
export async function checkTransactions(subject: Subject): Promise<string> {
  const registered = await subject.registeredEvent();
  const others = [...(await operatorEvents(subject)), ...(await ownWithdrawals(subject))];
  const hashes = new Set([...subject.events, registered, ...others].map(({ log }) => log.transactionHash));
  for (const hash of hashes) checkSigned(await subject.transaction(hash), subject.node.chainId);
  return `${hashes.size} transactions hash to their names and carry their senders' signatures`;
}

/** adapterId follows from the call, and event and registry say the same. */
export async function checkRegistration(subject: Subject): Promise<string> {
  const told = await subject.registered();
  const { registry } = subject.history.addresses;
  const { chainId } = subject.node;
  const computed = adapterId({ chainId, registry, ...told });
  demand(
    computed === told.adapterId,
    `the registration told of has the id ${computed}, not ${told.adapterId}`,
  );
  const call = await subject.registerCall();
  const { manifestHash, uri, verifier, groups, salt } = call.args;
  const asCalled = { contributor: call.from, manifestHash, uri, verifier, groups, salt };
  const different = difference(asCalled, told);
  demand(different === undefined, `the call and the event of the registration differ: ${different}`);
  const entry = await subject.entry();
  const stored = difference(entry, told);
  demand(stored === undefined, `the registry's entry and the event of the registration differ: ${stored}`);
  return `adapter ${told.adapterId} of ${told.contributor}: id recomputed; call, event and registry agree; ${told.groups} groups`;
}

/** The contributor signed the terms, and they allowed this opening. */
export async function checkOffer(subject: Subject): Promise<string> {
  const { contributor } = await subject.registered();
  const call = await subject.openCall();
  const { offer, offerSignature } = call.args as unknown as { offer: Offer; offerSignature: Hex };
  demand(offer.adapterId === subject.opened.adapterId, `the offer is for adapter ${offer.adapterId}`);
  const signer = signerOf(offerDigest(subject.domain, offer), offerSignature);
  demand(signer === contributor, `the offer is signed by ${signer}, not by the contributor ${contributor}`);
  const { timestamp } = call.transaction;
  const { deadline } = subject.opened;
  demand(timestamp <= offer.expiry, `the offer expired at ${offer.expiry} and was taken at ${timestamp}`);
  demand(
    deadline >= timestamp + offer.minDuration,
    `the deadline ${deadline} is earlier than the offer allows`,
  );
  checkOpens(subject, offer.maxOpens);
  return `signed by the contributor ${contributor}; taken within its terms at ${timestamp}`;
}

/** The offer was not cancelled before, nor taken as often as it can be. */
function checkOpens({ history, opened, openedEvent }: Subject, maxOpens: bigint): void {
  const earlier = history.events.slice(0, history.events.indexOf(openedEvent));
  const ofOffer = earlier.filter(({ args }) => args["offerHash"] === opened.offerHash);
  const taken = ofOffer.filter(({ name }) => name === "AgreementOpened").length;
  demand(BigInt(taken) < maxOpens, `the offer can be taken ${maxOpens} times, and had been ${taken} times`);
  const cancelled = ofOffer.find(({ name }) => name === "OfferCancelled");
  demand(cancelled === undefined, `the offer had been cancelled in ${cancelled?.log.transactionHash}`);
}

/** agreementId follows from the opening call, which paid in exactly fee and amount. */
export async function checkOpening(subject: Subject): Promise<string> {
  const call = await subject.openCall();
  const { offer, signer, amount, deadline, nonce } = call.args as unknown as typeof subject.opened;
  const hash = offerHash(offer);
  const computed = openedBy(call, subject.domain);
  demand(
    computed === subject.agreementId,
    `the opening call makes the agreement ${computed}, not ${subject.agreementId}`,
  );
  const asCalled = { buyer: call.from, offerHash: hash, offer, signer, amount, deadline, nonce };
  const different = difference(asCalled, subject.opened);
  demand(different === undefined, `the call and the event of the opening differ: ${different}`);
  const value = /^0x0+$/.test(offer.token) ? offer.openingFee + amount : 0n;
  demand(call.value === value, `the opening paid in ${call.value}, fee and amount are ${value}`);
  const stored = await subject.stored();
  const terms = {
    buyer: call.from,
    signer,
    amount,
    payout: offer.payout,
    token: offer.token,
    adapterId: offer.adapterId,
  };
  const other = difference(
    { ...terms, pricePerToken: offer.pricePerToken, closeWindow: offer.closeWindow },
    stored,
  );
  demand(other === undefined, `the escrow stores other terms than were agreed: ${other}`);
  demand(stored.status !== STATUSES[0], "the escrow does not know the agreement");
  return `id recomputed from the buyer ${call.from}, terms and nonce; event and storage agree`;
}
