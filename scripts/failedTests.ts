/**
 * A test reporter that tells a test whose code failed from one that never ran: a file that does not load is a failure to
 * `node --test`, and so is a name that is not defined.
 *
 *   node --test --test-reporter=scripts/failedTests.ts ...
 */
import * as path from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** Errors of code that was taken apart, not of what it did. */
const BROKEN_CODE = ["ReferenceError", "SyntaxError"];

type Failure = Extract<TestEvent, { type: "test:fail" }>["data"];

/** Whether the test itself ran and failed; not its file, a hook or code that cannot run. */
function isFailedTest({ name, file, details }: Failure): boolean {
  const { failureType, cause } = details.error as Error & { failureType?: string };
  if (failureType !== "testCodeFailure") return false;
  // What stands for the whole file has the file's name.
  if (file !== undefined && path.resolve(name) === file) return false;
  return !(cause instanceof Error && BROKEN_CODE.includes(cause.name));
}

/** One line a failed test, `failed NAME`; of whatever else went wrong, `crashed NAME`. The errors follow. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === "test:stderr") yield data.message;
    if (type === "test:fail")
      yield `${isFailedTest(data) ? "failed" : "crashed"} ${data.name}\n${inspect(data.details.error.cause)}\n`;
  }
}

/** Names of the failed tests in what the reporter wrote. */
export function failedTests(output: string): string[] {
  return [...output.matchAll(/^failed (.*)$/gm)].map(([, name]) => name!);
}
