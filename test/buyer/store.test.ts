/** What a buyer's database does on each receipt does not grow with the receipts before it. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { BuyerStore } from "../../runner/buyer/store/store.ts";
import { BUYER_MIGRATIONS } from "../../runner/buyer/store/storedRows.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { openDatabase } from "../../runner/storage/database.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

test("a receipt changes as many rows whether few or many came before it, and keeps its own state only", (context) => {
  const database = openDatabase(path.join(temporaryDirectory(context), "buyer.db"), BUYER_MIGRATIONS);
  context.after(() => database.close());
  const agreementId = toHex(new Uint8Array(32).fill(7));
  database.prepare("INSERT INTO agreement (id, terms, phase) VALUES (?, '{}', 'open')").run(agreementId);
  const store = new BuyerStore(database);
  const changes = (): number => Number(database.prepare("SELECT total_changes() AS n").get()!["n"]);
  const changed = [];
  for (let passes = 1n; passes <= 40n; passes++) {
    const [head, statementsHash] = [agreementId, agreementId];
    const receipt = { agreementId, passes, tokens: passes, head, statementsHash };
    store.addReceipt(receipt, "0x00", new Uint8Array(4));
    const before = changes();
    // Every third is never heard of again: the next one stands for it too.
    if (passes % 3n !== 0n) store.acceptReceipt(agreementId, passes);
    changed.push(changes() - before);
  }
  assert.equal(Math.max(...changed), 3);
  const states = store.receipts(agreementId).map(({ state }) => state !== null);
  assert.deepEqual(states, [...Array<boolean>(39).fill(false), true]);
});
