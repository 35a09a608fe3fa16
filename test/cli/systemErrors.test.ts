import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { systemError } from "../../runner/cli/systemErrors.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { failing, run } from "./command.ts";

const MODEL = "fixtures/base/model_with_past.onnx";

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("what the system refuses is said with the file's name and what to do, never as a fault of the program", (context) => {
  const folder = temporaryDirectory(context);
  const file = path.join(folder, "file");
  fs.writeFileSync(file, "no database: only text that is long enough to be taken for one\n".repeat(20));
  const missing = systemError(thrownBy(() => fs.readFileSync(path.join(folder, "missing"))))!;
  assert.equal(missing.code, "system/enoent");
  assert.equal(missing.message, `${path.join(folder, "missing")} is not there`);
  const inTheWay = systemError(thrownBy(() => fs.mkdirSync(path.join(file, "below"), { recursive: true })))!;
  assert.equal(inTheWay.code, "system/enotdir");
  const database = systemError(thrownBy(() => new DatabaseSync(file).exec("CREATE TABLE t (x)")))!;
  assert.equal(database.code, "system/sqlite-26");
  assert.match(database.hint!, /--data/);
  assert.equal(systemError(new Error("something else")), undefined);
});

test("a full disk is said to be full", { skip: !fs.existsSync("/dev/full") }, () => {
  const full = systemError(thrownBy(() => fs.writeFileSync("/dev/full", "x")))!;
  assert.equal(full.code, "system/enospc");
  assert.match(`${full.message}; ${full.hint}`, /disk is full; free some space/);
});

test("wrong names, files and amounts: one line that names what, a hint, the right exit code", async (context) => {
  const folder = temporaryDirectory(context);
  const file = path.join(folder, "file");
  fs.writeFileSync(file, "");
  const wrong = [
    [2, "demo/unknown-cheat", ["demo", "--cheat", "nothing"]],
    [2, "key/unknown-size", ["keys", "build", "--size", "31"]],
    [2, "chain/bad-url", ["status", "--rpc", "nothing"]],
    [2, "usage/bad-arguments", ["offer", "make", "--price", "abc"]],
    [1, "model/missing-file", ["adapter", "inspect", "fixtures/kjv-attn", "--model", "fixtures"]],
    [
      1,
      "adapter/unknown-module",
      ["adapter", "inspect", "fixtures/kjv-attn", "--model", MODEL, "--node", "a=b"],
    ],
    [1, "storage/no-data", ["adapter", "list", "--data", file]],
    [1, "system/eisdir", ["restore", folder, "--data", path.join(folder, "restored")]],
  ] as const;
  // At once: most of a command is its start.
  const tried = wrong.map(async ([code, error, args]) => {
    const failed = await failing(args);
    assert.deepEqual([failed.code, failed.error.code], [code, error], args.join(" "));
    assert.ok(error === "usage/bad-arguments" || failed.error.hint !== undefined, args.join(" "));
  });
  await Promise.all(tried);
  const plain = await run(["adapter", "list", "--data", file]);
  assert.equal(plain.stderr.split("\n")[0], `error: ${file} has no data of a contributor`);
  assert.doesNotMatch(plain.stderr, /\n\s+at /);
});
