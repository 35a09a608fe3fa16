/** Every failure a user can meet is a DeltapayError: what went wrong, in which field, and what to do about it. */

export interface DeltapayErrorOptions {
  /** Name of the field, file, message or parameter at fault, e.g. `offer.expiry` or `adapter_config.json: use_dora`. */
  field?: string;
  /** What the user can do about it, as a sentence. */
  hint?: string;
  cause?: unknown;
}

/**
 * Error with a stable, machine-readable code.
 *
 * `code` is `<area>/<what>` in kebab case (`adapter/unsupported-field`, `wire/bad-length`). Codes are part of the
 * interface (`--json`, HTTP bodies); messages are for people and may change. Neither ever holds a secret.
 */
export class DeltapayError extends Error {
  readonly code: string;
  readonly field: string | undefined;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: DeltapayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DeltapayError";
    this.code = code;
    this.field = options.field;
    this.hint = options.hint;
  }

  /** The form used in `--json` output and HTTP error bodies. */
  toJSON(): { code: string; message: string; field?: string; hint?: string } {
    return {
      code: this.code,
      message: this.message,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** Throws a DeltapayError unless `condition` holds. */
export function ensure(
  condition: unknown,
  code: string,
  message: string,
  options: DeltapayErrorOptions = {},
): asserts condition {
  if (!condition) throw new DeltapayError(code, message, options);
}

/** Errors of other libraries, in the form of ours. */
export function asDeltapayError(error: unknown): DeltapayError {
  if (error instanceof DeltapayError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DeltapayError("internal/error", message, { cause: error });
}
