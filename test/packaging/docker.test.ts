/** The container's steps as they stand in the Dockerfile, run in an empty folder: built, healthy, stopped. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../../runner/chain/localNode.ts";
import { contributorChain } from "../../runner/contributor/chainAdapter.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { testChain } from "../chain/localChain.ts";
import { randomAdapter, until } from "../contributor/setting.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { type Built, parseDockerfile, runDockerfile } from "./dockerfile.ts";

after(async () => (await loadCurve()).terminate());

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const instructions = parseDockerfile(fs.readFileSync(path.join(ROOT, "packaging", "Dockerfile"), "utf8"));
const ignore = fs.readFileSync(path.join(ROOT, ".dockerignore"), "utf8");
const OPERATIONS_PORT = "7422";

/** As `npm ci --omit=dev` would leave it: links to the packages installed here that the lock does not call dev. */
function install(line: string, directory: string): boolean {
  if (!line.startsWith("npm ci ")) return false;
  assert.match(line, /^npm ci --omit=dev --include=optional( |$)/);
  const lock = JSON.parse(fs.readFileSync(path.join(directory, "package-lock.json"), "utf8"));
  for (const [place, { dev }] of Object.entries<{ dev?: boolean }>(lock.packages)) {
    const isNested = place.lastIndexOf("node_modules/") > 0;
    if (place === "" || dev === true || isNested || !fs.existsSync(path.join(ROOT, place))) continue;
    const link = path.join(directory, place);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(path.join(ROOT, place), link, "junction");
  }
  return true;
}

const build = (context: { after(work: () => void): void }): Built =>
  runDockerfile({ instructions, context: ROOT, root: temporaryDirectory(context), run: install });

test("what goes into the image is what the Dockerfile copies, and nothing that is secret", () => {
  const copied = instructions
    .filter(({ name }) => name === "COPY")
    .flatMap(({ words }) => words.split(" ").slice(0, -1));
  const allowed = [...ignore.matchAll(/^!(.+)$/gm)].map(([, name]) => name);
  assert.match(ignore, /^\*$/m);
  assert.deepEqual(copied.sort(), allowed.sort());
});

test("the service runs as nobody special, with its code out of reach", () => {
  const names = instructions.map(({ name }) => name);
  const user = instructions.find(({ name }) => name === "USER");
  assert.equal(user?.words, "node");
  assert.ok(names.lastIndexOf("COPY") < names.indexOf("USER"));
  assert.doesNotMatch(
    instructions.map(({ words }) => words).join("\n"),
    /--chown|PASSPHRASE|PRIVATE_KEY|curl/,
  );
});

test("built, the service starts, is found healthy, and stops when asked", async (context) => {
  const built = build(context);
  const chain = await testChain();
  const seller = chain.as(1);
  const { entrypoint, command, healthcheck, environment, inside } = built;
  const folder = command[command.indexOf("--data") + 1]!;
  assert.equal(fs.statSync(path.dirname(folder)).mode & 0o777, 0o700);
  const data = await openContributorData(folder);
  await registerPeftAdapter({
    data,
    chain: contributorChain(seller),
    contributor: seller.account.address,
    adapter: randomAdapter(),
    modulesPerProof: 2,
  });
  data.close();
  const port = String(await freePort());
  const at = (word: string): string => inside(word).replaceAll(OPERATIONS_PORT, port);
  assert.ok(healthcheck.join(" ").includes(`127.0.0.1:${OPERATIONS_PORT}/healthz`));
  const isHealthy = (): boolean =>
    spawnSync(process.execPath, healthcheck.slice(1).map(at), { timeout: 5000 }).status === 0;
  assert.equal(isHealthy(), false);

  assert.equal(entrypoint[0], "node");
  const metrics = command.indexOf("--metrics");
  const words = [...command.slice(0, metrics + 1), port, ...command.slice(metrics + 1)];
  const child = spawn(
    process.execPath,
    [
      ...[...entrypoint.slice(1), ...words, "--port", "0", "--account", "1"],
      ...["--rpc", chain.rpcUrl, "--deployment", chain.deploymentFile],
    ],
    {
      cwd: built.directory,
      env: { PATH: process.env["PATH"], ...environment, DELTAPAY_KEYS: path.join(ROOT, "build", "keys") },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  context.after(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  await until(() => stderr.includes('"listening"') || child.exitCode !== null, "the service");
  await until(() => isHealthy() || child.exitCode !== null, `health:\n${stderr}`);
  assert.equal(child.exitCode, null, stderr);
  const closed = once(child, "close");
  child.kill(built.stopSignal as NodeJS.Signals);
  assert.deepEqual(await closed, [0, null]);
  assert.equal(isHealthy(), false);
});
