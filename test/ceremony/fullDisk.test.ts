/** What a disk that takes no more does to a contribution: said in words, and nothing that was finished is lost. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Uploads } from "../../runner/ceremony/coordinator/uploads.ts";
import { CeremonyFolder } from "../../runner/ceremony/folder.ts";
import { verifyCeremony } from "../../runner/ceremony/verify.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { begun, makePtau, SIZE } from "./setting.ts";

const MAIN = fileURLToPath(new URL("../../runner/cli/main.ts", import.meta.url));
const NODE_ARGS = ["--disable-warning=ExperimentalWarning", MAIN, "ceremony"];
const ACCEPTING = ["--accept-unknown-ptau", "--json"];

after(async () => (await loadCurve()).terminate());

function contribute(directory: string): { status: number | null; stdout: string } {
  const args = [...NODE_ARGS, "contribute", directory, "--name", "Ada", ...ACCEPTING];
  return spawnSync(process.execPath, args, { encoding: "utf8", timeout: 120_000 });
}

test("an upload onto a full disk is refused in words", {
  skip: process.platform !== "linux",
}, async (context) => {
  const folder = await begun(context, await makePtau(4));
  const ticket = "f".repeat(64);
  const uploads = new Uploads(folder, ticket, new Map([[SIZE, 20_000]]));
  const directory = folder.file(".uploads", ticket.slice(0, 16));
  fs.mkdirSync(directory, { recursive: true });
  fs.symlinkSync("/dev/full", path.join(directory, `${SIZE}.zkey`));
  assert.throws(() => uploads.append(SIZE, 0, new Uint8Array(1000)), {
    code: "ceremony/cannot-write",
    message: /14\.zkey.*no space left/,
  });
});

test("a limit of the size of files ends an initialisation with a word on why", {
  skip: process.platform === "win32",
}, async (context) => {
  const directory = temporaryDirectory(context);
  const ptau = path.join(directory, "powers.ptau");
  fs.writeFileSync(ptau, await makePtau(5));
  const args = ["init", path.join(directory, "ceremony"), "--ptau", ptau, "--sizes", "14", ...ACCEPTING];
  const limited = ["-c", 'ulimit -f 20 && exec "$@"', "sh", process.execPath, ...NODE_ARGS, ...args];
  const { status, stdout } = spawnSync("sh", limited, { encoding: "utf8", timeout: 120_000 });
  assert.equal(status, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, "ceremony/cannot-write");
  assert.match(error.message, /lets no file become that large/);
});

/** A file system of 96 kB that is gone with the test; undefined where one may not be mounted. */
function smallDisk(context: { after(work: () => void): void }): string | undefined {
  const directory = fs.mkdtempSync(path.join(tmpdir(), "deltapay-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=96k", "tmpfs", directory]);
  context.after(() => {
    if (mounted.status === 0) spawnSync("umount", [directory]);
    fs.rmdirSync(directory);
  });
  return mounted.status === 0 ? directory : undefined;
}

test("a full disk ends a contribution with a word on why, and the next run goes on", async (context) => {
  const disk = smallDisk(context);
  if (disk === undefined) return context.skip("mounting is not allowed here");
  const folder = await begun(context, await makePtau(5), [14, 30]);
  const directory = path.join(disk, "ceremony");
  fs.cpSync(folder.directory, directory, { recursive: true });
  const { status, stdout } = contribute(directory);
  assert.equal(status, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, "ceremony/cannot-write");
  assert.match(error.message, /no space left/);
  assert.equal(spawnSync("mount", ["-o", "remount,size=1m", disk]).status, 0);
  assert.equal(contribute(directory).status, 0);

  const report = await verifyCeremony(await loadCurve(), new CeremonyFolder(directory), {
    acceptUnknownPtau: true,
  });
  assert.equal(report.verdict, "passed");
});
