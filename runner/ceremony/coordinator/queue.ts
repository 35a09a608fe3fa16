/** Whose turn it is. One contributes at a time; who says nothing, or takes too long, loses the turn. */
import { randomBytes } from "node:crypto";
import { DeltapayError, ensure } from "../../protocol/errors.ts";

export interface QueueLimits {
  /** Seconds a turn may take. */
  turnSeconds: number;
  /** Seconds without any request after which somebody has left. */
  silenceSeconds: number;
  /** How many may wait. */
  maxWaiting: number;
  /** How many may wait from one address, which may keep each turn to its end. */
  maxPerAddress: number;
}

export const QUEUE_LIMITS: QueueLimits = {
  turnSeconds: 1800,
  silenceSeconds: 60,
  maxWaiting: 256,
  maxPerAddress: 4,
};

/** Tickets no longer good that are remembered. */
const MAX_OVER = 1000;

interface Waiting {
  ticket: string;
  name: string;
  address: string;
  seenAt: number;
  /** When the turn began; undefined while waiting. */
  since: number | undefined;
}

export interface Place {
  /** 0 is the turn. */
  position: number;
  /** Of the turn; null while waiting. */
  secondsLeft: number | null;
}

/** Times are milliseconds of a clock that never goes back. */
export class Queue {
  readonly #limits: QueueLimits;
  readonly #now: () => number;
  #line: Waiting[] = [];
  /** Whose contribution is being checked: nobody can lose a turn to the coordinator's own slowness. */
  #checking: string | undefined;
  /** Why tickets are no longer good, for those who ask. */
  readonly #over = new Map<string, "lost" | "done">();

  constructor(limits: QueueLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get waiting(): number {
    this.#expire();
    return this.#line.length;
  }

  /** @throws DeltapayError `ceremony/queue-full` */
  join(name: string, address: string): string {
    this.#expire();
    const { maxWaiting, maxPerAddress } = this.#limits;
    const here = this.#line.filter((waiting) => waiting.address === address).length;
    ensure(
      this.#line.length < maxWaiting && here < maxPerAddress,
      "ceremony/queue-full",
      `${this.#line.length} are waiting already`,
      { field: "queue", hint: "come back later" },
    );
    const ticket = randomBytes(32).toString("hex");
    const seenAt = this.#now();
    this.#line.push({ ticket, name, address, seenAt, since: undefined });
    this.#expire();
    return ticket;
  }

  /**
   * Where a ticket stands; asking shows that its owner is there.
   * @throws DeltapayError `ceremony/unknown-ticket`, `ceremony/turn-lost`
   */
  place(ticket: string): Place {
    this.#expire();
    const position = this.#line.findIndex((waiting) => waiting.ticket === ticket);
    if (position === -1) throw this.#gone(ticket);
    const found = this.#line[position]!;
    found.seenAt = this.#now();
    if (found.since === undefined) return { position, secondsLeft: null };
    const left = this.#limits.turnSeconds - (this.#now() - found.since) / 1000;
    return { position, secondsLeft: Math.max(0, Math.floor(left)) };
  }

  /**
   * The name of who has the turn, if it is this ticket's.
   * @throws DeltapayError `ceremony/not-your-turn`, and as `place`
   */
  turn(ticket: string): string {
    const { position } = this.place(ticket);
    ensure(position === 0, "ceremony/not-your-turn", `${position} are before you`, {
      field: "ticket",
      hint: "wait until GET /v1/queue says position 0",
    });
    return this.#line[0]!.name;
  }

  /** Keeps the turn while work on it is done, then ends it: done, or lost when the work throws. */
  async finish<Result>(ticket: string, work: (name: string) => Promise<Result>): Promise<Result> {
    const name = this.turn(ticket);
    ensure(this.#checking === undefined, "ceremony/checking", "your contribution is being checked", {
      field: "ticket",
      hint: "wait for the answer to the earlier request",
    });
    this.#checking = ticket;
    try {
      const result = await work(name);
      this.#end(ticket, "done");
      return result;
    } catch (error) {
      this.#end(ticket, "lost");
      throw error;
    } finally {
      this.#checking = undefined;
    }
  }

  leave(ticket: string): void {
    if (ticket !== this.#checking) this.#end(ticket, "lost");
  }

  #end(ticket: string, how: "lost" | "done"): void {
    if (!this.#line.some((waiting) => waiting.ticket === ticket)) return;
    this.#line = this.#line.filter((waiting) => waiting.ticket !== ticket);
    this.#remember(ticket, how);
    this.#expire();
  }

  #remember(ticket: string, how: "lost" | "done"): void {
    this.#over.set(ticket, how);
    // The oldest answers are forgotten: their owners are told to queue again either way.
    if (this.#over.size > MAX_OVER) this.#over.delete(this.#over.keys().next().value!);
  }

  #gone(ticket: string): DeltapayError {
    const how = this.#over.get(ticket);
    const hint = "join the queue again";
    if (how === "lost")
      return new DeltapayError(
        "ceremony/turn-lost",
        "your turn was lost: nothing was heard, or it took too long",
        {
          field: "ticket",
          hint,
        },
      );
    const what = how === "done" ? "your contribution was taken already" : "this ticket is not known here";
    return new DeltapayError("ceremony/unknown-ticket", what, { field: "ticket", hint });
  }

  /** Drops who is gone, and gives the turn to whoever is first. */
  #expire(): void {
    const now = this.#now();
    const { silenceSeconds, turnSeconds } = this.#limits;
    const isGone = ({ ticket, seenAt, since }: Waiting): boolean =>
      ticket !== this.#checking &&
      (now - seenAt > 1000 * silenceSeconds || (since !== undefined && now - since > 1000 * turnSeconds));
    for (const waiting of this.#line.filter(isGone)) this.#remember(waiting.ticket, "lost");
    this.#line = this.#line.filter((waiting) => !isGone(waiting));
    const first = this.#line[0];
    if (first !== undefined) first.since ??= now;
  }
}
