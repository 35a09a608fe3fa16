import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { AdapterCache, type VerifiedFiles } from "../../runner/buyer/opening/adapterCache.ts";
import type { ReleasedVerifier } from "../../runner/buyer/opening/release.ts";
import { type VerifyAdapterOptions, verifyAdapter } from "../../runner/buyer/opening/verifyAdapter.ts";
import { loadCommitKey } from "../../runner/keys/load.ts";
import { concatBytes, tag, toHex } from "../../runner/protocol/bytes.ts";
import { encodePoint, loadCurve } from "../../runner/protocol/curve.ts";
import { sha256 } from "../../runner/protocol/hash.ts";
import type { KeyTrust } from "../../runner/protocol/keyTrust.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../../runner/protocol/manifest.ts";
import { Vault } from "../../runner/storage/vault.ts";
import { terminateCurveAfterwards } from "../protocol/scenario.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { failsWith } from "./serve.ts";
import { ADAPTER, type Adapter, CODE_HASH, makeAdapter, REGISTRY, stranger, TARGETS } from "./setting.ts";

terminateCurveAfterwards();
const vault = await Vault.open(`${temporaryDirectory({ after })}/vault`);
const curve = await loadCurve();
const honest = await makeAdapter();

type Test = Parameters<typeof temporaryDirectory>[0];

/** What a buyer would use for `adapter`; counts the downloads. */
function optionsFor(t: Test, adapter: Adapter, change: Partial<VerifyAdapterOptions> = {}) {
  const { registration, entry, release } = adapter;
  const downloads = { manifest: 0, commitments: 0 };
  const download = async (name: "manifest" | "commitments", bytes: Uint8Array): Promise<Uint8Array> => {
    downloads[name]++;
    return bytes;
  };
  const options: VerifyAdapterOptions = {
    curve,
    client: {
      manifest: () => download("manifest", registration.manifestBytes),
      commitments: () => download("commitments", registration.commitmentsFile),
    },
    adapterId: ADAPTER,
    entry,
    chainId: 31337n,
    registry: REGISTRY,
    release,
    cache: new AdapterCache(temporaryDirectory(t), vault),
    findTargets: () => TARGETS,
    ...change,
  };
  return { options, downloads };
}

/** The honest adapter under another manifest, hash and all. */
function withManifest(change: Partial<Manifest>): Adapter {
  const manifestBytes = encodeManifest({ ...honest.registration.manifest, ...change });
  const manifestHash = toHex(sha256(manifestBytes));
  return {
    ...honest,
    registration: {
      ...honest.registration,
      manifest: decodeManifest(manifestBytes),
      manifestBytes,
      manifestHash,
    },
    entry: { ...honest.entry, manifestHash },
  };
}

/** Two commitments exchanged: every hash is right, what they open to is not known any more. */
function commitmentsExchanged(): Adapter {
  const file = honest.registration.commitmentsFile.slice();
  const [a, b] = [file.slice(36, 100), file.slice(100, 164)];
  file.set(b, 36);
  file.set(a, 100);
  const forged = withManifest({ commitments: { sha256: toHex(sha256(file)), bytes: file.length } });
  return { ...forged, registration: { ...forged.registration, commitmentsFile: file } };
}

function filesOf({ registration: { manifest, manifestHash } }: Adapter): VerifiedFiles {
  return { manifest: manifestHash, vkHash: manifest.vkHash, commitments: manifest.commitments.sha256 };
}

function noteOf(directory: string, { manifest, vkHash }: VerifiedFiles): string {
  return `${directory}/${manifest.slice(2)}-${vkHash.slice(2)}.verified`;
}

function withVerifier(change: Partial<Omit<ReleasedVerifier, "state">>): Partial<VerifyAdapterOptions> {
  return { release: { verifiers: [{ ...honest.release.verifiers[0]!, ...change }] } };
}

test("an honest adapter passes, and a second run skips downloads and proofs of knowledge", async (t) => {
  const { options, downloads } = optionsFor(t, honest);
  const steps: string[] = [];
  const first = await verifyAdapter({ ...options, onProgress: (step) => steps.push(step) });
  assert.equal(first.fromCache, false);
  assert.deepEqual(first.warnings, []);
  assert.equal(first.layout.groups, 2);
  assert.ok(steps.includes("proofs of knowledge"));
  steps.length = 0;
  const second = await verifyAdapter({ ...options, onProgress: (step) => steps.push(step) });
  assert.equal(second.fromCache, true);
  assert.ok(!steps.includes("proofs of knowledge"));
  assert.deepEqual(downloads, { manifest: 1, commitments: 1 });
  assert.deepEqual(second.commitments, first.commitments);
  const affine = (sums: Uint8Array[]) => sums.map((sum) => curve.G1.toAffine(sum));
  assert.deepEqual(affine(second.sums), affine(first.sums));
});

test("a kept file that was damaged is fetched and checked again", async (t) => {
  const directory = temporaryDirectory(t);
  const { options, downloads } = optionsFor(t, honest, { cache: new AdapterCache(directory, vault) });
  await verifyAdapter(options);
  for (const file of fs.readdirSync(directory)) {
    const bytes = fs.readFileSync(`${directory}/${file}`);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(`${directory}/${file}`, bytes);
  }
  assert.equal((await verifyAdapter(options)).fromCache, false);
  assert.deepEqual(downloads, { manifest: 2, commitments: 2 });
});

test("a verifier that is not the release's is refused before anything is fetched", async (t) => {
  const cases: [string, Partial<VerifyAdapterOptions>][] = [
    ["adapter/unknown-verifier", { entry: { ...honest.entry, verifier: stranger.address } }],
    ["adapter/unknown-verifier", { release: { verifiers: [] } }],
    // A proxy, or one that returns true: the address of the release with other code.
    ["adapter/verifier-code", { entry: { ...honest.entry, verifierCodeHash: ADAPTER } }],
    ["key/dev-key", { chainId: 1n }],
    ["key/not-pinned", withVerifier({ vkHash: CODE_HASH })],
    ["key/not-pinned", { loadKey: () => loadCommitKey(30) }],
  ];
  for (const [code, change] of cases) {
    const { options, downloads } = optionsFor(t, honest, change);
    await assert.rejects(verifyAdapter(options), failsWith(code));
    assert.deepEqual(downloads, { manifest: 0, commitments: 0 });
  }
});

test("off a local chain a dev key goes only with the flag that names the danger, and with a warning", async (t) => {
  const adapter = await makeAdapter({ chainId: 1 });
  const { options } = optionsFor(t, adapter, { chainId: 1n });
  await assert.rejects(verifyAdapter(options), failsWith("key/dev-key"));
  const { warnings } = await verifyAdapter({ ...options, acceptForgeableDevKey: true });
  assert.match(warnings.join(), /anyone can forge/);
  const held = { state: "ceremony", contributions: 1, transcriptHash: `0x${"5c".repeat(32)}` } as const;
  const released = (trust: KeyTrust) => ({ verifiers: [{ ...adapter.release.verifiers[0]!, ...trust }] });
  assert.deepEqual((await verifyAdapter({ ...options, release: released(held) })).warnings, []);
  const beaconOnly = { ...options, release: released({ ...held, contributions: 0 }) };
  await assert.rejects(verifyAdapter(beaconOnly), failsWith("key/dev-key"));
});

test("a manifest that disagrees with the registry is refused by what differs", async (t) => {
  const other = stranger.address.toLowerCase() as `0x${string}`;
  const cases: [string, string, Adapter][] = [
    ["manifest/contributor", "manifest.contributor", withManifest({ contributor: other })],
    ["manifest/registry", "manifest.registry", withManifest({ registry: other })],
    ["manifest/chain", "manifest.chainId", withManifest({ chainId: 1 })],
    ["manifest/key", "manifest.vkHash", withManifest({ vkHash: CODE_HASH })],
    ["manifest/key", "manifest.keySize", withManifest({ keySize: 30 })],
    ["manifest/groups", "manifest.groups", withManifest({ groups: 3 })],
    ["manifest/groups", "manifest.groups", { ...honest, entry: { ...honest.entry, groups: 1 } }],
    ["manifest/hash", "manifest", { ...honest, entry: { ...honest.entry, manifestHash: ADAPTER } }],
  ];
  for (const [code, field, adapter] of cases)
    await assert.rejects(verifyAdapter(optionsFor(t, adapter).options), failsWith(code, field));
});

test("an adapter for another base model is refused by layer", async (t) => {
  const [first, ...rest] = TARGETS;
  const cases: [string, string, typeof TARGETS][] = [
    ["adapter/no-such-module", "manifest.modules[0].name", rest],
    ["adapter/other-shape", "manifest.modules[0].shape", [{ ...first!, dIn: 7 }, ...rest]],
    ["adapter/other-shape", "manifest.modules[0].shape", [{ ...first!, dOut: 6 }, ...rest]],
  ];
  for (const [code, field, targets] of cases) {
    const { options } = optionsFor(t, honest, { findTargets: () => targets });
    await assert.rejects(verifyAdapter(options), failsWith(code, field));
  }
});

test("a commitments file of another length than the shapes make is not fetched", async (t) => {
  const { sha256: hash, bytes } = honest.registration.manifest.commitments;
  for (const named of [bytes - 1, bytes + 1, 2 ** 30]) {
    const { options, downloads } = optionsFor(
      t,
      withManifest({ commitments: { sha256: hash, bytes: named } }),
    );
    await assert.rejects(
      verifyAdapter(options),
      failsWith("manifest/commitments", "manifest.commitments.bytes"),
    );
    assert.deepEqual(downloads, { manifest: 1, commitments: 0 });
  }
});

test("commitments that are not the manifest's, or not known to open, are refused and never cached", async (t) => {
  const { registration } = honest;
  const file = registration.commitmentsFile.slice();
  const swapped = { ...registration, commitmentsFile: Uint8Array.from(file) };
  swapped.commitmentsFile[40]! ^= 1;
  const wrongHash = optionsFor(t, { ...honest, registration: swapped }).options;
  await assert.rejects(verifyAdapter(wrongHash), failsWith("manifest/commitments"));

  const { options } = optionsFor(t, commitmentsExchanged());
  for (let run = 0; run < 2; run++)
    await assert.rejects(verifyAdapter(options), failsWith("manifest/knowledge", "layer.0.A"));
});

test("a note that another key, adapter or check left takes no check away", async (t) => {
  const forged = commitmentsExchanged();
  const directory = temporaryDirectory(t);
  const cache = new AdapterCache(directory, vault);
  const files = filesOf(forged);
  const { sums } = await verifyAdapter(optionsFor(t, honest, { cache }).options);
  const note = noteOf(directory, files);
  const honestNote = fs.readFileSync(noteOf(directory, filesOf(honest)));
  const stranger = new AdapterCache(directory, await Vault.open(`${temporaryDirectory(t)}/vault`));
  const encoded = (sum: Uint8Array) => encodePoint(curve, sum);
  const plants: Record<string, () => void> = {
    "of another vault": () => stranger.noteVerified(curve, files, sums),
    "of another adapter": () => fs.writeFileSync(note, honestNote),
    "of other commitments": () => cache.noteVerified(curve, { ...files, commitments: ADAPTER }, sums),
    "of another check": () => {
      cache.noteVerified(curve, files, sums);
      const bytes = fs.readFileSync(note);
      fs.writeFileSync(note, bytes.fill("1", 26, 27));
    },
    "of the format before notes were sealed": () =>
      fs.writeFileSync(note, concatBytes(tag("deltapay/1/verified-adapter"), ...sums.map(encoded))),
    "with another sum": () => {
      cache.noteVerified(curve, files, sums);
      const bytes = fs.readFileSync(note);
      bytes.copy(bytes, 32, 96, 160);
      fs.writeFileSync(note, bytes);
    },
  };
  for (const [name, plant] of Object.entries(plants)) {
    plant();
    const { options } = optionsFor(t, forged, { cache });
    await assert.rejects(verifyAdapter(options), failsWith("manifest/knowledge"), name);
  }
});

test("another export of the base model is a warning", async (t) => {
  const adapter = withManifest({ baseModel: { name: "tiny", sha256: ADAPTER } });
  const { options } = optionsFor(t, adapter, { baseModelSha256: CODE_HASH });
  assert.match((await verifyAdapter(options)).warnings.join(), /tiny/);
  assert.deepEqual((await verifyAdapter({ ...options, baseModelSha256: ADAPTER })).warnings, []);
});
