/** One fsync for all that became due at the same moment: a disk has few in a second, many askers wait for the same ones. */
import { type DatabaseSync, transaction } from "./database.ts";

interface Due {
  work: () => unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

export class GroupCommit {
  readonly #database: DatabaseSync;
  #due: Due[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Runs `work` in a write transaction, shared with all others that are due in this turn of the event loop. Its writes are
   * durable when this resolves; none of them are made when it throws, which leaves the others' as they are.
   * @param work sees the writes of those before it; may run after others' transactions
   * @throws what `work` throws; all are refused with the disk's error when it cannot be written
   */
  run<Result>(work: () => Result): Promise<Result> {
    if (this.#due.length === 0) setImmediate(() => this.#commit());
    return new Promise((resolve, reject) => {
      this.#due.push({ work, resolve: resolve as Due["resolve"], reject });
    });
  }

  #commit(): void {
    const due = this.#due;
    this.#due = [];
    try {
      const settle = transaction(this.#database, () => due.map((one) => this.#attempt(one)));
      for (const tell of settle) tell();
    } catch (error) {
      for (const { reject } of due) reject(error);
    }
  }

  /** @returns tells how it went, once it is durable */
  #attempt({ work, resolve, reject }: Due): () => void {
    this.#database.exec("SAVEPOINT one");
    try {
      const result = work();
      this.#database.exec("RELEASE one");
      return () => resolve(result);
    } catch (error) {
      // A disk that is full ends the whole transaction by itself.
      if (!this.#database.isTransaction) throw error;
      this.#database.exec("ROLLBACK TO one; RELEASE one");
      return () => reject(error);
    }
  }
}
