import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "../../runner/cli/progress.ts";

/** What would have been written to a stream that is no terminal. */
function recorder(): { stream: NodeJS.WriteStream; lines: string[] } {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (text: string) => lines.push(text) > 0 };
  return { stream: stream as unknown as NodeJS.WriteStream, lines };
}

test("without a terminal work that takes long gives a line now and then, short work none", (context) => {
  let now = 0;
  context.mock.method(performance, "now", () => now);
  const { stream, lines } = recorder();
  const progress = new Progress(stream);
  progress.update("short", 0, 2);
  now = 100;
  progress.update("short", 2, 2);
  assert.deepEqual(lines, []);
  for (let done = 0; done <= 100; done++) {
    progress.update("long", done, 100);
    now += 100;
  }
  assert.deepEqual(lines, [
    "long: 20/100, about 8 s left\n",
    "long: 40/100, about 6 s left\n",
    "long: 60/100, about 4 s left\n",
    "long: 80/100, about 2 s left\n",
    "long: 100/100 (10.0 s)\n",
  ]);
});
