/** Checks one by one, and what they come to. */
import { isError } from "ethers";
import { shortMessage } from "./chain/node.ts";
import { AuditError, Missing, Wrong } from "./problem.ts";

export type CheckResult = "passed" | "failed" | "not checkable";

export interface Check {
  name: string;
  result: CheckResult;
  /** What was seen; why and where it failed; what is missing. */
  detail: string;
}

/** `incomplete`: nothing failed, and something could not be checked. */
export type Verdict = "passed" | "failed" | "incomplete";

export function verdictOf(checks: readonly Check[]): Verdict {
  if (checks.some(({ result }) => result === "failed")) return "failed";
  return checks.every(({ result }) => result === "passed") ? "passed" : "incomplete";
}

const NODE_ERRORS = ["NETWORK_ERROR", "TIMEOUT", "SERVER_ERROR", "UNKNOWN_ERROR"] as const;

/** Of `eth_call` ethers says even then that the contract reverted, but has no data of it. */
const isNodeError = (error: unknown): boolean =>
  NODE_ERRORS.some((code) => isError(error, code)) ||
  (isError(error, "CALL_EXCEPTION") && error.data === null);

/** Controls and marks of direction: with them names that others chose would rewrite what a terminal shows. */
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;

const readable = (text: string): string => text.replace(UNSEEN, "\uFFFD");

/** Result and detail of an exception. What cannot be decoded is wrong; what the node refuses to say is missing. */
function judge(error: unknown): { result: CheckResult; detail: string } {
  if (error instanceof AuditError) throw error;
  if (error instanceof Missing) return { result: "not checkable", detail: error.message };
  if (error instanceof Wrong) return { result: "failed", detail: error.message };
  const message = shortMessage(error);
  if (isNodeError(error)) return { result: "not checkable", detail: `the node does not answer: ${message}` };
  return { result: "failed", detail: `unreadable: ${message}` };
}

/** Runs checks in order and keeps their results. */
export class Checks {
  readonly list: Check[] = [];
  readonly #onCheck: (name: string) => void;

  /** @param onCheck told the name of each check as it begins */
  constructor(onCheck: (name: string) => void) {
    this.#onCheck = onCheck;
  }

  /**
   * Runs one check.
   * @param work returns what was seen; throws Wrong or Missing
   */
  async run(name: string, work: () => Promise<string> | string): Promise<void> {
    this.#onCheck(name);
    let found: { result: CheckResult; detail: string };
    try {
      found = { result: "passed", detail: await work() };
    } catch (error) {
      found = judge(error);
    }
    this.list.push({ name, result: found.result, detail: readable(found.detail) });
  }
}

/** A value that several checks need; each gets the error of making it. */
export function once<Value>(make: () => Promise<Value> | Value): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= Promise.resolve().then(make);
    return made;
  };
}
