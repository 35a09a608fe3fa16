/**
 * Schema of contributor.db. Ids and hashes are lower-case 0x hex, amounts decimal text, times unix seconds.
 * Only ever append: a script that has run on someone's data never changes.
 */
export const MIGRATIONS = [
  `
  CREATE TABLE adapter (
    adapter_id TEXT PRIMARY KEY,
    chain_id TEXT NOT NULL,
    registry TEXT NOT NULL,
    contributor TEXT NOT NULL,
    name TEXT NOT NULL,
    uri TEXT NOT NULL,
    verifier TEXT NOT NULL,
    verifier_code_hash TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    registered INTEGER NOT NULL DEFAULT 0,
    tx_hash TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE offer (
    offer_hash TEXT PRIMARY KEY,
    adapter_id TEXT NOT NULL REFERENCES adapter,
    terms TEXT NOT NULL,
    signature TEXT NOT NULL,
    cancelled INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE agreement (
    agreement_id TEXT PRIMARY KEY,
    adapter_id TEXT NOT NULL REFERENCES adapter,
    offer_hash TEXT NOT NULL REFERENCES offer,
    buyer TEXT NOT NULL,
    signer TEXT NOT NULL,
    price TEXT NOT NULL,
    amount TEXT NOT NULL,
    deadline INTEGER NOT NULL,
    phase TEXT NOT NULL DEFAULT 'serving' CHECK (phase IN ('serving', 'ended', 'proving', 'settled', 'closed')),
    reason TEXT,
    wrong_receipt INTEGER NOT NULL DEFAULT 0,
    passes INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0,
    state BLOB NOT NULL,
    settlement TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE pass (
    agreement_id TEXT NOT NULL REFERENCES agreement,
    pass INTEGER NOT NULL,
    salt BLOB NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (agreement_id, pass),
    UNIQUE (agreement_id, salt)
  ) STRICT;

  -- What a pass was asked: one row a request, named by its first new module. Only of the newest pass.
  CREATE TABLE pass_input (
    agreement_id TEXT NOT NULL,
    pass INTEGER NOT NULL,
    input INTEGER NOT NULL,
    x BLOB NOT NULL,
    PRIMARY KEY (agreement_id, pass, input),
    FOREIGN KEY (agreement_id, pass) REFERENCES pass
  ) STRICT;

  CREATE TABLE answer (
    agreement_id TEXT NOT NULL,
    pass INTEGER NOT NULL,
    module INTEGER NOT NULL,
    input INTEGER NOT NULL,
    y BLOB NOT NULL,
    PRIMARY KEY (agreement_id, pass, module),
    FOREIGN KEY (agreement_id, pass, input) REFERENCES pass_input
  ) STRICT;

  -- state: what the receipt was checked with and is proven from; kept for the newest receipt only.
  CREATE TABLE receipt (
    agreement_id TEXT NOT NULL REFERENCES agreement,
    passes INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    head TEXT NOT NULL,
    statements_hash TEXT NOT NULL,
    signature TEXT NOT NULL,
    statements BLOB NOT NULL,
    state BLOB,
    accepted_at INTEGER NOT NULL,
    PRIMARY KEY (agreement_id, passes)
  ) STRICT;

  CREATE TABLE refused_receipt (
    id INTEGER PRIMARY KEY,
    agreement_id TEXT NOT NULL REFERENCES agreement,
    code TEXT NOT NULL,
    receipt TEXT NOT NULL,
    signature TEXT NOT NULL,
    refused_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE proof (
    agreement_id TEXT NOT NULL,
    passes INTEGER NOT NULL,
    group_index INTEGER NOT NULL,
    claim TEXT NOT NULL,
    prove_ms REAL NOT NULL,
    PRIMARY KEY (agreement_id, passes, group_index),
    FOREIGN KEY (agreement_id, passes) REFERENCES receipt
  ) STRICT;

  CREATE TABLE settlement (
    agreement_id TEXT NOT NULL,
    passes INTEGER NOT NULL,
    tx_hash TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (agreement_id, passes, tx_hash),
    FOREIGN KEY (agreement_id, passes) REFERENCES receipt
  ) STRICT;
  `,
  `
  -- What takes the place of a transaction that is not mined must know who sent it, its nonce and its fees (wei).
  ALTER TABLE settlement ADD COLUMN sender TEXT;
  ALTER TABLE settlement ADD COLUMN nonce INTEGER;
  ALTER TABLE settlement ADD COLUMN max_fee TEXT;
  ALTER TABLE settlement ADD COLUMN priority_fee TEXT;
  `,
  `
  -- is_over: mined, or can no longer be.
  CREATE TABLE withdrawal (
    tx_hash TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    max_fee TEXT NOT NULL,
    priority_fee TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    is_over INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX agreement_by_phase ON agreement (phase);
  `,
  `
  -- What an adapter's owner lets its buyers learn; JSON.
  CREATE TABLE leakage_policy (
    adapter_id TEXT PRIMARY KEY REFERENCES adapter,
    policy TEXT NOT NULL
  ) STRICT;

  -- Rank of the activations seen by a module, of one buyer or ('') of all. Rows go when nothing is left to learn.
  CREATE TABLE rank_scope (
    id INTEGER PRIMARY KEY,
    adapter_id TEXT NOT NULL REFERENCES adapter,
    buyer TEXT NOT NULL,
    module INTEGER NOT NULL,
    rank INTEGER NOT NULL DEFAULT 0,
    UNIQUE (adapter_id, buyer, module)
  ) STRICT;
  CREATE TABLE rank_row (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL REFERENCES rank_scope,
    pivot INTEGER NOT NULL,
    row BLOB NOT NULL
  ) STRICT;
  CREATE INDEX rank_row_by_scope ON rank_row (scope);
  CREATE INDEX agreement_by_adapter ON agreement (adapter_id, buyer);
  `,
];
