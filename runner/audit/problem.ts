/** The two ways an audit can stop: what was found wrong, and what could not be had. */

export interface ProblemOptions {
  /** Module, token, group, file or field at fault. */
  field?: string;
  hint?: string;
}

/** An audit that cannot go on: no node, no such agreement, an unreadable option. */
export class AuditError extends Error {
  /** `audit/…`, stable. */
  readonly code: string;
  readonly field: string | undefined;
  readonly hint: string | undefined;

  constructor(code: string, message: string, { field, hint }: ProblemOptions = {}) {
    super(message);
    this.name = "AuditError";
    this.code = code;
    this.field = field;
    this.hint = hint;
  }
}

/** What was checked is wrong: the check failed, the audit goes on. */
export class Wrong extends Error {
  override readonly name = "Wrong";
}

/** What a check needs cannot be had: it is neither passed nor failed. */
export class Missing extends Error {
  override readonly name = "Missing";
}

/** @throws Wrong unless the condition holds */
export function demand(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Wrong(message);
}
