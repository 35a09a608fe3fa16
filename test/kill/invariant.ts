/**
 * What must hold for the money of two parties whatever was killed and whenever. Nothing is asked of the parties: judged
 * are their databases, what left them (the logs of the processes), and what both were before.
 */

import { keccak256 } from "viem";
import { PATHS } from "../../runner/wire/paths.ts";
import type { BuyerRows, ContributorRows, Receipt } from "./databases.ts";
import { receiptOf } from "./databases.ts";
import type { LogLine } from "./faultPlan.ts";

const PASS = new RegExp(`^${PATHS.pass.replace(":pass", "(\\d+)")}$`);

/** One contributor and one buyer, over all the lives of their processes. */
export class MoneyInvariant {
  readonly maxUnpaidTokens: number;
  /** Most tokens that were served beyond the receipt before them. */
  unpaidTokensMax = 0;
  /** Tokens or deposits that were, or would be, paid twice. */
  doublePaid = 0;
  readonly errors: string[] = [];
  /** Where the last kill was; errors say so. */
  lastKill = "the start";
  readonly #failed = new Set<string>();
  readonly #seen = new Map<string, string>();
  readonly #receipts = new Map<string, string>();
  /** Receipts and transactions that left a process. */
  readonly #sentReceipts: Receipt[] = [];
  readonly #sentTransactions: { hash: string; role: string }[] = [];
  readonly #answered: { agreement: string; pass: number }[] = [];
  readonly #acknowledged: { agreement: string; passes: number }[] = [];

  constructor(maxUnpaidTokens: number) {
    this.maxUnpaidTokens = maxUnpaidTokens;
  }

  #fail(what: string): void {
    if (this.#failed.has(what)) return;
    this.#failed.add(what);
    this.errors.push(`${what} (last kill: ${this.lastKill})`);
  }

  /** What never changes once seen. */
  #same(what: string, content: string): void {
    const before = this.#seen.get(what);
    if (before !== undefined && before !== content) this.#fail(`${what} changed`);
    this.#seen.set(what, content);
  }

  /** Takes in what left a process. @param agreement the one under way */
  heard(role: string, agreement: string | undefined, lines: readonly LogLine[]): void {
    for (const line of lines) {
      if ("transaction" in line)
        this.#sentTransactions.push({ role, hash: keccak256(line.transaction as `0x${string}`) });
      if ("sent" in line && line.path === PATHS.receipts) {
        const { receipt } = JSON.parse(Buffer.from(line.body, "base64").toString());
        this.#sentReceipts.push(receiptOf(receipt));
      }
      if ("answered" in line && line.status === 200) this.#heardAnswer(line, agreement);
    }
  }

  #heardAnswer(line: Extract<LogLine, { answered: string }>, agreement: string | undefined): void {
    const pass = PASS.exec(line.path)?.[1];
    if (pass !== undefined && agreement !== undefined) this.#answered.push({ agreement, pass: Number(pass) });
    if (line.path === PATHS.receipts) {
      const { agreementId, receipt } = JSON.parse(line.json);
      this.#acknowledged.push({ agreement: agreementId, passes: receipt.passes });
    }
  }

  /** Judges both databases; one of the two parties at least stands still. */
  check(contributor: ContributorRows, buyer: BuyerRows): void {
    this.#passesStay(contributor);
    this.#bothAgree(contributor, buyer);
    this.#unpaidBounded(contributor);
    this.#oneReceiptForPasses(contributor, buyer);
    this.#durableBeforeSeen(contributor, buyer);
    this.#settleable(contributor);
  }

  /** A pass keeps its salt and its answers for ever, and is counted once. */
  #passesStay({ agreements, passes, answers, proofs }: ContributorRows): void {
    for (const { agreement, pass, salt, tokens } of passes)
      this.#same(`pass ${pass} of ${agreement}`, `${salt} ${tokens}`);
    for (const { agreement, pass, module, x, y } of answers)
      this.#same(`answer of module ${module} in pass ${pass} of ${agreement}`, `${x} ${y}`);
    for (const { id, tokens, passes: finished } of agreements) {
      const own = passes.filter(({ agreement }) => agreement === id);
      if (own.some(({ pass }, i) => pass !== i + 1)) this.#fail(`passes of ${id} have gaps`);
      if (own.length !== finished && own.length !== finished + 1) this.#fail(`passes of ${id} vanished`);
      const sum = own.slice(0, finished).reduce((total, pass) => total + pass.tokens, 0);
      if (tokens > sum) this.doublePaid++;
      if (tokens !== sum) this.#fail(`${id} counts ${tokens} tokens, its passes have ${sum}`);
    }
    const known = new Set(proofs);
    for (const what of this.#seen.keys())
      if (what.startsWith("proof ") && !known.has(what.slice(6))) this.#fail(`${what} vanished`);
    for (const proof of proofs) this.#seen.set(`proof ${proof}`, "");
  }

  /** The session can go on with the same pass: what the contributor served, the buyer knows to the byte. */
  #bothAgree({ agreements, passes, answers }: ContributorRows, buyer: BuyerRows): void {
    for (const { id, passes: finished, head } of agreements) {
      const session = buyer.sessions.find(({ agreement }) => agreement === id);
      const own = session?.passes ?? 0;
      if (finished < own) this.#fail(`the contributor lost pass ${own} of ${id}`);
      if (session !== undefined && finished === own && head !== session.head)
        this.#fail(`both sides remember ${own} passes of ${id} with different contents`);
      const served = passes.filter(({ agreement, pass }) => agreement === id && pass > own);
      if (served.length === 0) continue;
      const pending = buyer.passes.find(({ agreement }) => agreement === id);
      const [begun] = served;
      if (served.length > 1 || pending?.number !== begun!.pass || pending.salt !== begun!.salt)
        this.#fail(`the buyer lost pass ${begun!.pass} of ${id}`);
      else
        for (const { module, x, agreement, pass } of answers)
          if (agreement === id && pass === begun!.pass && pending.inputs.get(module) !== x)
            this.#fail(`the buyer lost what it asked of module ${module} in pass ${pass} of ${id}`);
    }
  }

  #unpaidBounded({ passes, receipts }: ContributorRows): void {
    const totals = new Map<string, number>();
    for (const { agreement, pass, tokens } of passes) {
      const total = (totals.get(agreement) ?? 0) + tokens;
      totals.set(agreement, total);
      const before = receipts.filter((receipt) => receipt.agreement === agreement && receipt.passes < pass);
      const unpaid = total - Math.max(0, ...before.map((receipt) => receipt.tokens));
      this.unpaidTokensMax = Math.max(this.unpaidTokensMax, unpaid);
      if (unpaid > this.maxUnpaidTokens) this.#fail(`${unpaid} tokens of ${agreement} were served unpaid`);
    }
  }

  /** One signature for one number of passes, ever, wherever it was seen. */
  #oneReceiptForPasses(contributor: ContributorRows, buyer: BuyerRows): void {
    for (const receipt of [...this.#sentReceipts, ...buyer.receipts, ...contributor.receipts]) {
      const key = `${receipt.agreement} ${receipt.passes}`;
      const content = `${receipt.tokens} ${receipt.content}`;
      const before = this.#receipts.get(key);
      if (before !== undefined && before !== content)
        this.#fail(`two receipts for ${receipt.passes} passes of ${receipt.agreement}`);
      this.#receipts.set(key, content);
    }
  }

  /** Whatever left a party is in its database. */
  #durableBeforeSeen(contributor: ContributorRows, buyer: BuyerRows): void {
    const kept = (rows: readonly Receipt[], { agreement, passes }: Pick<Receipt, "agreement" | "passes">) =>
      rows.some((row) => row.agreement === agreement && row.passes === passes);
    for (const receipt of [...this.#sentReceipts, ...contributor.receipts])
      if (!kept(buyer.receipts, receipt))
        this.#fail(`a receipt for ${receipt.passes} passes of ${receipt.agreement} is not with its buyer`);
    for (const receipt of this.#acknowledged)
      if (receipt.passes > 0 && !kept(contributor.receipts, receipt))
        this.#fail(`a receipt for ${receipt.passes} passes of ${receipt.agreement} was taken and is lost`);
    for (const { agreement, pass } of this.#answered)
      if (!contributor.passes.some((row) => row.agreement === agreement && row.pass === pass))
        this.#fail(`pass ${pass} of ${agreement} was answered and is lost`);
    const transactions = new Set(contributor.transactions);
    for (const { role, hash } of this.#sentTransactions)
      if (role !== "open" && !transactions.has(hash)) this.#fail(`transaction ${hash} was sent and is lost`);
  }

  /** What was receipted can be proven: the state the newest receipt covers is there. */
  #settleable({ receipts }: ContributorRows): void {
    const newest = new Map<string, ContributorRows["receipts"][number]>();
    for (const receipt of receipts)
      if (receipt.passes > (newest.get(receipt.agreement)?.passes ?? 0))
        newest.set(receipt.agreement, receipt);
    for (const { agreement, hasState } of newest.values())
      if (!hasState) this.#fail(`what the newest receipt of ${agreement} is proven from is lost`);
  }

  /** Takes in an error found elsewhere. */
  found(error: string, isPaidTwice = false): void {
    this.#fail(error);
    if (isPaidTwice) this.doublePaid++;
  }
}
