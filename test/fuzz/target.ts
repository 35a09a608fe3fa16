/** What is fuzzed: one parser, real inputs it accepts, and what it may cost. */
import { DeltapayError } from "../../runner/protocol/errors.ts";
import type { SeededRandom } from "../kill/random.ts";

/** Makes another input of the format out of one, its structure in view. */
export type Mutator = (input: Uint8Array, random: SeededRandom) => Uint8Array;

export interface FuzzTarget {
  name: string;
  /** Inputs that are accepted, to start from. */
  seeds: readonly Uint8Array[];
  /** Beside mutations of bytes. JSON is `mutateJson`. */
  mutators: readonly Mutator[];
  /** Inputs made from nothing, of a kind the parser expects. */
  generate?: (random: SeededRandom) => Uint8Array;
  /**
   * Parses, and checks what must hold of what was accepted.
   * @throws an error of `refusals`; anything else is a crash
   */
  run: (input: Uint8Array) => unknown;
  /** Errors that refuse an input. Default DeltapayError. */
  refusals?: readonly (abstract new (
    ...args: never[]
  ) => Error)[];
  /** Megabytes the process may grow. Default 512: most of it is what is not yet collected. */
  memoryMb?: number;
}

export function isRefusal(target: FuzzTarget, error: unknown): boolean {
  return (target.refusals ?? [DeltapayError]).some((kind) => error instanceof kind);
}

/** Something accepted that should not have been, or read differently from how it was written. */
export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

/** @throws BrokenPromise unless the condition holds */
export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BrokenPromise(what);
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
