import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import type { Command } from "commander";
import { commandPath, EXAMPLES } from "../../runner/cli/help.ts";
import { COMMANDS, createProgram } from "../../runner/cli/program.ts";

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

/** Words as a shell would give them to the command. */
function words(line: string): string[] {
  return (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ""));
}

/** Parses as the command would, and does nothing. */
async function parses(line: string): Promise<void> {
  const args = words(line);
  const program = await createProgram(args, { quiet: true });
  let ran = 0;
  for (const leaf of program.commands.flatMap(leaves)) leaf.action(() => void ran++);
  await assert.doesNotReject(program.parseAsync(args, { from: "user" }), line);
  assert.equal(ran, 1, line);
}

test("every command's help can be shown, with its defaults as they are typed and an example of its own", async () => {
  const seen: string[] = [];
  for (const name of COMMANDS) {
    const program = await createProgram([name]);
    for (const leaf of leaves(program.commands.find((command) => command.name() === name)!)) {
      const written: string[] = [];
      leaf.configureOutput({ writeOut: (text) => void written.push(text) }).outputHelp();
      const shown = written.join("");
      const path = commandPath(leaf);
      seen.push(path);
      assert.match(shown, new RegExp(`^Usage: deltapay ${path}`));
      assert.doesNotMatch(shown, /0x0{40}|\(default:[^()]*\(default:/, path);
      for (const example of EXAMPLES[path] ?? []) assert.ok(shown.includes(`./deltapay ${example}\n`), path);
    }
  }
  const without = seen.filter((path) => !(path in EXAMPLES));
  assert.deepEqual(without, ["keys list", "adapter list", "offer show", "leakage show"]);
});

test("every example of the help is a command that is there, with options it takes", async () => {
  for (const [path, examples] of Object.entries(EXAMPLES))
    for (const example of examples) {
      assert.ok(example === path || example.startsWith(`${path} `), example);
      await parses(example);
    }
});

test("every command that README.md shows parses", async () => {
  const readme = fs.readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const shown = [...readme.matchAll(/^\.\/deltapay (.*?)\s*(#.*)?$/gm)].map(([, line]) => line!);
  assert.ok(shown.length > 10);
  for (const line of shown) await parses(line);
});
