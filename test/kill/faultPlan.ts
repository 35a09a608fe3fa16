/** What a process under test is told, and what it writes down. */

/** Where a process ends itself: the n-th time it reaches a step, or after so many steps of any name. */
export type Kill = { step: string; nth: number } | { after: number };

export interface FaultPlan {
  /** File of `LogLine`s, appended to. */
  log: string;
  kill?: Kill;
}

export type LogLine =
  | { step: string }
  | { killed: string }
  /** A request that leaves; its body in base64. */
  | { sent: string; path: string; body: string }
  /** An answer that leaves; its body when it is JSON. */
  | { answered: string; path: string; status: number; json: string }
  /** A signed transaction that leaves. */
  | { transaction: string };
