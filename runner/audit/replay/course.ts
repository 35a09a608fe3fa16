/** What of the chain's history is replayed for one agreement. */
import type { Call } from "../chain/calls.ts";
import type { ChainEvent } from "../chain/history.ts";
import { inOrder } from "../chain/transactions.ts";
import type { Hex } from "../primitives/bytes.ts";
import { Missing } from "../problem.ts";
import type { Subject } from "../subject.ts";

/** What is replayed: the calls that the agreement's course depends on, oldest first, and the withdrawals among them. */
export interface Course {
  calls: Call[];
  withdrawals: ChainEvent[];
}

/** @throws Missing when the operator that settled was set before the events that were read */
export async function courseOf(subject: Subject): Promise<Course> {
  const { contributor } = await subject.registered();
  const operators = await operatorEvents(subject);
  await requireOperators(subject, contributor, operators);
  const withdrawals = await ownWithdrawals(subject);
  // a transaction may have several such calls, and then each event finds all of them
  const wanted = new Set<Call>([...(await subject.calls()), await subject.registerCall()]);
  const add = async ({ log }: ChainEvent, isIt: (call: Call) => boolean): Promise<void> => {
    for (const call of await subject.callsIn(log.transactionHash)) if (isIt(call)) wanted.add(call);
  };
  for (const event of operators)
    await add(event, ({ name, from }) => name === "setOperator" && from === contributor);
  for (const event of withdrawals) {
    const call = await withdrawalCall(subject, event);
    if (call !== undefined) wanted.add(call);
  }
  const calls = [...wanted].sort((a, b) => inOrder(a.transaction, b.transaction) || a.position - b.position);
  return { calls, withdrawals };
}

/** The call that told of a withdrawal: an account can make several in one transaction, and each tells one. */
async function withdrawalCall(subject: Subject, event: ChainEvent): Promise<Call | undefined> {
  const { account, token } = event.args;
  const { transactionHash } = event.log;
  const told = subject.history.events.filter(
    ({ name, args, log }) =>
      name === "Withdrawn" &&
      log.transactionHash === transactionHash &&
      args["account"] === account &&
      args["token"] === token,
  );
  const calls = (await subject.callsIn(transactionHash)).filter(
    ({ name, from, args }) => name === "withdraw" && from === account && args["token"] === token,
  );
  return calls[told.indexOf(event)];
}

/** Operators that the contributor set or took back up to the agreement's last event. */
export async function operatorEvents(subject: Subject): Promise<ChainEvent[]> {
  const { history, events } = subject;
  const { contributor } = await subject.registered();
  const last = events.at(-1)!.log.blockNumber;
  return history.events.filter(
    ({ name, args, log }) =>
      name === "OperatorSet" && args["contributor"] === contributor && log.blockNumber <= last,
  );
}

async function requireOperators(subject: Subject, contributor: Hex, known: ChainEvent[]): Promise<void> {
  if (subject.isWhole) return;
  for (const { name, from, transaction } of await subject.calls())
    if (name === "settle" && from !== contributor && !known.some(({ args }) => args["operator"] === from))
      throw new Missing(
        `${from} settled in ${transaction.hash}; whether the contributor had made it an operator before block ${subject.history.from} was not read`,
      );
}

/** What an account's credit is made of. */
interface Credit {
  own: bigint;
  others: boolean;
}

/**
 * Withdrawals of nothing but this agreement's money: others depend on other agreements, and the ledger judges them. Money
 * that went with others' is still credited in a replay, so that it gives the account's later withdrawals otherwise.
 */
export async function ownWithdrawals({ agreementId, opened, ledger }: Subject): Promise<ChainEvent[]> {
  const accounts = [opened.offer.payout, opened.buyer];
  const credits = new Map<Hex, Credit>();
  const found: ChainEvent[] = [];
  for (const { event, token, account, agreementId: by, amount } of (await ledger()).entries) {
    if (token !== opened.offer.token || !accounts.includes(account)) continue;
    const credit = credits.get(account) ?? { own: 0n, others: false };
    credits.set(account, credit);
    if (by === agreementId) credit.own += amount;
    else if (by !== undefined) credit.others ||= amount > 0n;
    else if (credit.own === 0n) credit.others = false;
    else if (credit.others || amount !== credit.own) credit.others = true;
    else {
      found.push(event);
      credit.own = 0n;
    }
  }
  return found;
}
