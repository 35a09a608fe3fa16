import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../storage/temporary.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A command that says what it was given, and can be told how to end. */
const MAIN = `
const [first] = process.argv.slice(2);
if (first === "wait") { process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000); }
else process.exitCode = Number(first ?? 0);
console.log(JSON.stringify({ node: process.versions.node, args: process.argv.slice(2), cwd: process.cwd() }));
`;

/** A copy of the project with that command. @param installed whether its packages are there */
function project(context: { after(work: () => void): void }, installed: boolean): string {
  const directory = temporaryDirectory(context);
  for (const file of ["package.json", "package-lock.json", ".npmrc", "deltapay", "scripts/bootstrap.mjs"]) {
    fs.mkdirSync(path.join(directory, path.dirname(file)), { recursive: true });
    fs.cpSync(path.join(ROOT, file), path.join(directory, file));
  }
  fs.mkdirSync(path.join(directory, "runner", "cli"), { recursive: true });
  fs.writeFileSync(path.join(directory, "runner", "cli", "main.ts"), MAIN);
  if (installed)
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(directory, "node_modules"), "junction");
  return directory;
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function follow(child: ChildProcess): { printed: Promise<unknown>; ended: Promise<Ended> } {
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (bytes: Buffer) => {
    output.stdout += bytes.toString();
  });
  child.stderr?.on("data", (bytes: Buffer) => {
    output.stderr += bytes.toString();
  });
  const ended = once(child, "close").then(([code]) => ({ ...output, code: code as number | null }));
  return { printed: once(child.stdout!, "data"), ended };
}

function launch(
  directory: string,
  args: string[],
  environment: Record<string, string> = {},
  cwd = directory,
) {
  const command = path.join(directory, "deltapay");
  return spawn(process.execPath, [command, ...args], { cwd, env: { ...process.env, ...environment } });
}

test("arguments, folder and exit code pass through to the project's own Node", async (context) => {
  const directory = project(context, true);
  const elsewhere = temporaryDirectory(context);
  const { code, stdout, stderr } = await follow(
    launch(directory, ["3", "--json", "two words", ""], {}, elsewhere),
  ).ended;
  assert.equal(code, 3);
  assert.equal(stderr, "");
  const { node, args, cwd } = JSON.parse(stdout);
  assert.ok(Number(node.split(".")[0]) >= 24);
  assert.deepEqual(args, ["3", "--json", "two words", ""]);
  assert.equal(fs.realpathSync(cwd), fs.realpathSync(elsewhere));
});

test("a signal reaches the command, and its exit code comes back", async (context) => {
  const child = launch(project(context, true), ["wait"]);
  const { printed, ended } = follow(child);
  await printed;
  child.kill("SIGTERM");
  assert.equal((await ended).code, 7);
});

test("missing packages are installed first; when that fails, stderr says so and stdout stays empty", async (context) => {
  const directory = project(context, false);
  const offline = {
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_cache: temporaryDirectory(context),
    npm_config_fetch_retries: "0",
  };
  const { code, stdout, stderr } = await follow(launch(directory, ["0"], offline)).ended;
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^installing packages \([0-9]+ missing\)/);
  assert.match(stderr, /error: installing the packages failed/);
});

test("a package in another version than the lock's counts as missing", async (context) => {
  const directory = project(context, false);
  const place = path.join(directory, "node_modules");
  fs.mkdirSync(place);
  for (const name of fs.readdirSync(path.join(ROOT, "node_modules")))
    fs.symlinkSync(path.join(ROOT, "node_modules", name), path.join(place, name), "junction");
  const record = path.join(place, ".package-lock.json");
  const installed = JSON.parse(fs.readFileSync(record, "utf8"));
  installed.packages["node_modules/zod"].version = "0.0.1";
  fs.rmSync(record);
  fs.writeFileSync(record, JSON.stringify(installed));
  // An installer that another process seems to run: nothing is touched meanwhile.
  fs.mkdirSync(path.join(directory, "build"));
  fs.writeFileSync(path.join(directory, "build", "install.lock"), String(process.pid));
  const child = launch(directory, ["0"]);
  const [words] = (await once(child.stderr!, "data")) as [Buffer];
  assert.match(words.toString(), /another process is installing the packages/);
  child.kill("SIGKILL");
  await once(child, "close");
});
