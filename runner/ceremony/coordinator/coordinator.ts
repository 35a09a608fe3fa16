/**
 * Takes contributions one after another into a folder. It is trusted with nothing but the order: everything it hands out
 * is checked by those who take part, and everything it takes is checked here.
 */

import * as fs from "node:fs";
import type { Curve } from "ffjavascript";
import type { OnProgress } from "../../keys/devPtau.ts";
import { readZkey } from "../../keys/zkeyFile.ts";
import { type Hex, toHex } from "../../protocol/bytes.ts";
import { ensure } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/hash.ts";
import { attestationText } from "../attestation.ts";
import { type CheckedKey, checkCeremony, checkTwice } from "../checkCeremony.ts";
import { checkOneMore } from "../checkReceived.ts";
import type { Made } from "../contribute.ts";
import { readContributions } from "../contributions.ts";
import type { CeremonyFolder } from "../folder.ts";
import { NextRound } from "../nextRound.ts";
import type { CeremonyParameters } from "../parameters.ts";
import type { Ptau } from "../ptau.ts";
import { attested, checkName } from "../step.ts";
import { QUEUE_LIMITS, Queue, type QueueLimits } from "./queue.ts";
import { Uploads } from "./uploads.ts";

export interface CoordinatorOptions {
  acceptUnknownPtau?: boolean;
  limits?: Partial<QueueLimits>;
  onProgress?: OnProgress;
  onEvent?: (text: string) => void;
}

/** What everybody may know. */
export interface CeremonyView {
  parameters: CeremonyParameters;
  round: number;
  /** A beacon has ended it. */
  closed: boolean;
  waiting: number;
  turnSeconds: number;
  /** Bytes and SHA-256 of the keys after the last round; none before the first. */
  keys: { size: number; bytes: number; sha256: Hex }[];
  ptauBytes: number;
}

/** Whose contribution it says it is; before anything is computed, as checking a beacon takes as long as it asks for. */
function checkMaker(zkey: Uint8Array, expected: string, field: string): void {
  const contributions = readContributions(readZkey(zkey, field));
  const last = contributions.at(-1);
  ensure(
    contributions.every(({ beacon }) => beacon === null) && (last === undefined || last.name === expected),
    "ceremony/other-name",
    "the contribution is a beacon, or under another name than the ticket's",
    { field, hint: "contribute with the name you queued with" },
  );
}

export class Coordinator {
  readonly queue: Queue;
  readonly folder: CeremonyFolder;
  readonly #curve: Curve;
  readonly #limits: QueueLimits;
  readonly #parameters: CeremonyParameters;
  readonly #ptau: Ptau;
  readonly #keys: Map<number, CheckedKey>;
  readonly #onEvent: (text: string) => void;
  /** What `view` tells of the keys: hashed once a round, not for everybody who asks. */
  #published: CeremonyView["keys"] = [];

  private constructor(
    curve: Curve,
    folder: CeremonyFolder,
    { parameters, ptau, keys }: Awaited<ReturnType<typeof checkCeremony>>,
    options: CoordinatorOptions,
  ) {
    this.#curve = curve;
    this.folder = folder;
    this.#parameters = parameters;
    this.#ptau = ptau;
    this.#keys = new Map(keys.map((key) => [key.size, key]));
    this.#limits = { ...QUEUE_LIMITS, ...options.limits };
    this.#onEvent = options.onEvent ?? (() => {});
    this.queue = new Queue(this.#limits);
    this.#publish();
  }

  /**
   * Checks the ceremony of a folder and takes it up where it is.
   * @throws DeltapayError as `checkCeremony`
   */
  static async open(
    curve: Curve,
    folder: CeremonyFolder,
    options: CoordinatorOptions = {},
  ): Promise<Coordinator> {
    const checked = await checkCeremony(curve, folder, options);
    // What senders of an earlier run left: their tickets are gone.
    fs.rmSync(folder.file(".uploads"), { recursive: true, force: true });
    return new Coordinator(curve, folder, checked, options);
  }

  get isClosed(): boolean {
    return [...this.#keys.values()][0]!.contributions.at(-1)?.beacon != null;
  }

  view(): CeremonyView {
    const round = this.folder.round();
    return {
      parameters: this.#parameters,
      round,
      closed: this.isClosed,
      waiting: this.queue.waiting,
      turnSeconds: this.#limits.turnSeconds,
      keys: round === 0 ? [] : this.#published,
      ptauBytes: fs.statSync(this.folder.ptauFile).size,
    };
  }

  #publish(): void {
    this.#published = [...this.#keys.values()].map(({ size, zkey }) => ({
      ...{ size, bytes: zkey.length },
      sha256: toHex(sha256(zkey)),
    }));
  }

  /** The key after the last round. @throws DeltapayError `ceremony/unknown-size` */
  key(size: number): CheckedKey {
    const found = this.#keys.get(size);
    ensure(found !== undefined, "ceremony/unknown-size", `this ceremony has no key of size ${size}`, {
      field: "size",
    });
    return found;
  }

  /** @throws DeltapayError `ceremony/bad-name`, `ceremony/closed`, `ceremony/queue-full` */
  join(name: string, address: string): string {
    checkName(name);
    ensure(!this.isClosed, "ceremony/closed", "a beacon has ended this ceremony", { field: "queue" });
    const ticket = this.queue.join(name, address);
    this.#onEvent(`${name} waits; ${this.queue.waiting} in the queue`);
    return ticket;
  }

  /** What was received from who has the turn. */
  uploads(ticket: string): Uploads {
    this.queue.turn(ticket);
    return this.#uploadsOf(ticket);
  }

  #uploadsOf(ticket: string): Uploads {
    const lengths = new Map([...this.#keys].map(([size, { zkey }]) => [size, zkey.length]));
    return new Uploads(this.folder, ticket, lengths);
  }

  /**
   * Checks what was sent and makes it the next round. A contribution that is not right costs the turn.
   * @throws DeltapayError `ceremony/incomplete`, `ceremony/other-name`, and as `checkTwice`, `checkOneMore`
   */
  accept(ticket: string): Promise<Made> {
    return this.queue.finish(ticket, async (name) => {
      const uploads = this.#uploadsOf(ticket);
      try {
        const made = await this.#check(uploads, name);
        this.#onEvent(`${name} contributed: round ${made.round}`);
        return made;
      } catch (error) {
        this.#onEvent(`${name}'s contribution was refused: ${(error as Error).message}`);
        throw error;
      } finally {
        uploads.discard();
      }
    });
  }

  async #check(uploads: Uploads, name: string): Promise<Made> {
    const checked: CheckedKey[] = [];
    for (const key of this.#keys.values()) {
      const zkey = uploads.read(key.size);
      const field = `keys.${key.size}`;
      checkMaker(zkey, name, field);
      checkOneMore(key.zkey, zkey);
      // all that those who come after demand: what only they refuse would end the ceremony
      const contributions = await checkTwice(this.#curve, key.initial, zkey, this.#ptau, field);
      checked.push({ ...key, zkey, contributions });
    }
    const next = new NextRound(this.folder, "the coordinator");
    for (const { size, zkey } of checked) next.write(size, zkey);
    const keys = checked.map(({ size, zkey }) => attested(this.#curve, size, zkey));
    const attestation = attestationText(this.#parameters, this.folder.round() + 1, name, keys);
    const round = next.finish(attestation);
    for (const key of checked) this.#keys.set(key.size, key);
    this.#publish();
    return { round, attestation, keys };
  }
}
