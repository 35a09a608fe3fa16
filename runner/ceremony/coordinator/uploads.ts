/** Keys on their way up: appended to at the offset the sender knows of, so that an interrupted upload goes on. */
import * as fs from "node:fs";
import * as path from "node:path";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import { type CeremonyFolder, writing } from "../folder.ts";

/** What one contribution adds to a key, and room to spare. */
const GROWTH = 512;

export class Uploads {
  readonly #directory: string;
  readonly #limits: ReadonlyMap<number, number>;

  /**
   * @param lengths bytes of each key as it is now: an upload is hardly longer
   */
  constructor(folder: CeremonyFolder, ticket: string, lengths: ReadonlyMap<number, number>) {
    // A ticket is a secret: file names are seen by more people.
    this.#directory = folder.file(".uploads", ticket.slice(0, 16));
    this.#limits = new Map([...lengths].map(([size, length]) => [size, length + GROWTH]));
  }

  #file(size: number): string {
    return path.join(this.#directory, `${size}.zkey`);
  }

  #limit(size: number): number {
    const limit = this.#limits.get(size);
    ensure(limit !== undefined, "ceremony/unknown-size", `this ceremony has no key of size ${size}`, {
      field: "size",
    });
    return limit;
  }

  /** Bytes received of each key. */
  received(): Record<string, number> {
    const length = (size: number): number =>
      fs.statSync(this.#file(size), { throwIfNoEntry: false })?.size ?? 0;
    return Object.fromEntries([...this.#limits.keys()].map((size) => [size, length(size)]));
  }

  /**
   * Appends a piece.
   * @returns bytes received so far
   * @throws DeltapayError `ceremony/wrong-offset`, `ceremony/upload-too-large`, `ceremony/unknown-size`, `ceremony/cannot-write`
   */
  append(size: number, offset: number, bytes: Uint8Array): number {
    const limit = this.#limit(size);
    const received = this.received()[size]!;
    ensure(offset === received, "ceremony/wrong-offset", `${received} bytes were received, not ${offset}`, {
      field: "upload-offset",
      hint: `go on at ${received}`,
    });
    ensure(
      received + bytes.length <= limit,
      "ceremony/upload-too-large",
      `the key of size ${size} has at most ${limit} bytes`,
      { field: "body", hint: "send the key with your contribution and nothing else" },
    );
    const file = this.#file(size);
    writing(file, () => {
      if (!fs.existsSync(this.#directory)) this.#begin();
      fs.appendFileSync(file, bytes);
    });
    return received + bytes.length;
  }

  /** Makes the folder; what others left who lost their turn would fill the disk. */
  #begin(): void {
    fs.rmSync(path.dirname(this.#directory), { recursive: true, force: true });
    fs.mkdirSync(this.#directory, { recursive: true });
  }

  /** @throws DeltapayError `ceremony/incomplete` */
  read(size: number): Uint8Array {
    try {
      return new Uint8Array(fs.readFileSync(this.#file(size)));
    } catch (cause) {
      throw new DeltapayError("ceremony/incomplete", `the key of size ${size} was not sent`, {
        field: `keys.${size}`,
        hint: "send every key first",
        cause,
      });
    }
  }

  discard(): void {
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}
