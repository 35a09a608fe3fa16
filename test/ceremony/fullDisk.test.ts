/** What a disk that takes no more does to a contribution: said in words, and nothing that was finished is lost. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CeremonyFolder } from "../../runner/ceremony/folder.ts";
import { verifyCeremony } from "../../runner/ceremony/verify.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { begun, makePtau } from "./setting.ts";

const MAIN = fileURLToPath(new URL("../../runner/cli/main.ts", import.meta.url));
const ARGS = ["--disable-warning=ExperimentalWarning", MAIN, "ceremony", "contribute"];
const OPTIONS = ["--name", "Ada", "--accept-unknown-ptau", "--json"];

after(async () => (await loadCurve()).terminate());

function contribute(
  directory: string,
  before: readonly string[] = [],
): { status: number | null; stdout: string } {
  const [program, ...rest] = [...before, process.execPath, ...ARGS, directory, ...OPTIONS];
  return spawnSync(program!, rest, { encoding: "utf8", timeout: 60_000 });
}

test("a file that may not grow ends a contribution with a word on why, and the next run goes on", {
  skip: process.platform === "win32",
}, async (context) => {
  const folder = await begun(context, await makePtau(6), [14, 62]);
  // 14.zkey has 18 kB, 62.zkey 72 kB: a process that may write files of 48 kB only
  const limited = ["/bin/sh", "-c", 'ulimit -f 96; exec "$@"', "sh"];
  const { status, stdout } = contribute(folder.directory, limited);
  assert.equal(status, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, "ceremony/cannot-write");
  assert.match(error.message, /62\.zkey.*larger than is allowed/);
  assert.equal(folder.round(), 0);
  const kept = fs.readFileSync(folder.file(".next", "14.zkey"));
  assert.equal(contribute(folder.directory).status, 0);
  assert.deepEqual(fs.readFileSync(folder.roundFile(1, "14.zkey")), kept);
});

/** A file system of 96 kB that is gone with the test; undefined where one may not be mounted. */
function smallDisk(context: Parameters<typeof temporaryDirectory>[0]): string | undefined {
  const directory = temporaryDirectory(context);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=96k", "tmpfs", directory]);
  if (mounted.status !== 0) return undefined;
  context.after(() => void spawnSync("umount", [directory]));
  return directory;
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
