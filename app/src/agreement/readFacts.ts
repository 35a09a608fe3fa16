/** Everything a node can be asked about one agreement: events, the transactions they came from, what is stored now. */

import { keccak256 } from "viem";
import { readAgreement } from "../../../runner/chain/agreements.ts";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { deploymentDomain } from "../../../runner/chain/deploymentFile.ts";
import { onChain } from "../../../runner/chain/errors.ts";
import { type Found, findEvents } from "../../../runner/chain/events.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import { groupsOfBits } from "../chain/groupBits.ts";
import { readShownToken } from "../chain/shownToken.ts";
import { failureOf } from "../failure.ts";
import { eventsOf } from "./agreementEvents.ts";
import type { AgreementFacts, OpeningFacts, ReceiptFacts, Registration, Submission } from "./facts.ts";
import { type Places, readPlaces } from "./places.ts";
import { decodeOfferSignature, decodeSettleCall } from "./settleCall.ts";

/** Hears how far the reading is. */
export type OnStep = (step: string) => void;

type Log = { transactionHash: Hex };

function lost(what: string, agreementId: Hex): DeltapayError {
  return new DeltapayError("audit/no-event", `the node has the agreement, but no event of its ${what}`, {
    field: agreementId,
    hint: "the deployment's start block is too late, or the node forgot old blocks: ask another node",
  });
}

async function readOpening(
  ctx: ChainContext,
  agreementId: Hex,
): Promise<Found<"escrow", "AgreementOpened">[number]> {
  const [event] = await findEvents(ctx, "escrow", "AgreementOpened", { agreementId }, { most: 1 });
  if (event === undefined) throw lost("opening", agreementId);
  return event;
}

function foldSubmissions(
  ctx: ChainContext,
  events: Found<"escrow", "GroupsSettled">,
  places: Places,
): Submission[] {
  const domain = deploymentDomain(ctx.deployment);
  const calls = new Map<string, Submission>();
  for (const { args, transactionHash } of events) {
    const id = `${transactionHash}/${args.receiptHash}`;
    let submission = calls.get(id);
    if (submission === undefined) {
      const { place, sent } = places.of(transactionHash);
      submission = {
        receiptHash: args.receiptHash,
        settler: args.settler,
        groups: [],
        at: place,
        call: null,
      };
      try {
        submission.call = decodeSettleCall(domain, sent, args.receiptHash);
      } catch (error) {
        submission.problem = failureOf(error);
      }
      calls.set(id, submission);
    }
    submission.groups.push(...groupsOfBits(args.word, args.bits));
  }
  return [...calls.values()];
}

function foldReceipts(
  submissions: readonly Submission[],
  settled: Found<"escrow", "ReceiptSettled">,
  places: Places,
): ReceiptFacts[] {
  const receipts = new Map<Hex, ReceiptFacts>();
  for (const submission of submissions) {
    const { receiptHash } = submission;
    const receipt = receipts.get(receiptHash) ?? { receiptHash, submissions: [], settled: null };
    receipt.submissions.push(submission);
    receipts.set(receiptHash, receipt);
  }
  for (const [position, { args, transactionHash }] of settled.entries()) {
    const { passes, tokens, head, statementsHash, credited, paid } = args;
    const receipt = receipts.get(args.receiptHash) ?? {
      receiptHash: args.receiptHash,
      submissions: [],
      settled: null,
    };
    receipt.settled = {
      passes,
      tokens,
      head,
      statementsHash,
      credited,
      paid,
      position,
      at: places.of(transactionHash).place,
    };
    receipts.set(args.receiptHash, receipt);
  }
  return [...receipts.values()];
}

async function readCode(ctx: ChainContext, address: Hex): Promise<Hex | null> {
  const code = await onChain(ctx, () => ctx.publicClient.getCode({ address }));
  return code === undefined ? null : keccak256(code);
}

/**
 * Reads an agreement's whole history from a node.
 * @throws DeltapayError `agreement/unknown`, `audit/no-event`, `chain/...`
 */
export async function readFacts(
  ctx: ChainContext,
  agreementId: Hex,
  onStep: OnStep = () => {},
): Promise<AgreementFacts> {
  const { deployment, publicClient } = ctx;
  onStep("asking for the agreement");
  const head = await onChain(ctx, () => publicClient.getBlock());
  const now = await readAgreement(ctx, agreementId, head.number);
  ensure(now.status !== "none", "agreement/unknown", `there is no agreement ${agreementId}`, {
    field: "agreementId",
    hint: "check the id and the chain",
  });
  const { adapterId } = now;
  onStep("looking for its opening");
  const opened = await readOpening(ctx, agreementId);
  const [registered] = await findEvents(ctx, "registry", "AdapterRegistered", { adapterId }, { most: 1 });
  if (registered === undefined) throw lost("adapter's registration", agreementId);
  onStep("looking for receipts and withdrawals");
  const events = await eventsOf(ctx, agreementId, now, {
    fromBlock: opened.blockNumber,
    toBlock: head.number,
  });
  const logs: Log[] = [opened, registered, ...Object.values(events).flat()];
  const places = await readPlaces(ctx, logs, (done, total) =>
    onStep(`reading transactions, ${done} of ${total}`),
  );
  onStep("comparing code");
  const [token, verifier, registry, escrow] = await Promise.all([
    readShownToken(ctx, now.token),
    readCode(ctx, registered.args.verifier),
    readCode(ctx, deployment.registry),
    readCode(ctx, deployment.escrow),
  ]);
  const at = (log: Log) => places.of(log.transactionHash).place;
  const { offer, ...opening } = opened.args;
  const returned = events.refunded[0] ?? events.released[0];
  const facts: AgreementFacts = {
    agreementId,
    chainId: ctx.chainId,
    escrow: deployment.escrow,
    registry: deployment.registry,
    head: { number: head.number, hash: head.hash, time: head.timestamp },
    now,
    token,
    registration: { ...(registered.args satisfies Omit<Registration, "at">), at: at(registered) },
    opening: {
      ...(opening satisfies Omit<OpeningFacts, "offer" | "offerSignature" | "at">),
      offer,
      offerSignature: decodeOfferSignature(deployment.escrow, places.of(opened.transactionHash).sent),
      at: at(opened),
    },
    receipts: foldReceipts(foldSubmissions(ctx, events.groups, places), events.settled, places),
    closing: events.closing[0]
      ? { deadline: events.closing[0].args.deadline, at: at(events.closing[0]) }
      : null,
    returned: returned
      ? {
          how: returned.eventName === "AgreementRefunded" ? "refunded" : "released",
          amount: returned.args.amount,
          at: at(returned),
        }
      : null,
    withdrawals: events.withdrawn
      .map((event) => ({
        account: event.args.account,
        to: event.args.to,
        amount: event.args.amount,
        at: at(event),
      }))
      .sort((a, b) => Number(a.at.blockNumber - b.at.blockNumber)),
    code: { verifier, registry, escrow },
  };
  ensure(
    facts.opening.adapterId === adapterId,
    "audit/contradiction",
    "event and storage name two adapters",
    {
      field: "adapterId",
      hint: "this node's answers contradict each other: ask another",
    },
  );
  return facts;
}
