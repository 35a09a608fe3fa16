/** The input at work, seen by the thread that watches: a number that grows with each input, its length, its bytes. */
import { MAX_INPUT } from "./mutateBytes.ts";

const HEAD = 16;

export class UnderWork {
  readonly shared: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(HEAD + MAX_INPUT)) {
    this.shared = shared;
    this.#numbers = new Int32Array(shared, 0, 3);
    this.#bytes = new Uint8Array(shared, HEAD);
  }

  /** @param limitMb what the whole process may take */
  begin(input: Uint8Array, limitMb: number): void {
    this.#bytes.set(input.subarray(0, MAX_INPUT));
    Atomics.store(this.#numbers, 1, Math.min(input.length, MAX_INPUT));
    Atomics.store(this.#numbers, 2, limitMb);
    Atomics.store(this.#numbers, 0, (this.number + 1) & 0x7fffffff || 1);
  }

  /** Nothing is at work. */
  end(): void {
    Atomics.store(this.#numbers, 2, 0);
  }

  get number(): number {
    return Atomics.load(this.#numbers, 0);
  }

  /** 0 when nothing is at work. */
  get limitMb(): number {
    return Atomics.load(this.#numbers, 2);
  }

  get input(): Uint8Array {
    return this.#bytes.slice(0, Atomics.load(this.#numbers, 1));
  }
}
