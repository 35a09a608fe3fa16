/** Errors as they are stored and shown: code, message, field, hint. */
import { DeltapayError } from "../../runner/protocol/errors.ts";

export interface StoredFailure {
  code: string;
  message: string;
  field?: string | undefined;
  hint?: string | undefined;
}

/** The parts of any error that a person can use. */
export function failureOf(error: unknown): StoredFailure {
  if (error instanceof DeltapayError) return error.toJSON();
  return { code: "internal/error", message: error instanceof Error ? error.message : String(error) };
}

/** What is wrong and what to do, in one line. */
export function withHint({ message, hint }: StoredFailure): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}

/** The error a stored failure was. */
export function errorOf({ code, message, field, hint }: StoredFailure): DeltapayError {
  return new DeltapayError(code, message, {
    ...(field === undefined ? {} : { field }),
    ...(hint === undefined ? {} : { hint }),
  });
}
