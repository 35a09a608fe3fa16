import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { COMMANDS, createProgram } from "../../runner/cli/program.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { failing, run } from "./command.ts";

/** Commands that do something. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

test("every command of the contract is there, loads, describes itself and speaks JSON", async () => {
  const contract =
    "demo adapter keys serve chain deploy offer operator open close generate evaluate prove settle release";
  for (const name of [...contract.split(" "), "withdraw", "refund", "status", "backup", "restore"])
    assert.ok(COMMANDS.includes(name), name);
  for (const name of COMMANDS) {
    const program = await createProgram([name]);
    const found = program.commands.filter((command) => command.name() === name);
    assert.equal(found.length, 1, name);
    for (const leaf of leaves(found[0]!)) {
      assert.ok(leaf.description().length > 0, name);
      assert.ok(
        leaf.options.some(({ long }) => long === "--json"),
        name,
      );
    }
  }
});

test("the help lists every command and exits 0", async () => {
  const { code, stdout, stderr } = await run(["--help"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  for (const name of COMMANDS) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
  const help = await run(["help", "withdraw"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--to <address>/);
});

test("wrong use exits 2, with words on stderr or as JSON", async () => {
  const wrong = [
    [],
    ["nothing"],
    ["withdraw", "--nothing"],
    ["open"],
    ["refund", "0x12"],
    ["deploy", "--account", "20"],
  ];
  // At once: most of a command is its start.
  const tried = wrong.map(async (args) => {
    const plain = await run(args);
    assert.equal(plain.code, 2, args.join(" "));
    assert.equal(plain.stdout, "");
    assert.notEqual(plain.stderr, "");
    const { code, error } = await failing(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(error.code, /^usage\//);
    assert.ok(error.message.length > 0);
  });
  await Promise.all(tried);
});

test("a command that fails exits 1 and says what to do", async () => {
  const args = ["status", "--rpc", "http://127.0.0.1:9"];
  const plain = await run(args);
  assert.equal(plain.code, 1);
  assert.match(
    plain.stderr,
    /^error: no answer from the chain at 127\.0\.0\.1:9\n {2}field: rpc\n {2}hint: .*deltapay chain/,
  );
  const { code, error } = await failing(args);
  assert.equal(code, 1);
  assert.equal(error.code, "chain/unreachable");
});

test("the address of the RPC node can hold an access key and is never shown", async () => {
  const rpc = "http://127.0.0.1:9/v3/SECRETKEY";
  for (const extra of [{}, { DELTAPAY_DEBUG: "1" }]) {
    const { stdout, stderr } = await run(["status"], { DELTAPAY_RPC: rpc, ...extra });
    assert.match(stderr, /127\.0\.0\.1:9/);
    assert.doesNotMatch(stdout + stderr, /SECRETKEY/);
  }
  const help = await run(["status", "--help"], { DELTAPAY_RPC: rpc });
  assert.doesNotMatch(help.stdout, /SECRETKEY/);
});

test("data folders: a role's own, --data before it, and no folder is an error that names it", async (context) => {
  const home = temporaryDirectory(context);
  const environment = { XDG_DATA_HOME: home };
  const none = await failing(["backup", path.join(home, "backup")], environment);
  assert.deepEqual([none.code, none.error.code], [1, "storage/no-data"]);

  const own = path.join(home, "deltapay", "contributor");
  const other = path.join(home, "other");
  for (const [directory, ...flags] of [[own], [other, "--data", other]] as const) {
    const missing = await failing(["adapter", "list", ...flags], environment);
    assert.deepEqual([missing.code, missing.error.code], [1, "storage/no-data"]);
    assert.ok(missing.error.message.includes(directory) && !fs.existsSync(directory));
    (await openContributorData(directory)).close();
    const listed = await run(["adapter", "list", "--json", ...flags], environment);
    assert.deepEqual(JSON.parse(listed.stdout), []);
  }

  const file = path.join(home, "backup");
  assert.equal((await run(["backup", file], environment)).code, 0);
  assert.equal((await failing(["restore", file], environment)).code, 2);
  const restored = path.join(home, "restored");
  // The key that opens it stays where it was.
  const locked = await failing(["restore", file, "--data", restored], environment);
  assert.equal(locked.error.code, "backup/key-needed");
  assert.match(locked.error.hint!, /--key-file/);
  assert.ok(!fs.existsSync(restored));
  const keyFile = path.join(home, "deltapay", "contributor", "vault.key");
  const command = ["restore", file, "--data", restored, "--key-file", keyFile];
  assert.equal((await run(command, environment)).code, 0);
  assert.ok(fs.existsSync(path.join(restored, "contributor.db")));
  assert.deepEqual(JSON.parse((await run(["adapter", "list", "--json", "--data", restored])).stdout), []);
});
