/** What an attack is: something that should fail, a real try, and what it gained. */
import { DeltapayError } from "../../protocol/errors.ts";
import type { World } from "../world.ts";

export interface Attack {
  /** kebab-case, for `demo --cheat NAME`. */
  name: string;
  /** What is tried and how it should fail, one sentence. */
  expected: string;
  /**
   * Tries it against real parts.
   * @returns how it failed and what it gained, smallest units beyond what is due
   * @throws AttackSucceeded when it worked
   */
  run(world: World): Promise<{ how: string; gained: bigint }>;
}

/** The attack worked: something in the product is broken. */
export class AttackSucceeded extends Error {
  constructor(what: string) {
    super(`the attack succeeded: ${what}`);
    this.name = "AttackSucceeded";
  }
}

/**
 * The error with which something was refused.
 * @param code the error's code, or how it begins
 * @throws AttackSucceeded when it was not refused, and the error itself when it failed for another reason
 */
export async function refused(
  what: string,
  code: string,
  attempt: () => Promise<unknown>,
): Promise<DeltapayError> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof DeltapayError && error.code.startsWith(code)) return error;
    throw error;
  }
  throw new AttackSucceeded(`${what} was accepted`);
}

/** Demands that the attacker is owed nothing beyond `due`. */
export async function gainOf(world: World, party: "contributor" | "buyer", due = 0n): Promise<bigint> {
  return (await world.credit(world[party])) - due;
}
