/** Bytes, hex and integers, in the two orders the formats have (docs/protocol.md 1). */
import { Wrong } from "../problem.ts";

export type Hex = string;

export const toHex = (bytes: Uint8Array): Hex =>
  `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;

/** @throws Wrong for anything but `0x` and whole bytes, of `length` when given */
export function fromHex(text: Hex, length?: number): Uint8Array {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) throw new Wrong(`'${text.slice(0, 80)}' is not hex`);
  const bytes = Buffer.from(text.slice(2), "hex");
  if (length !== undefined && bytes.length !== length)
    throw new Wrong(`${bytes.length} bytes of hex where ${length} belong`);
  return bytes;
}

/** Little-endian, as everywhere outside the EVM. */
export function littleEndian(value: bigint | number, width: number): Uint8Array {
  return bigEndian(BigInt(value), width).reverse();
}

export function bigEndian(value: bigint, width = 32): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * width, "0"), "hex");
}

export const u32 = (value: number): Uint8Array => littleEndian(value, 4);

export function readBigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(toHex(bytes));
}

export function readLittleEndian(bytes: Uint8Array): bigint {
  return readBigEndian(Uint8Array.from(bytes).reverse());
}

export const concat = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** Reads a binary file from its beginning; a file of another length than its format says is refused. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** @param what the file, for messages */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** @throws Wrong when the file ends before */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length)
      throw new Wrong(`${this.#what} ends too early, at byte ${this.#bytes.length}`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  u32(): number {
    return Number(readLittleEndian(this.take(4)));
  }

  u64(): bigint {
    return readLittleEndian(this.take(8));
  }

  hex(length: number): Hex {
    return toHex(this.take(length));
  }

  /** @throws Wrong unless the next bytes are these */
  magic(expected: Uint8Array): void {
    if (toHex(this.take(expected.length)) !== toHex(expected))
      throw new Wrong(`${this.#what} has another magic`);
  }

  /** @throws Wrong when bytes are left */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left !== 0) throw new Wrong(`${left} bytes follow the end of ${this.#what}`);
  }
}
