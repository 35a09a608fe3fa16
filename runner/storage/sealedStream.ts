/**
 * Bytes in encrypted chunks, for files larger than memory. A chunk: up to 2^20 bytes of ciphertext | tag 16 (AES-256-GCM).
 * The nonce counts the chunks and marks the last, and a header is bound to each: nothing can be changed, moved, cut off,
 * added or put behind another header unnoticed. A key is for one stream.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import * as fs from "node:fs";

const CHUNK_BYTES = 2 ** 20;
const TAG_BYTES = 16;

function nonceOf(chunk: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(0, BigInt(chunk), true);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

export class SealedWriter {
  readonly #descriptor: number;
  readonly #key: Uint8Array;
  readonly #header: Uint8Array;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #filled = 0;
  #chunks = 0;

  /** @param key 32 bytes, for this stream only */
  constructor(descriptor: number, key: Uint8Array, header: Uint8Array) {
    this.#descriptor = descriptor;
    this.#key = key;
    this.#header = header;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === CHUNK_BYTES) this.#seal(false);
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
  }

  /** Writes the last chunk: without it the stream counts as cut off. */
  end(): void {
    this.#seal(true);
  }

  #seal(isLast: boolean): void {
    const nonce = nonceOf(this.#chunks++, isLast);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(this.#header);
    const text = cipher.update(this.#buffer.subarray(0, this.#filled));
    fs.writeFileSync(this.#descriptor, Buffer.concat([text, cipher.final(), cipher.getAuthTag()]));
    this.#filled = 0;
  }
}

/** What is sealed differs from what was written, or another key sealed it. */
export class BrokenSeal extends Error {}

export class SealedReader {
  readonly #descriptor: number;
  readonly #key: Uint8Array;
  readonly #header: Uint8Array;
  #at: number;
  #chunks = 0;
  #ended = false;
  #chunk: Uint8Array = new Uint8Array();

  /** @param start offset of the first chunk in the file */
  constructor(descriptor: number, start: number, key: Uint8Array, header: Uint8Array) {
    this.#descriptor = descriptor;
    this.#at = start;
    this.#key = key;
    this.#header = header;
  }

  /** The next bytes, at least one and at most `most`; none at the end. @throws BrokenSeal */
  read(most: number): Uint8Array {
    while (this.#chunk.length === 0 && !this.#ended) this.#chunk = this.#open();
    const part = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
  }

  /** Exactly the next `length` bytes. @throws BrokenSeal */
  take(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const part = this.read(length - at);
      if (part.length === 0) throw new BrokenSeal("cut off");
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #open(): Uint8Array {
    const left = fs.fstatSync(this.#descriptor).size - this.#at;
    const size = Math.min(left, CHUNK_BYTES + TAG_BYTES);
    const sealed = new Uint8Array(Math.max(size, 0));
    const read = fs.readSync(this.#descriptor, sealed, 0, sealed.length, this.#at);
    if (read !== size || size < TAG_BYTES) throw new BrokenSeal("cut off");
    this.#at += size;
    this.#ended = size === left;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonceOf(this.#chunks++, this.#ended), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(this.#header)
      .setAuthTag(sealed.subarray(size - TAG_BYTES));
    const text = decipher.update(sealed.subarray(0, size - TAG_BYTES));
    try {
      decipher.final();
    } catch (cause) {
      throw new BrokenSeal("changed", { cause });
    }
    return text;
  }
}
