/** Building, loading and verifying keys on disk. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { makeDevKey } from "../../runner/keys/artefacts.ts";
import { buildKeys, listKeys } from "../../runner/keys/commands.ts";
import { ensureKey, loadCommitKey, loadProvingKey } from "../../runner/keys/load.ts";
import { pinnedKey, pinnedKeys } from "../../runner/keys/pinned.ts";
import { keyPaths, storeKey } from "../../runner/keys/store.ts";
import { verifyKey } from "../../runner/keys/verifyKey.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { KEY_SIZES, vkHash } from "../../runner/protocol/key.ts";

const SIZE = 14;
const run = promisify(execFile);
const root = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-keys-"));
let made = 0;

beforeEach(() => {
  process.env["DELTAPAY_KEYS"] = path.join(root, String(made++));
});

after(async () => {
  fs.rmSync(root, { recursive: true });
  await (await loadCurve()).terminate();
});

/** Flips one bit in the middle of a file. */
function corrupt(file: string): void {
  const bytes = fs.readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  fs.writeFileSync(file, bytes);
}

test("every size is pinned, with L + 1 constraints", () => {
  assert.deepEqual(
    pinnedKeys().map(({ size, constraints, state }) => ({ size, constraints, state })),
    KEY_SIZES.map((size) => ({ size, constraints: size + 1, state: "dev" })),
  );
  assert.equal(new Set(pinnedKeys().map((key) => key.vkHash)).size, KEY_SIZES.length);
});

test("a missing key is built, with progress, and then found", async () => {
  const steps: string[] = [];
  assert.equal(listKeys()[0]!.built, false);
  const onProgress = (step: string, done: number, total: number): void => {
    assert.ok(done >= 0 && done <= total, `${step} ${done}/${total}`);
    if (steps.at(-1) !== step) steps.push(step);
  };
  const [built] = await buildKeys([SIZE], { onProgress });
  assert.deepEqual(steps, ["compile", "ptau", "setup", "beacon", "check"]);
  assert.equal(listKeys()[0]!.built, true);
  assert.equal(built!.paths.directory, keyPaths(SIZE).directory);
  assert.deepEqual(fs.readdirSync(process.env["DELTAPAY_KEYS"]!), [String(SIZE)], "nothing is left over");
  const key = await loadProvingKey(SIZE, { onProgress: () => assert.fail("built twice") });
  assert.equal(vkHash(key.commitKey), pinnedKey(SIZE).vkHash);
  const checks = await verifyKey(SIZE);
  assert.deepEqual(
    checks.filter((check) => !check.ok),
    [],
  );
  assert.equal(checks.length, 12);
});

test("two calls in one process build once", async () => {
  let compiles = 0;
  const onProgress = (step: string, done: number): void => {
    if (step === "compile" && done === 0) compiles++;
  };
  await Promise.all([ensureKey(SIZE, { onProgress }), ensureKey(SIZE, { onProgress })]);
  assert.equal(compiles, 1);
});

test("two processes that build at once both succeed and leave one whole key", async () => {
  const load = new URL("../../runner/keys/load.ts", import.meta.url).href;
  const curve = new URL("../../runner/protocol/curve.ts", import.meta.url).href;
  const program = `
    const { loadProvingKey } = await import(${JSON.stringify(load)});
    await loadProvingKey(${SIZE});
    await (await (await import(${JSON.stringify(curve)})).loadCurve()).terminate();`;
  const child = () => run(process.execPath, ["--input-type=module", "-e", program], { env: process.env });
  await Promise.all([child(), child()]);
  assert.deepEqual(fs.readdirSync(process.env["DELTAPAY_KEYS"]!), [String(SIZE)]);
  await loadProvingKey(SIZE);
});

test("storing an equal key again leaves the folder that others may be reading", async () => {
  const paths = await ensureKey(SIZE);
  const before = fs.statSync(paths.directory).ino;
  storeKey(await makeDevKey(await loadCurve(), SIZE));
  assert.equal(fs.statSync(paths.directory).ino, before);
});

test("an interrupted build, and a key of another version, are built again", async () => {
  const paths = await ensureKey(SIZE);
  fs.mkdirSync(path.join(process.env["DELTAPAY_KEYS"]!, ".new-interrupted"));
  fs.rmSync(paths.zkey);
  assert.equal(listKeys()[0]!.built, false);
  await assert.rejects(verifyKey(SIZE), { code: "key/not-built" });
  await loadProvingKey(SIZE);
  const info = JSON.parse(fs.readFileSync(paths.info, "utf8")) as Record<string, unknown>;
  fs.writeFileSync(paths.info, JSON.stringify({ ...info, zkeyHash: "0x00" }));
  fs.writeFileSync(paths.zkey, "the key of another version");
  await loadProvingKey(SIZE);
});

test("a file that was changed is refused and named", async () => {
  const paths = await ensureKey(SIZE);
  for (const file of [paths.zkey, paths.wasm, paths.r1cs, paths.commitKey]) {
    const whole = fs.readFileSync(file);
    corrupt(file);
    await assert.rejects(loadProvingKey(SIZE), { code: "key/not-pinned", field: file });
    fs.writeFileSync(file, whole);
  }
  corrupt(paths.commitKey);
  await assert.rejects(loadCommitKey(SIZE), { code: "key/not-pinned" });
});

test("verification names what is wrong with a key", async () => {
  const paths = await ensureKey(SIZE);
  const failing = async (): Promise<string[]> =>
    (await verifyKey(SIZE)).filter((check) => !check.ok).map((check) => check.check);
  corrupt(paths.wasm);
  assert.deepEqual(await failing(), ["witness generator"]);
  fs.writeFileSync(paths.zkey, "zkey");
  corrupt(paths.commitKey);
  assert.deepEqual(await failing(), [
    "witness generator",
    "points",
    "from the moved initial key",
    "reproducible",
    "commit key",
    "vkHash is pinned",
    "key.zkey is pinned",
  ]);
});

test("a key is what this version pins, whatever is written beside it", async () => {
  const paths = await ensureKey(SIZE);
  const info = JSON.parse(fs.readFileSync(paths.info, "utf8")) as Record<string, unknown>;
  const claimed = { ...info, state: "ceremony", contributions: 99, transcriptHash: `0x${"11".repeat(32)}` };
  fs.writeFileSync(paths.info, JSON.stringify(claimed));
  const checks = await verifyKey(SIZE);
  assert.match(checks.find(({ check }) => check === "state")!.detail, /^dev key: its secrets are public/);
  assert.ok(checks.some(({ check }) => check === "reproducible"));
});

test("a size without a key is refused", async () => {
  await assert.rejects(ensureKey(16), { code: "key/unknown-size" });
  await assert.rejects(verifyKey(16), { code: "key/unknown-size" });
});
