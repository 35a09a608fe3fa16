/** Records of transactions in the browser's storage, one entry for each purpose; shared by all tabs of the page. */
import { z } from "zod";
import { recordSchema, type TransactionRecord } from "./record.ts";

/** The little of the Storage interface that is used. */
export type RecordStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const PREFIX = "deltapay:transactions:";

/** Most transactions remembered of one purpose; a settlement of 1,000 groups takes 10. */
const MOST = 64;

export class TransactionStore {
  readonly #storage: RecordStorage;
  readonly #prefix: string;
  readonly #listeners = new Set<() => void>();

  /** @param scope what one account does on one deployment, as `31337:0xescrow:0xaccount` */
  constructor(storage: RecordStorage, scope: string) {
    this.#storage = storage;
    this.#prefix = `${PREFIX}${scope.toLowerCase()}:`;
  }

  /** Storage key of a purpose. */
  keyOf(purpose: string): string {
    return this.#prefix + purpose;
  }

  /** The stored text, as a value that changes when the records do. */
  text(purpose: string): string {
    return this.#storage.getItem(this.keyOf(purpose)) ?? "[]";
  }

  /** Transactions of a purpose, oldest first. What cannot be read is as good as lost: the chain knows all that matters. */
  load(purpose: string): TransactionRecord[] {
    return parseRecords(this.text(purpose));
  }

  /** The newest transaction of a purpose. */
  last(purpose: string): TransactionRecord | undefined {
    return this.load(purpose).at(-1);
  }

  /** Adds a transaction. Durable when this returns; throws when the storage is full. */
  add(purpose: string, record: TransactionRecord): void {
    this.#save(purpose, [...this.load(purpose), record].slice(-MOST));
  }

  /** Changes the newest transaction. */
  update(purpose: string, changes: Partial<TransactionRecord>): TransactionRecord {
    const records = this.load(purpose);
    const last = { ...records.at(-1)!, ...changes };
    this.#save(purpose, [...records.slice(0, -1), last]);
    return last;
  }

  forget(purpose: string): void {
    this.#storage.removeItem(this.keyOf(purpose));
    this.#tell();
  }

  /** Hears of every change made here; those of other tabs are the window's `storage` events. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #save(purpose: string, records: TransactionRecord[]): void {
    this.#storage.setItem(this.keyOf(purpose), JSON.stringify(records));
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Records of a stored text. */
export function parseRecords(text: string): TransactionRecord[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = z.array(recordSchema).safeParse(json);
  return parsed.success ? parsed.data : [];
}
