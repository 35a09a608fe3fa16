import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes, toHex } from "../../runner/protocol/bytes.ts";
import type { ModuleCommitments } from "../../runner/protocol/commitment.ts";
import {
  checkManifest,
  decodeCommitmentsFile,
  encodeCommitmentsFile,
} from "../../runner/protocol/commitmentsFile.ts";
import { encodePoint, encodePoints, multiExp, packScalars, pointAt } from "../../runner/protocol/curve.ts";
import { P, Q } from "../../runner/protocol/field.ts";
import { sha256 } from "../../runner/protocol/hash.ts";
import { proveKnowledge } from "../../runner/protocol/knowledge.ts";
import {
  decodeManifest,
  decodeScales,
  encodeManifest,
  encodeScales,
  type Manifest,
  scalesHash,
} from "../../runner/protocol/manifest.ts";
import {
  buyerStatements,
  columnSums,
  groupWitness,
  witnessStatement,
} from "../../runner/protocol/statement.ts";
import {
  blindsOf,
  honestPass,
  play,
  type Scenario,
  type Shape,
  scenario,
  terminateCurveAfterwards,
} from "./scenario.ts";

terminateCurveAfterwards();

const SHAPES: Shape[] = [
  { dIn: 3, dOut: 2, r: 2, group: 0 },
  { dIn: 3, dOut: 4, r: 1, group: 0 },
  { dIn: 2, dOut: 2, r: 3, group: 1 },
];

/** Replaces one commitment by itself plus `scalar` times a base, proves knowledge of the rest anew, and rewrites the manifest. */
async function forge(
  world: Scenario,
  side: "CA" | "CB",
  m: number,
  index: number,
  base: Uint8Array,
  scalar: bigint,
) {
  const { curve, key, input, registration, checked } = world;
  const extra = await multiExp(curve, base, packScalars([scalar], 32));
  const forged = checked.commitments.map(({ CA, CB }) => ({ CA: CA.slice(), CB: CB.slice() }));
  const target = forged[m]![side];
  target.set(curve.G1.toAffine(curve.G1.add(extra, pointAt(target, index))), 64 * index);
  const encoded = await Promise.all(
    forged.map(async ({ CA, CB }) => ({
      CA: await encodePoints(curve, CA),
      CB: await encodePoints(curve, CB),
    })),
  );
  const context = {
    chainId: BigInt(input.chainId),
    registry: input.registry,
    contributor: input.contributor,
    vkHash: input.vkHash,
    adapterSalt: input.adapterSalt,
  };
  const knowledge = await proveKnowledge(
    curve,
    key,
    context,
    checked.layout,
    encoded,
    input.modules,
    blindsOf(input),
  );
  const file = encodeCommitmentsFile(encoded, knowledge);
  const manifest: Manifest = {
    ...registration.manifest,
    commitments: { sha256: toHex(sha256(file)), bytes: file.length },
  };
  return { forged, manifest, file };
}

const inner = (a: readonly bigint[], b: readonly bigint[]): bigint =>
  a.reduce((sum, value, k) => (sum + value * b[k]!) % P, 0n);

describe("forged commitments", () => {
  /** Whether the contributor can open the buyer's statement over the forged commitments with a provable witness. */
  async function provable(
    world: Scenario,
    forged: readonly ModuleCommitments[],
    yBarShift: (yBar: bigint[][]) => void,
    hShift: (h: bigint[], xBar: bigint[][]) => void,
  ): Promise<boolean> {
    const { curve, key, checked, input } = world;
    const honest = play(world, [honestPass(input, 3)]);
    const state = { ...honest, yBar: honest.yBar.map((row) => [...row]) };
    yBarShift(state.yBar);
    const [V] = await buyerStatements(
      curve,
      key,
      checked.layout,
      forged,
      await columnSums(curve, forged),
      state,
    );
    const witness = groupWitness(checked.layout, input.modules, blindsOf(input), state, 0);
    hShift(witness.h, state.xBar);
    witness.yhat = inner(witness.s, witness.h);
    return toHex(await witnessStatement(curve, key, witness)) === toHex(V!);
  }

  test("Delta * I in a commitment shifts the folded answer; the proof of knowledge refuses it", async () => {
    const world = await scenario(SHAPES, 14);
    const DELTA = 123456789n;
    const { forged, manifest, file } = await forge(world, "CB", 0, 1, world.key.yhat, DELTA);
    // without the proof of knowledge a folded answer that is wrong by Delta has a valid statement
    const shift = (yBar: bigint[][]): void => {
      yBar[0]![1]! -= DELTA;
    };
    assert.equal(await provable(world, forged, shift, () => {}), true);
    assert.equal(await provable(world, world.checked.commitments, shift, () => {}), false);
    await assert.rejects(checkManifest(world.curve, world.key, manifest, file), {
      code: "manifest/knowledge",
      field: "layer.0.B",
    });
  });

  test("a part on another module's slots answers for its input; the proof of knowledge refuses it", async () => {
    const world = await scenario(SHAPES, 14);
    const { input, key } = world;
    const FACTOR = 5n;
    // module 1's column 0 also feeds slot 0, which belongs to module 0
    const { forged, manifest, file } = await forge(world, "CA", 1, 0, pointAt(key.H, 0), FACTOR);
    const xBarOf = (state: bigint[][]): bigint => state[1]![0]!;
    let leaked = 0n;
    const hShift = (h: bigint[], xBar: bigint[][]): void => {
      h[0] = (((h[0]! + FACTOR * xBarOf(xBar)) % P) + P) % P;
    };
    const honest = play(world, [honestPass(input, 3)]);
    leaked = xBarOf(honest.xBar);
    assert.notEqual(leaked, 0n);
    const { curve, checked } = world;
    const state = { ...honest, yBar: honest.yBar.map((row) => [...row]) };
    for (let j = 0; j < 2; j++) state.yBar[0]![j]! += BigInt(input.modules[0]!.Bq[j * 2]!) * FACTOR * leaked;
    const statements = async (commitments: readonly ModuleCommitments[]) =>
      toHex(
        (
          await buyerStatements(
            curve,
            key,
            checked.layout,
            commitments,
            await columnSums(curve, commitments),
            state,
          )
        )[0]!,
      );
    const witness = groupWitness(checked.layout, input.modules, blindsOf(input), state, 0);
    hShift(witness.h, state.xBar);
    assert.equal(inner(witness.s, witness.h), witness.yhat);
    const forgedV = toHex(await witnessStatement(curve, key, witness));
    assert.equal(await statements(forged), forgedV);
    assert.notEqual(await statements(checked.commitments), forgedV);
    await assert.rejects(checkManifest(curve, key, manifest, file), {
      code: "manifest/knowledge",
      field: "layer.1.A",
    });
  });

  test("the proof of knowledge is bound to chain, registry, contributor, key and salt", async () => {
    const world = await scenario(SHAPES, 14);
    const { curve, key, registration } = world;
    const other = "0x00000000000000000000000000000000000000cc";
    const changes: Partial<Manifest>[] = [
      { chainId: 1 },
      { registry: other },
      { contributor: other },
      { vkHash: `0x${"11".repeat(32)}` },
      { adapterSalt: `0x${"22".repeat(32)}` },
    ];
    for (const change of changes)
      await assert.rejects(
        checkManifest(curve, key, { ...registration.manifest, ...change }, registration.commitmentsFile),
        { code: "manifest/knowledge" },
        JSON.stringify(change),
      );
  });

  test("every registration draws fresh nonces", async () => {
    const world = await scenario(SHAPES, 14);
    const { knowledge } = decodeCommitmentsFile(world.checked.layout, world.registration.commitmentsFile);
    const again = await forge(world, "CA", 0, 0, world.key.Z, 0n);
    const second = decodeCommitmentsFile(world.checked.layout, again.file).knowledge;
    for (const [m, { A, B }] of knowledge.entries()) {
      assert.notEqual(toHex(A.T), toHex(second[m]!.A.T));
      assert.notEqual(toHex(B.T), toHex(second[m]!.B.T));
    }
  });
});

describe("malformed manifests", () => {
  const edit = (world: Scenario, change: (json: Record<string, unknown>) => void): Uint8Array => {
    const json = JSON.parse(new TextDecoder().decode(world.registration.manifestBytes)) as Record<
      string,
      unknown
    >;
    change(json);
    return new TextEncoder().encode(JSON.stringify(json));
  };

  test("are refused by field", async () => {
    const world = await scenario(SHAPES, 14);
    const refused = (change: (json: Record<string, unknown>) => void, field: string): void => {
      assert.throws(() => decodeManifest(edit(world, change)), { code: "manifest/malformed", field });
    };
    assert.deepEqual(decodeManifest(world.registration.manifestBytes), world.registration.manifest);
    refused((json) => Object.assign(json, { protocol: 2 }), "manifest.protocol");
    refused((json) => Object.assign(json, { extra: 1 }), "manifest.");
    refused((json) => Object.assign(json, { vkHash: "0x12" }), "manifest.vkHash");
    refused((json) => Object.assign(json, { contributor: `0x${"AB".repeat(20)}` }), "manifest.contributor");
    refused((json) => Object.assign(json, { groups: -1 }), "manifest.groups");
    refused((json) => Object.assign(json, { modules: [] }), "manifest.modules");
    assert.throws(() => decodeManifest(new TextEncoder().encode("{")), { code: "manifest/malformed" });
  });

  test("duplicate keys, spaces and another field order are not canonical", async () => {
    const world = await scenario(SHAPES, 14);
    const text = new TextDecoder().decode(world.registration.manifestBytes);
    for (const spelling of [
      text.replace('{"protocol":1,', '{"protocol":1,"protocol":1,'),
      text.replace('"protocol":1,', '"protocol": 1,'),
      text.replace('{"protocol":1,"chainId":31337,', '{"chainId":31337,"protocol":1,'),
    ])
      assert.throws(() => decodeManifest(new TextEncoder().encode(spelling)), {
        code: "manifest/not-canonical",
      });
  });

  test("groups that disagree with the modules, overfull groups and doubled names", async () => {
    const world = await scenario(SHAPES, 14);
    const { curve, key, registration } = world;
    const rejects = (change: Partial<Manifest>, code: string) =>
      assert.rejects(
        checkManifest(curve, key, { ...registration.manifest, ...change }, registration.commitmentsFile),
        {
          code,
        },
      );
    const [first, second, third] = registration.manifest.modules as [
      Manifest["modules"][0],
      Manifest["modules"][0],
      Manifest["modules"][0],
    ];
    await rejects({ groups: 1 }, "manifest/groups");
    await rejects({ modules: [first, second, { ...third, group: 2 }] }, "layout/empty-group");
    await rejects({ modules: [{ ...first, shape: [3, 2, 14] }, second, third] }, "layout/group-full");
    await rejects({ modules: [{ ...first, shape: [3, 2, 15] }, second, third] }, "layout/bad-rank");
    await rejects({ modules: [first, { ...second, name: first.name }, third] }, "layout/duplicate-name");
    await rejects({ modules: [{ ...first, shape: [0, 2, 2] }, second, third] }, "layout/bad-shape");
    await rejects({ keySize: 30 }, "manifest/key");
  });
});

describe("a malformed commitments file", () => {
  test("is refused by what is wrong", async () => {
    const world = await scenario(SHAPES, 14);
    const { curve, key, registration, checked } = world;
    const rejects = (change: (file: Uint8Array) => Uint8Array | undefined, code: string, field?: string) => {
      const file = registration.commitmentsFile.slice();
      const changed = change(file) ?? file;
      const manifest = {
        ...registration.manifest,
        commitments: { sha256: toHex(sha256(changed)), bytes: changed.length },
      };
      return assert.rejects(
        checkManifest(curve, key, manifest, changed),
        field === undefined ? { code } : { code, field },
      );
    };
    const FIRST = 36;
    const big = (value: bigint): Uint8Array =>
      Uint8Array.from(value.toString(16).padStart(64, "0").match(/../g)!, (h) => Number.parseInt(h, 16));
    await assert.rejects(
      checkManifest(curve, key, registration.manifest, registration.commitmentsFile.with(40, 1)),
      { code: "manifest/commitments" },
    );
    await rejects((file) => file.subarray(1), "manifest/commitments");
    await rejects((file) => file.with(0, 0), "manifest/commitments");
    await rejects((file) => concatBytes(file, new Uint8Array(1)), "manifest/commitments");
    await rejects((file) => void file.fill(0, FIRST, FIRST + 64), "point/infinity", "layer.0.CA[0]");
    await rejects((file) => void file.set(big(Q), FIRST), "point/not-canonical", "layer.0.CA[0]");
    await rejects((file) => void file.set(big(Q), FIRST + 32), "point/not-canonical", "layer.0.CA[0]");
    await rejects((file) => void file.set(big(1n), FIRST + 64), "point/off-curve", "layer.0.CA[1]");
    await rejects(
      (file) => void file.set(big(P).reverse(), file.length - 32),
      "manifest/commitments",
      "layer.2.B.z[3]",
    );
    // a valid point that is not the committed one
    const other = encodePoint(curve, key.Z);
    await rejects((file) => void file.set(other, FIRST), "manifest/knowledge", "layer.0.A");
    await rejects((file) => void file.set(other, FIRST + 64 * 3), "manifest/knowledge");
    assert.equal(checked.layout.groups, 2);
  });
});

describe("scales", () => {
  test("are bound to salt and module and refuse what is no scale", () => {
    const b = Float64Array.of(0, 0.5, 3e-9);
    const salt = new Uint8Array(32).fill(1);
    assert.deepEqual(decodeScales(encodeScales(b), 3, "b"), b);
    assert.notDeepEqual(scalesHash(salt, 0, b), scalesHash(salt, 1, b));
    assert.notDeepEqual(scalesHash(salt, 0, b), scalesHash(new Uint8Array(32), 0, b));
    for (const bad of [-0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => decodeScales(encodeScales(Float64Array.of(1, bad, 1)), 3, "b"), {
        code: "scales/out-of-range",
        field: "b[1]",
      });
    assert.throws(() => decodeScales(new Uint8Array(23), 3, "b"), { code: "scales/bad-length" });
  });
});

test("a manifest with unsafe fields cannot be encoded", async () => {
  const world = await scenario([{ dIn: 1, dOut: 1, r: 1, group: 0 }], 14);
  assert.throws(() => encodeManifest({ ...world.registration.manifest, chainId: 1.5 }));
});
