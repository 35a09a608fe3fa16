/** How a command that runs until it is stopped takes signals, and how a live view is drawn meanwhile. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { watch } from "../../runner/cli/watch.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";

const INTERRUPT = new URL("../../runner/cli/interrupt.ts", import.meta.url).href;

/** Needs two seconds to end well, as one that has something under way. */
const COMMAND = `
const { untilStopped } = await import(${JSON.stringify(INTERRUPT)});
const stopped = untilStopped();
console.log("ready");
await stopped;
await new Promise((resolve) => setTimeout(resolve, 2000));
process.exit(0);
`;

async function started(context: { after(work: () => void): void }): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", COMMAND], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => void child.kill("SIGKILL"));
  await once(child.stdout!, "data");
  return child;
}

test("a Ctrl-C that terminal and parent both pass on is one wish: the command ends well", async (context) => {
  const child = await started(context);
  const closed = once(child, "close");
  child.kill("SIGINT");
  await sleep(50);
  child.kill("SIGINT");
  assert.deepEqual(await closed, [0, null]);
});

test("asked again later the command ends at once, whatever signal says so", async (context) => {
  const child = await started(context);
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await sleep(700);
  const asked = performance.now();
  child.kill("SIGINT");
  assert.deepEqual(await closed, [130, null]);
  assert.ok(performance.now() - asked < 1000);
});

test("a live view is drawn in place on a terminal, goes on after a failure, and ends when asked", async () => {
  const frames: string[] = [];
  const screen = {
    isTTY: true,
    write: (text: string) => {
      frames.push(text);
      if (frames.length === 2) process.emit("SIGTERM", "SIGTERM");
      return true;
    },
  };
  const read = async (): Promise<string[]> => {
    if (frames.length === 0) throw new DeltapayError("chain/unreachable", "no answer", { hint: "try later" });
    return ["one agreement"];
  };
  await watch(read, 0.01, screen);
  assert.equal(frames.length, 2);
  for (const frame of frames) assert.ok(frame.startsWith("\u001b[H\u001b[2J"));
  assert.match(frames[0]!, /not to be had now: no answer\ntry later\n/);
  assert.match(frames[1]!, /one agreement\n\n.*Ctrl-C ends\n$/);
});
