/** What was told and paid, against what the calls and the rules give. */

import { Interface } from "ethers";
import { ESCROW } from "../chain/contracts.ts";
import { eventOf } from "../chain/history.ts";
import type { ExpectedEvent } from "../chain/model.ts";
import { demand, Missing } from "../problem.ts";
import type { Subject } from "../subject.ts";
import { difference } from "./compare.ts";

const AMOUNTS = ["credited", "paid", "amount"];

const isEth = (token: string): boolean => /^0x0+$/.test(token);

function withoutAmounts({ args }: ExpectedEvent, name: string): object {
  if (name === "AgreementOpened") return args;
  return Object.fromEntries(Object.entries(args).filter(([field]) => !AMOUNTS.includes(field)));
}

/** The escrow told, in this order, what the calls give; no other contract's word was taken for its own. */
export async function checkEvents(subject: Subject): Promise<string> {
  const { foreign, addresses } = subject.history;
  const stranger = foreign[0];
  demand(
    stranger === undefined,
    `the node passes off an event of ${stranger?.address} in ${stranger?.transactionHash} as one of the escrow's or the registry's`,
  );
  const { events: expected } = await subject.model();
  const told = subject.events;
  for (const [i, event] of expected.entries()) {
    const found = told[i];
    demand(
      found !== undefined,
      `the calls give ${expected.length} events, told are ${told.length}: ${event.name} is missing`,
    );
    const where = `event ${i + 1}, in ${found.log.transactionHash}`;
    demand(found.name === event.name, `${where}, is ${found.name} where the calls give ${event.name}`);
    const different = difference(withoutAmounts(event, event.name), found.args);
    demand(different === undefined, `${where}, ${event.name}: ${different}`);
  }
  const extra = told[expected.length];
  demand(extra === undefined, `${extra?.name} in ${extra?.log.transactionHash} follows from no call`);
  for (const { name, log } of told) {
    const { logs } = await subject.transaction(log.transactionHash);
    const same = logs.find(({ logIndex }) => logIndex === log.logIndex);
    const event = same && eventOf(same, addresses);
    const isTold =
      event?.name === name && same?.data === log.data && same.topics.join() === log.topics.join();
    demand(isTold, `${name} is not among the events of its transaction ${log.transactionHash}`);
  }
  return `${told.length} events, each as its call gives it: ${told.map(({ name }) => name).join(", ")}`;
}

/** min(tokens · price, amount) less what was paid before; what is left to the buyer; and the escrow's storage says so. */
export async function checkMoney(subject: Subject): Promise<string> {
  const { events: expected, state } = await subject.model();
  for (const [i, { name, args }] of expected.entries()) {
    const found = subject.events[i];
    if (found?.name !== name) continue;
    for (const field of AMOUNTS)
      demand(
        args[field] === undefined || args[field] === found.args[field],
        `${name} in ${found.log.transactionHash} says ${field} = ${String(found.args[field])}, due are ${String(args[field])}`,
      );
  }
  const stored = await subject.stored();
  const { status, deadline, paid } = state;
  const different = difference({ status, deadline, paid }, stored);
  demand(different === undefined, `the calls and the escrow's storage differ: ${different}`);
  const { amount, offer } = subject.opened;
  return `${paid} of ${amount} paid for, at ${offer.pricePerToken} a token; status ${status}; storage agrees`;
}

/** Credits and withdrawals of buyer and payout over all agreements; the escrow holds what it owes. */
export async function checkLedger(subject: Subject): Promise<string> {
  const { history, opened, node } = subject;
  if (!subject.isWhole)
    throw new Missing(`the ledger needs all events, and those before block ${history.from} were not read`);
  const ledger = await subject.ledger();
  const { escrow } = history.addresses;
  const { token, payout } = opened.offer;
  const accounts = [...new Set([payout, opened.buyer])];
  for (const { event, token: of, account, agreementId, amount, before } of ledger.entries) {
    if (agreementId !== undefined || of !== token || !accounts.includes(account)) continue;
    demand(
      amount === before,
      `${account} withdrew ${amount} in ${event.log.transactionHash}, its credit was ${before}`,
    );
  }
  for (const account of accounts) {
    const credit = await node.view<bigint>(escrow, ESCROW, "credits", [token, account]);
    const due = ledger.credit(token, account);
    demand(credit === due, `the escrow credits ${account} with ${credit}, its events with ${due}`);
  }
  const held = ledger.held(token);
  const balance = isEth(token) ? await node.balance(escrow) : await tokenBalance(subject);
  demand(balance >= held, `the escrow owes ${held} and has ${balance}`);
  return `withdrawals are whole credits; ${accounts.length} credits recomputed; the escrow owes ${held} in all and has ${balance}`;
}

const ERC20 = new Interface(["function balanceOf(address account) view returns (uint256)"]);

const tokenBalance = ({ node, opened, history }: Subject): Promise<bigint> =>
  node.view<bigint>(opened.offer.token, ERC20, "balanceOf", [history.addresses.escrow]);

/** A token's own code and storage are foreign: what it does with balances cannot be vouched for. */
export function checkToken({ opened }: Subject): string {
  const { token } = opened.offer;
  if (isEth(token)) return "the agreement is in ETH";
  throw new Missing(
    `code and storage of the ERC-20 ${token} are foreign: that it moved what it was told to is its own word`,
  );
}
