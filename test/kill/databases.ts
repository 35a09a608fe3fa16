/** What both parties' databases hold, read from outside: the ground on which money is judged. */
import { createHash } from "node:crypto";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export interface Receipt {
  agreement: string;
  passes: number;
  tokens: number;
  /** Head and statements' hash: two for one `passes` must not differ. */
  content: string;
}

export interface ContributorRows {
  agreements: {
    id: string;
    phase: string;
    passes: number;
    tokens: number;
    head: string;
    settlement: string | null;
  }[];
  passes: { agreement: string; pass: number; salt: string; tokens: number }[];
  /** Of the newest pass: digest of Y. */
  answers: { agreement: string; pass: number; module: number; y: string; x: string }[];
  receipts: (Receipt & { hasState: boolean })[];
  proofs: string[];
  transactions: string[];
}

export interface BuyerRows {
  agreements: { id: string; phase: string }[];
  sessions: { agreement: string; passes: number; head: string }[];
  passes: { agreement: string; number: number; salt: string; inputs: Map<number, string> }[];
  receipts: Receipt[];
}

type Row = Record<string, never>;

function reading<Result>(file: string, work: (all: (sql: string) => Row[]) => Result): Result {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA busy_timeout = 10000; BEGIN");
    return work((sql) => database.prepare(sql).all() as Row[]);
  } finally {
    database.close();
  }
}

// Where a state is empty, the receipt for as many passes holds it.
const CONTRIBUTOR_AGREEMENTS = `SELECT a.*, iif(length(a.state) = 0, r.state, a.state) AS state FROM agreement AS a
  LEFT JOIN receipt AS r USING (agreement_id, passes)`;
const BUYER_SESSIONS = `SELECT s.agreement, s.passes, iif(length(s.state) = 0, r.state, s.state) AS state FROM session AS s
  LEFT JOIN receipt AS r USING (agreement, passes)`;

const headOf = (state: Uint8Array): string => hex(state.subarray(16, 48));

export function readContributor(folder: string): ContributorRows {
  return reading(path.join(folder, "contributor.db"), (all) => ({
    agreements: all(CONTRIBUTOR_AGREEMENTS).map((row) => ({
      id: row["agreement_id"]!,
      phase: row["phase"]!,
      passes: row["passes"]!,
      tokens: row["tokens"]!,
      head: headOf(row["state"]!),
      settlement: row["settlement"]!,
    })),
    passes: all("SELECT * FROM pass ORDER BY agreement_id, pass").map((row) => ({
      agreement: row["agreement_id"]!,
      pass: row["pass"]!,
      salt: hex(row["salt"]!),
      tokens: row["tokens"]!,
    })),
    answers: all("SELECT * FROM answer NATURAL JOIN pass_input").map((row) => ({
      agreement: row["agreement_id"]!,
      pass: row["pass"]!,
      module: row["module"]!,
      y: digest(row["y"]!),
      x: digest(row["x"]!),
    })),
    receipts: all("SELECT * FROM receipt").map((row) => ({
      agreement: row["agreement_id"]!,
      passes: row["passes"]!,
      tokens: row["tokens"]!,
      content: `${row["head"]} ${row["statements_hash"]}`,
      hasState: row["state"] !== null,
    })),
    proofs: all("SELECT * FROM proof").map(
      (row) => `${row["agreement_id"]} ${row["passes"]} ${row["group_index"]}`,
    ),
    transactions: all("SELECT tx_hash FROM settlement").map((row) => row["tx_hash"]!),
  }));
}

/** A receipt as it travels and as the buyer keeps it. */
export function receiptOf(json: {
  agreementId: string;
  passes: string;
  tokens: string;
  head: string;
  statementsHash: string;
}): Receipt {
  const { agreementId, passes, tokens, head, statementsHash } = json;
  return {
    agreement: agreementId,
    passes: Number(passes),
    tokens: Number(tokens),
    content: `${head} ${statementsHash}`,
  };
}

/** Nothing yet where the buyer was killed before its tables were made. */
export function readBuyer(folder: string): BuyerRows {
  const nothing: BuyerRows = { agreements: [], sessions: [], passes: [], receipts: [] };
  return reading(path.join(folder, "buyer.db"), (all) => {
    const isMade = all("SELECT 1 FROM sqlite_schema WHERE name = 'agreement'").length > 0;
    return isMade ? buyerRows(all) : nothing;
  });
}

function buyerRows(all: (sql: string) => Row[]): BuyerRows {
  return {
    agreements: all("SELECT id, phase FROM agreement").map((row) => ({
      id: row["id"]!,
      phase: row["phase"]!,
    })),
    sessions: all(BUYER_SESSIONS).map((row) => ({
      agreement: row["agreement"]!,
      passes: row["passes"]!,
      head: headOf(row["state"]!),
    })),
    passes: all("SELECT * FROM pass").map((row) => ({
      agreement: row["agreement"]!,
      number: row["number"]!,
      salt: hex(row["salt"]!),
      inputs: new Map(
        all("SELECT * FROM pass_input")
          .filter((input) => input["agreement"] === row["agreement"])
          .map((input) => [input["module"]!, digest(input["x"]!)]),
      ),
    })),
    receipts: all("SELECT receipt FROM receipt").map((row) => receiptOf(JSON.parse(row["receipt"]!))),
  };
}
