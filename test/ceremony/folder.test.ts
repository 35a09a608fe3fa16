/** A ceremony as a folder: what the tools do with broken input, interruptions and full disks. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { checkCeremony } from "../../runner/ceremony/checkCeremony.ts";
import { makeRound } from "../../runner/ceremony/contribute.ts";
import { finalizeCeremony } from "../../runner/ceremony/finalize.ts";
import { CeremonyFolder } from "../../runner/ceremony/folder.ts";
import { initCeremony } from "../../runner/ceremony/init.ts";
import { checkPtau, readPtau } from "../../runner/ceremony/ptau.ts";
import { PUBLIC_PTAU } from "../../runner/ceremony/publicPtau.ts";
import { beaconStep, checkName, type Step, secretStep } from "../../runner/ceremony/step.ts";
import { verifyCeremony } from "../../runner/ceremony/verify.ts";
import { devPtau, devSecrets } from "../../runner/keys/devPtau.ts";
import { readSections, writeSections } from "../../runner/keys/sections.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { begun, makePtau, SIZE } from "./setting.ts";

const curve = await loadCurve();
const ptau = await makePtau(5);
const SIZES = [SIZE, 30];
const TRUSTING = { acceptUnknownPtau: true };

after(() => curve.terminate());

const contribute = (folder: CeremonyFolder, name: string, step: Step = secretStep(name, "typed")) =>
  makeRound(curve, folder, name, step, TRUSTING);

/** The powers of tau with one section changed. */
function withSection(id: number, change: (body: Uint8Array) => Uint8Array | undefined): Uint8Array {
  const file = readSections(ptau, "ptau", "ptau");
  const sections = new Map(file.sections);
  const body = change(sections.get(id)!.slice());
  if (body === undefined) sections.delete(id);
  else sections.set(id, body);
  return writeSections({ ...file, sections });
}

test("a ceremony from powers of tau to a release, verified at every step", async (context) => {
  const folder = await begun(context, ptau, SIZES);
  const first = await contribute(folder, "Ada");
  await contribute(folder, "Bob");
  const value = { value: new Uint8Array(32).fill(7), iterationsExp: 10 };
  await makeRound(curve, folder, "block 1", beaconStep("block 1", value), { ...TRUSTING, beacon: value });
  await assert.rejects(contribute(folder, "Carol"), { code: "ceremony/closed" });
  const release = path.join(path.dirname(folder.directory), "release");
  const made = await finalizeCeremony(curve, folder, release, TRUSTING);
  const pinned = JSON.parse(fs.readFileSync(path.join(release, "keys.json"), "utf8"));
  assert.deepEqual(pinned, made.keys);
  assert.deepEqual(
    made.keys.map((key) => [key.size, key.state, key.state === "ceremony" && key.contributions]),
    SIZES.map((size) => [size, "ceremony", 2]),
  );
  const options = { ...TRUSTING, release: made.keys, attestations: [first.attestation] };
  const report = await verifyCeremony(curve, folder, options);
  assert.deepEqual(
    report.checks.filter(({ result }) => result !== "passed"),
    [],
  );
  assert.equal(report.verdict, "passed");
  assert.equal(report.transcriptHash, made.transcriptHash);
  assert.deepEqual(
    report.keys.map(({ vkHash }) => vkHash),
    made.keys.map(({ vkHash }) => vkHash),
  );
  await assert.rejects(finalizeCeremony(curve, folder, release, TRUSTING), { code: "ceremony/exists" });
  const other = made.keys.map((key) => ({ ...key, vkHash: made.transcriptHash }));
  const failed = await verifyCeremony(curve, folder, {
    ...TRUSTING,
    release: other,
    attestations: [first.attestation.replace(/(contribution {2}0x)../, "$1ff").replace(/0xff../, "0xff00")],
  });
  assert.equal(failed.verdict, "failed");
  assert.match(JSON.stringify(failed.checks), /ceremony\/other-release.*ceremony\/left-out/);
});

test("a release cannot pass off a key of another size as this ceremony's", async (context) => {
  const folder = await begun(context, ptau);
  await contribute(folder, "Ada");
  const release = path.join(path.dirname(folder.directory), "release");
  const { keys } = await finalizeCeremony(curve, folder, release, TRUSTING);
  const releaseCheck = async (pinned: typeof keys) => {
    const { checks } = await verifyCeremony(curve, folder, { ...TRUSTING, release: pinned });
    return checks.find(({ name }) => name === "release")!;
  };
  const [own] = keys;
  const claimed = await releaseCheck([...keys, { ...own!, size: 8190 }]);
  assert.equal(claimed.result, "failed");
  assert.match(claimed.detail, /key of size 8190 is of this ceremony, which made none of that size/);
  assert.match((await releaseCheck([...keys, own!])).detail, /two keys of size/);
  assert.match((await releaseCheck([])).detail, /size 14 .* it is not there/);
  for (const name of ["wasmHash", "r1csHash", "basesHash", "ic0", "zkeyHash", "vkHash", "contributions"]) {
    const altered = { ...own!, [name]: name === "contributions" ? 2 : `0x${"ab".repeat(32)}` };
    assert.match((await releaseCheck([altered])).detail, new RegExp(`other-release: .*: ${name} must be`));
  }
  assert.ok(own!.state === "ceremony");
  const beside = await releaseCheck([...keys, { ...own!, size: 8190, transcriptHash: own!.vkHash }]);
  assert.equal(beside.result, "passed");
  assert.match(beside.detail, /its keys of size 8190 are not of this ceremony/);
});

test("a release is there whole or not at all, and takes nobody's place", async (context) => {
  const folder = await begun(context, ptau);
  await contribute(folder, "Ada");
  const above = path.dirname(folder.directory);
  const release = path.join(above, "release");
  fs.mkdirSync(`${release}.new`);
  const before = fs.readdirSync(above);
  const overtaken = finalizeCeremony(curve, folder, release, {
    ...TRUSTING,
    onProgress: () => fs.mkdirSync(path.join(release, "other"), { recursive: true }),
  });
  await assert.rejects(overtaken, { code: "ceremony/cannot-write", message: /put there meanwhile/ });
  assert.deepEqual(fs.readdirSync(above), [...before, "release"].sort());
  const beneath = finalizeCeremony(curve, folder, path.join(folder.ptauFile, "release"), TRUSTING);
  await assert.rejects(beneath, { code: "ceremony/cannot-write", message: /part of its path is a file/ });
  fs.rmSync(release, { recursive: true });
  await finalizeCeremony(curve, folder, `${release}/`, TRUSTING);
  assert.deepEqual(fs.readdirSync(release).sort(), ["keys", "keys.json", "transcript.json", "verifiers"]);
});

test("a folder where a file should be is named", async (context) => {
  const folder = await begun(context, ptau);
  await contribute(folder, "Ada");
  for (const file of [folder.roundFile(1, "14.zkey"), folder.ptauFile]) {
    const kept = fs.readFileSync(file);
    fs.rmSync(file);
    fs.mkdirSync(file);
    const { checks } = await verifyCeremony(curve, folder, TRUSTING);
    const failed = checks.find(({ result }) => result === "failed");
    assert.match(failed!.detail, /ceremony\/cannot-read: .*(14\.zkey|powers\.ptau) cannot be read/);
    fs.rmdirSync(file);
    fs.writeFileSync(file, kept);
  }
  fs.rmSync(folder.file("ceremony.json"));
  fs.mkdirSync(folder.file("ceremony.json"));
  await assert.rejects(verifyCeremony(curve, folder, TRUSTING), { code: "ceremony/cannot-read" });
});

test("keys nobody put a secret into are no ceremony's", async (context) => {
  const folder = await begun(context, ptau);
  const release = path.join(path.dirname(folder.directory), "release");
  const nobody = { code: "ceremony/nobody-contributed" };
  await assert.rejects(finalizeCeremony(curve, folder, release, TRUSTING), nobody);
  const value = { value: new Uint8Array(32).fill(7), iterationsExp: 10 };
  await makeRound(curve, folder, "block 1", beaconStep("block 1", value), { ...TRUSTING, beacon: value });
  await assert.rejects(finalizeCeremony(curve, folder, release, TRUSTING), nobody);
  assert.equal((await verifyCeremony(curve, folder, TRUSTING)).verdict, "failed");
  assert.equal(fs.existsSync(release), false);
});

test("powers of tau that are cut, damaged, unprepared or another file are refused at once", async () => {
  const refused = (bytes: Uint8Array, message: RegExp): void =>
    assert.throws(() => readPtau(bytes), { code: "ceremony/bad-ptau", field: "ptau", message });
  refused(ptau.subarray(0, ptau.length - 1), /past the end.*cut/);
  refused(ptau.subarray(0, 1000), /cut/);
  refused(new Uint8Array(0), /shorter than its header/);
  refused(new TextEncoder().encode("<html>404 Not Found</html>"), /not a \.ptau file/);
  refused(
    withSection(12, () => undefined),
    /not prepared for phase 2/,
  );
  refused(
    withSection(13, (body) => body.subarray(128)),
    /section 13 has/,
  );
  refused(
    withSection(1, (body) => body.fill(0, 4, 36)),
    /not over BN254/,
  );
});

test("powers of tau of another ceremony, too small ones and those nobody vouches for are refused", async (context) => {
  const small = readPtau(await makePtau(4));
  await assert.rejects(checkPtau(small, [30], true), { code: "ceremony/ptau-too-small" });
  await assert.rejects(checkPtau(small, [SIZE], false), { code: "ceremony/unknown-ptau" });
  await checkPtau(small, [SIZE], true);
  const folder = await begun(context, ptau);
  fs.writeFileSync(folder.ptauFile, await makePtau(5));
  await assert.rejects(checkCeremony(curve, folder, TRUSTING), { code: "ceremony/wrong-ptau" });
});

test("powers of tau whose points or contributions do not fit are refused, even when vouched for", async () => {
  const refused = (bytes: Uint8Array): Promise<void> =>
    assert.rejects(checkPtau(readPtau(bytes), [SIZE], true), { code: "ceremony/bad-ptau" });
  // exchange two points of a section
  const swapped = (id: number, width: number): Uint8Array =>
    withSection(id, (body) => {
      const [at, next] = [width * 9, width * 10];
      const point = body.slice(at, next);
      body.set(body.slice(next, next + width), at);
      body.set(point, next);
      return body;
    });
  for (const [id, width] of [
    [2, 64],
    [3, 128],
    [12, 64],
    [13, 128],
    [14, 64],
    [15, 64],
  ] as const)
    await refused(swapped(id, width));
  // one whose makers all know tau, with only its top power filled
  await refused(await devPtau(curve, 5, devSecrets(30)));
});

test("the public powers of tau are pinned by their BLAKE2b-512, one for every power that matters", () => {
  assert.equal(new Set(PUBLIC_PTAU.map(({ blake2b }) => blake2b)).size, PUBLIC_PTAU.length);
  for (const { blake2b } of PUBLIC_PTAU) assert.match(blake2b, /^0x[0-9a-f]{128}$/);
  assert.ok(PUBLIC_PTAU.some(({ name }) => name === "powersOfTau28_hez_final_13.ptau"));
});

test("an interrupted contribution goes on with what was finished", async (context) => {
  const folder = await begun(context, ptau, SIZES);
  let calls = 0;
  const step: Step = (zkey, to) => {
    if (++calls === 2) throw new Error("power cut");
    return secretStep("Ada", "")(zkey, to);
  };
  await assert.rejects(contribute(folder, "Ada", step), /power cut/);
  assert.equal(folder.round(), 0);
  const kept = fs.readFileSync(folder.file(".next", "14.zkey"));
  await contribute(folder, "Ada");
  assert.deepEqual(fs.readFileSync(folder.roundFile(1, "14.zkey")), kept);
});

test("what an interrupted run left is not trusted: a wrong key, or one of an earlier round, is made anew", async (context) => {
  const folder = await begun(context, ptau);
  fs.mkdirSync(folder.file(".next"));
  fs.writeFileSync(folder.file(".next", "from.json"), JSON.stringify({ from: 0, owner: "Ada" }));
  const wrong = new TextEncoder().encode("not a key");
  fs.writeFileSync(folder.file(".next", "14.zkey"), wrong);
  await contribute(folder, "Ada");
  assert.notDeepEqual(new Uint8Array(fs.readFileSync(folder.roundFile(1, "14.zkey"))), wrong);
  fs.mkdirSync(folder.file(".next"));
  fs.writeFileSync(folder.file(".next", "from.json"), JSON.stringify({ from: 0, owner: "Bob" }));
  fs.copyFileSync(folder.roundFile(1, "14.zkey"), folder.file(".next", "14.zkey"));
  await contribute(folder, "Bob");
  assert.equal((await verifyCeremony(curve, folder, TRUSTING)).contributions, 2);
});

test("nothing of a secret stays: what was typed is in no file, and one contribution is never like another", async (context) => {
  const folder = await begun(context, ptau);
  const typed = "correct horse battery staple";
  await contribute(folder, "Ada", secretStep("Ada", typed));
  for (const entry of fs.readdirSync(folder.directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = fs.readFileSync(path.join(entry.parentPath, entry.name));
    assert.equal(bytes.indexOf(typed), -1, entry.name);
    assert.ok(/zkey$|ptau$|json$|attestation\.txt$/.test(entry.name), `${entry.name} is not expected here`);
  }
  // the same name and the same words give another secret: the system's random source is always in it
  const again = await begun(context, ptau);
  await contribute(again, "Ada", secretStep("Ada", typed));
  assert.notDeepEqual(
    fs.readFileSync(again.roundFile(1, "14.zkey")),
    fs.readFileSync(folder.roundFile(1, "14.zkey")),
  );
});

test("a key that missed a round is refused", async (context) => {
  const folder = await begun(context, ptau, SIZES);
  await contribute(folder, "Ada");
  const earlier = fs.readFileSync(folder.roundFile(1, "14.zkey"));
  await contribute(folder, "Bob");
  fs.writeFileSync(folder.roundFile(2, "14.zkey"), earlier);
  await assert.rejects(checkCeremony(curve, folder, TRUSTING), { code: "ceremony/uneven" });
  fs.rmSync(folder.roundFile(2, "14.zkey"));
  await assert.rejects(checkCeremony(curve, folder, TRUSTING), { code: "ceremony/missing-key" });
});

test("an initialisation that was interrupted goes on, and one that is finished is not overwritten", async (context) => {
  const directory = path.join(temporaryDirectory(context), "ceremony");
  const options = { directory, ptau, sizes: SIZES, ...TRUSTING };
  const stopped = initCeremony(curve, {
    ...options,
    onProgress: (_, done) => {
      if (done > 0) throw new Error("power cut");
    },
  });
  await assert.rejects(stopped, /power cut/);
  const folder = new CeremonyFolder(directory);
  assert.throws(() => folder.parameters(), { code: "ceremony/no-ceremony" });
  const steps: number[] = [];
  const { keys } = await initCeremony(curve, { ...options, onProgress: (_, done) => steps.push(done) });
  assert.equal(keys.length, 2);
  await assert.rejects(initCeremony(curve, options), { code: "ceremony/exists" });
  const elsewhere = { ...options, directory: `${directory}-2`, sizes: [15] };
  await assert.rejects(initCeremony(curve, elsewhere), { code: "key/unknown-size" });
});

test("parameters that are damaged are refused by field", async (context) => {
  const folder = await begun(context, ptau);
  const text = fs.readFileSync(folder.file("ceremony.json"), "utf8");
  for (const [from, to, field] of [
    ['"protocol": 1', '"protocol": 2', /protocol/],
    ['"size": 14', '"size": 15', /keys\.0\.size/],
    ["{", "[", /ceremony\.json/],
    ['"blake2b": "0x', '"blake2b": "0y', /blake2b/],
  ] as const) {
    fs.writeFileSync(folder.file("ceremony.json"), text.replace(from, to));
    assert.throws(() => folder.parameters(), { code: "ceremony/malformed", field });
  }
});

test("names that cannot stand in a record are refused", () => {
  for (const name of ["", " Ada", "Ada\n", "\u202eAda", "x".repeat(65), "\u{1f600}".repeat(17)])
    assert.throws(() => checkName(name), { code: "ceremony/bad-name" }, JSON.stringify(name));
  for (const name of ["Ada", "Ada Lovelace (London)", "李", "\u{1f600}"]) assert.equal(checkName(name), name);
});
