/** What a buyer's database does on each receipt does not grow with the receipts before it, nor what it keeps with the end. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { BuyerStore } from "../../runner/buyer/store/store.ts";
import { BUYER_MIGRATIONS } from "../../runner/buyer/store/storedRows.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import type { Receipt } from "../../runner/protocol/typedData.ts";
import { type DatabaseSync, openDatabase } from "../../runner/storage/database.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const agreementId = toHex(new Uint8Array(32).fill(7));

/** A database with one agreement. */
function stored(context: TestContext): { database: DatabaseSync; store: BuyerStore } {
  const database = openDatabase(path.join(temporaryDirectory(context), "buyer.db"), BUYER_MIGRATIONS);
  context.after(() => database.close());
  database.prepare("INSERT INTO agreement (id, terms, phase) VALUES (?, '{}', 'open')").run(agreementId);
  return { database, store: new BuyerStore(database) };
}

const receiptFor = (passes: bigint): Receipt => ({
  agreementId,
  passes,
  tokens: passes,
  head: agreementId,
  statementsHash: agreementId,
});

test("with the end a session's state is stored once: with the receipt that covers it, or by itself", (context) => {
  const { database, store } = stored(context);
  const pass = (number: number): Uint8Array => {
    const state = new Uint8Array(8).fill(number);
    store.addInput(agreementId, { number, tokens: 1, salt: state }, [0], new Int16Array(1));
    store.finishPass(agreementId, number, state, { from: 0, rows: [] });
    return state;
  };
  const kept = (): unknown => database.prepare("SELECT length(state) AS bytes FROM session").get()!["bytes"];
  store.addReceipt(receiptFor(1n), "0x00", pass(1));
  const second = pass(2);
  store.setPhase(agreementId, "ended");
  assert.deepEqual([store.sessionState(agreementId), kept()], [second, 8]);
  store.addReceipt(receiptFor(2n), "0x00", second);
  store.setPhase(agreementId, "open");
  assert.equal(kept(), 8);
  store.setPhase(agreementId, "ended");
  assert.deepEqual([store.sessionState(agreementId), kept()], [second, 0]);
});

test("a receipt changes as many rows whether few or many came before it, and keeps its own state only", (context) => {
  const { database, store } = stored(context);
  const changes = (): number => Number(database.prepare("SELECT total_changes() AS n").get()!["n"]);
  const changed = [];
  for (let passes = 1n; passes <= 40n; passes++) {
    store.addReceipt(receiptFor(passes), "0x00", new Uint8Array(4));
    const before = changes();
    // Every third is never heard of again: the next one stands for it too.
    if (passes % 3n !== 0n) store.acceptReceipt(agreementId, passes);
    changed.push(changes() - before);
  }
  assert.equal(Math.max(...changed), 3);
  const states = store.receipts(agreementId).map(({ state }) => state !== null);
  assert.deepEqual(states, [...Array<boolean>(39).fill(false), true]);
});
