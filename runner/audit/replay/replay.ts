/** The agreement's transactions once more, on the fresh network: the same results, events, states and money. */

import type { Call } from "../chain/calls.ts";
import { ESCROW, REGISTRY, VERIFIER } from "../chain/contracts.ts";
import { type ChainEvent, eventOf, isAbout } from "../chain/history.ts";
import type { Log } from "../chain/logs.ts";
import { quantity } from "../chain/node.ts";
import type { MinedTransaction } from "../chain/transactions.ts";
import type { Hex } from "../primitives/bytes.ts";
import { demand, Wrong } from "../problem.ts";
import type { Subject } from "../subject.ts";
import { courseOf } from "./course.ts";
import type { ReplayedReceipt, ReplayNetwork } from "./network.ts";
import { STAND_IN_TOKEN } from "./standInToken.ts";

type OnCall = (done: number, total: number) => void;

type Told = ReplayedReceipt["logs"][number];

const asText = ({ address, topics, data }: Told): string =>
  [address.toLowerCase(), ...topics, data].join(" ");

/** What a replayed call told: all of it was wanted. */
function toldAgain({ history }: Subject, { logs }: ReplayedReceipt): string[] {
  const ours = Object.values(history.addresses);
  return logs.filter(({ address }) => ours.includes(address.toLowerCase())).map(asText);
}

const placeOf = ({ transactionHash, logIndex }: Log): string => `${transactionHash}/${logIndex}`;

/** What a transaction told then, but for what it did for others: a contract may do both in one. */
async function toldThen(
  subject: Subject,
  { logs }: MinedTransaction,
  withdrawals: readonly ChainEvent[],
): Promise<string[]> {
  const { contributor } = await subject.registered();
  const own = new Set(withdrawals.map(({ log }) => placeOf(log)));
  const concerns = (event: ChainEvent): boolean => {
    const { name, args, log } = event;
    if (name === "AdapterRegistered") return args["adapterId"] === subject.opened.adapterId;
    if (name === "OperatorSet") return args["contributor"] === contributor;
    if (name === "Withdrawn") return own.has(placeOf(log));
    return isAbout(event, subject.agreementId);
  };
  return logs.flatMap((log) => {
    const event = eventOf(log, subject.history.addresses);
    return event !== undefined && concerns(event) ? [asText(log)] : [];
  });
}

/**
 * Feeds the calls from the accounts that made them, at the same times, and compares.
 * @throws Wrong naming the transaction that went otherwise
 */
export async function checkReplay(subject: Subject, network: ReplayNetwork, onCall: OnCall): Promise<string> {
  const { calls, withdrawals } = await courseOf(subject);
  const { token } = subject.opened.offer;
  const isEth = /^0x0+$/.test(token);
  if (!isEth) await network.request("hardhat_setCode", [token, STAND_IN_TOKEN]);
  const { escrow } = subject.history.addresses;
  const before = isEth ? BigInt(await network.request<Hex>("eth_getBalance", [escrow, "latest"])) : 0n;
  let logs: string[] = [];
  for (const [i, call] of calls.entries()) {
    const { transaction, contract, from, data, value, name } = call;
    const to = subject.history.addresses[contract];
    if (name === "settle") await checkSeed(subject, network, call);
    const receipt = await network
      .send({ from, to, data, value }, transaction.timestamp)
      .catch((error: Error) => {
        throw asReverted(error, call);
      });
    demand(BigInt(receipt.status) === 1n, `${name} of ${transaction.hash} fails when it is replayed`);
    logs.push(...toldAgain(subject, receipt));
    onCall(i + 1, calls.length);
    if (calls[i + 1]?.transaction.hash === transaction.hash) continue;
    const original = await toldThen(subject, transaction, withdrawals);
    demand(
      logs.join("\n") === original.join("\n"),
      `${name} of ${transaction.hash} tells other events when it is replayed`,
    );
    logs = [];
  }
  await compareStates(subject, network);
  const money = await compareMoney(subject, network, withdrawals, before);
  return `${calls.length} calls replayed at their times: the same results and events, the same states; ${money}`;
}

function asReverted(error: Error, { name, transaction }: Call): Error {
  const reason = error.message.split("\n")[0]!.slice(0, 200);
  if (!/revert/i.test(reason)) return error;
  return new Wrong(`${name} of ${transaction.hash} reverts when it is replayed: ${reason}`);
}

/** The release's verifier accepts the call's claims with the seed recomputed here. */
async function checkSeed(subject: Subject, network: ReplayNetwork, call: Call): Promise<void> {
  const settle = (await subject.settleCalls()).find((one) => one.call === call);
  if (settle === undefined) return;
  const { V, claims } = settle;
  const seed = await subject.seedOf(settle);
  const { verifier } = await subject.registered();
  const statements = claims.map(({ group }) => V[Number(group)]);
  const data = VERIFIER.encodeFunctionData("verifyBatch", [seed, statements, claims]);
  const answer = await network.request<Hex>("eth_call", [{ to: verifier, data }, "latest"]);
  demand(
    BigInt(answer) === 1n,
    `the release's verifier refuses the batch of ${call.transaction.hash} with the seed ${seed}`,
  );
}

/** Views that must give the same bytes on both chains. */
async function compareStates(subject: Subject, network: ReplayNetwork): Promise<void> {
  const { node, agreementId, opened, history } = subject;
  const { registry, escrow } = history.addresses;
  const views: [string, Hex, Hex][] = [
    ["the agreement", escrow, ESCROW.encodeFunctionData("agreements", [agreementId])],
    ["the adapter", registry, REGISTRY.encodeFunctionData("adapters", [opened.adapterId])],
  ];
  const { groups } = await subject.registered();
  for (const receiptHash of new Set((await subject.settleCalls()).map((call) => call.receiptHash)))
    for (let word = 0n; word << 8n < groups; word++)
      views.push([
        `groups settled of receipt ${receiptHash}`,
        escrow,
        ESCROW.encodeFunctionData("settledGroups", [agreementId, receiptHash, word]),
      ]);
  for (const [what, to, data] of views) {
    const original = await node.request<Hex>("eth_call", [{ to, data }, quantity(node.block)]);
    const replayed = await network.request<Hex>("eth_call", [{ to, data }, "latest"]);
    demand(original === replayed, `the state of ${what} is another after the replay`);
  }
}

/** What came in less what was withdrawn is what the replayed escrow holds. */
async function compareMoney(
  subject: Subject,
  network: ReplayNetwork,
  withdrawals: readonly ChainEvent[],
  before: bigint,
): Promise<string> {
  const { token, openingFee } = subject.opened.offer;
  const { escrow } = subject.history.addresses;
  const withdrawn = withdrawals.reduce((sum, { args }) => sum + (args["amount"] as bigint), 0n);
  const expected = before + openingFee + subject.opened.amount - withdrawn;
  const balance = /^0x0+$/.test(token)
    ? BigInt(await network.request<Hex>("eth_getBalance", [escrow, "latest"]))
    : BigInt(
        await network.request<Hex>("eth_call", [
          { to: token, data: `0x70a08231${escrow.slice(2).padStart(64, "0")}` },
          "latest",
        ]),
      );
  demand(
    balance === expected,
    `the replayed escrow holds ${balance}, after the same calls it must hold ${expected}`,
  );
  return `${withdrawn} withdrawn, ${balance} left in the escrow`;
}
