/** The product against test/vectors/protocol.json: what it computes, what it reads, and the circuit. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, describe, test } from "node:test";
import { checkScales } from "../../runner/buyer/session/scales.ts";
import { loadCommitKey, loadProvingKey } from "../../runner/keys/load.ts";
import { equalBytes, fromHex, type Hex, toHex } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { checkManifest, commitmentsFileBytes } from "../../runner/protocol/commitmentsFile.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { decodeActivations, decodeAnswers } from "../../runner/protocol/encoding.ts";
import { decodeCommitKey, vkHash } from "../../runner/protocol/key.ts";
import { decodeManifest, decodeScales, manifestLayout } from "../../runner/protocol/manifest.ts";
import { decodeOpening } from "../../runner/protocol/openingFile.ts";
import { witnessStatement } from "../../runner/protocol/statement.ts";
import { checkSignature, messageDigest } from "../../runner/protocol/typedData.ts";
import { verifyProof } from "../../runner/prover/prove.ts";
import { bundleSchema, parseMessage, receiptRequestSchema } from "../../runner/wire/messages.ts";
import { decodePassAnswer, decodePassRequest } from "../../runner/wire/passRequest.ts";
import { editWitness, satisfies, witnessOf } from "../keys/statement.ts";
import { buildVectors } from "../vectors/build.ts";
import { DOMAIN } from "../vectors/chain.ts";
import { KEY_SIZE, LAYOUT, MODULES, PASSES } from "../vectors/inputs.ts";
import { readVectors, text, vectorsByName } from "../vectors/read.ts";
import { solidityConstants } from "../vectors/solidity.ts";

const file = readVectors()!;
const { names, vector } = vectorsByName();
const curve = await loadCurve();
after(() => curve.terminate());

const output = (name: string, ...path: (string | number)[]): string =>
  text({ out: vector(name).output }, "out", ...path);
const input = (name: string, ...path: (string | number)[]): string => text(vector(name).inputs, ...path);
const hexOf = (name: string, ...path: string[]): Uint8Array => fromHex(output(name, ...path) as Hex);
const bundleText = output("wire/bundle");

describe("computed again", () => {
  test("every vector, and no other", async () => {
    const again = await buildVectors(curve, file.vectors);
    assert.deepEqual(
      again.vectors.map(({ name }) => name),
      names,
    );
    for (const fresh of again.vectors) assert.deepEqual(fresh, vector(fresh.name), fresh.name);
  });

  test("the Solidity constants", () => {
    const source = fs.readFileSync(
      new URL("../../contracts/test/ProtocolVectors.sol", import.meta.url),
      "utf8",
    );
    assert.equal(source, solidityConstants(file));
  });

  test("a proof that does not verify is replaced: only then do vectors change by themselves", async () => {
    const broken = file.vectors.map((known) => {
      if (known.name !== "claims") return known;
      const [first, second] = known.output as Record<string, string>[];
      return { ...known, output: [{ ...first!, c: second!["c"]! }, second!] };
    });
    const again = await buildVectors(curve, broken);
    const changed = again.vectors.filter((fresh) => {
      const { inputs, output: known } = vector(fresh.name);
      return JSON.stringify([fresh.inputs, fresh.output]) !== JSON.stringify([inputs, known]);
    });
    assert.deepEqual(
      changed.map(({ name }) => name),
      ["claims", "batch/seed", "batch/weights", "wire/bundle", "call/settle"],
    );
  });
});

describe("read back", () => {
  test("activations, answers and scales", () => {
    assert.equal(decodeActivations(hexOf("activations"), 6).join(" "), input("activations", "values"));
    assert.equal(decodeAnswers(hexOf("answers"), 7, 2 ** 53).join(" "), input("answers", "values"));
    assert.equal(decodeScales(hexOf("scales"), 5, "b").join(" "), input("scales", "values"));
  });

  test("the commit key file", () => {
    assert.equal(vkHash(decodeCommitKey(hexOf("key/commit-key-file"))), output("key/vk-hash"));
  });

  test("the manifest and its commitments, every proof of knowledge checked", async () => {
    const manifest = decodeManifest(hexOf("manifest/bytes", "bytes"));
    assert.deepEqual(manifestLayout(manifest), LAYOUT);
    const points = await decodeKeyPoints(curve, await loadCommitKey(KEY_SIZE));
    const bytes = hexOf("commitments-file", "bytes");
    const checked = await checkManifest(curve, points, manifest, bytes);
    assert.equal(checked.commitments.length, LAYOUT.modules.length);
    const { layout } = vector("commitments-file").output as { layout: { offset: number; bytes: number }[] };
    const { offset, bytes: length } = layout.at(-1)!;
    assert.equal(commitmentsFileBytes(LAYOUT), offset + length);
  });

  test("the scales, each checked against the manifest, and the opening file", () => {
    const manifest = decodeManifest(hexOf("manifest/bytes", "bytes"));
    const scales = checkScales(manifest, hexOf("wire/scales"));
    assert.deepEqual(
      scales,
      MODULES.map(({ b }) => b),
    );
    const { t, xBar, tokens } = decodeOpening(hexOf("file/opening"));
    assert.deepEqual([tokens, t.map(String)], [5n, [0, 1].map((g) => output(`statement-blind/${g}`))]);
    assert.deepEqual(
      xBar.map((sums) => sums.join(" ")),
      [0, 1, 2].map((m) => output(`fold/${m}`, "xBar")),
    );
  });

  test("request and answer bodies", () => {
    for (const name of names.filter((known) => known.startsWith("wire/pass-request/"))) {
      const pass = PASSES[Number(name.split("/")[2]) - 1]!;
      const request = decodePassRequest(LAYOUT, hexOf(name));
      assert.equal(`wire/pass-request/${name.split("/")[2]}/${request.modules.join("+")}`, name);
      assert.deepEqual([request.tokens, request.passSalt], [pass.tokens, pass.passSalt]);
      assert.deepEqual(request.X, pass.X[request.modules[0]!]);
      const answers = decodePassAnswer(LAYOUT, request, hexOf(name.replace("request", "answer")));
      assert.deepEqual(
        answers,
        request.modules.map((m) => pass.Y[m]),
      );
    }
  });

  test("receipt and proof bundle, and the signature in both", async () => {
    const bundle = parseMessage(bundleSchema, JSON.parse(bundleText), "bundle");
    const { receipt, signature } = parseMessage(
      receiptRequestSchema,
      JSON.parse(output("wire/receipt-request")),
      "receipt",
    );
    assert.deepEqual([bundle.receipt, bundle.signature], [receipt, signature]);
    assert.equal(messageDigest(DOMAIN, "Receipt", receipt), output("eip712/Receipt", "digest"));
    const signer = output("eip712/Receipt", "signer") as Hex;
    await checkSignature(DOMAIN, "Receipt", receipt, signature, signer);
    const another = { ...receipt, tokens: receipt.tokens + 1n };
    await assert.rejects(checkSignature(DOMAIN, "Receipt", another, signature, signer), {
      code: "signature/wrong-signer",
    });
  });

  test("the bundle's claims prove its statements and hold no scalar of the witness", async () => {
    const { commitKey } = await loadProvingKey(KEY_SIZE);
    const { claims } = parseMessage(bundleSchema, JSON.parse(bundleText), "bundle");
    for (const { group, ...proof } of claims)
      assert.equal(await verifyProof(commitKey, hexOf(`statement/${group}`), proof), true);
    const swapped = await verifyProof(commitKey, hexOf("statement/1"), claims[0]!);
    assert.equal(swapped, false);
    for (const g of [0, 1])
      for (const scalar of scalarsOf(g)) {
        if (scalar === 0n) continue;
        assert.equal(bundleText.includes(scalar.toString()), false);
        assert.equal(bundleText.includes(scalar.toString(16).padStart(64, "0")), false);
      }
  });
});

test("docs/protocol.md cites every vector, and none that is not there", () => {
  const page = fs.readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
  const cited = [...page.matchAll(/`v:([^`]+)`/g)].map(([, name]) => name!).filter((name) => name !== "NAME");
  const covers = (pattern: string, name: string): boolean =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  assert.deepEqual(
    names.filter((name) => !cited.some((pattern) => covers(pattern, name))),
    [],
  );
  assert.deepEqual(
    cited.filter((pattern) => !names.some((name) => covers(pattern, name))),
    [],
  );
});

/** yhat, h, s, blind of a group's witness. */
function scalarsOf(g: number): bigint[] {
  return ["yhat", "h", "s", "blind"].flatMap((name) => output(`witness/${g}`, name).split(" ").map(BigInt));
}

function witnessInputs(g: number) {
  const [h, s] = ["h", "s"].map((name) => output(`witness/${g}`, name).split(" ").map(BigInt));
  const [yhat, blind] = ["yhat", "blind"].map((name) => BigInt(output(`witness/${g}`, name)));
  return { yhat: yhat!, h: h!, s: s!, blind: blind! };
}

describe("the session's witnesses", () => {
  for (const g of [0, 1]) {
    test(`group ${g} satisfies the circuit of size ${KEY_SIZE}, and no wrong yhat does`, async () => {
      const { wasm } = await loadProvingKey(KEY_SIZE);
      const r1cs = fromHex(input("key/r1cs-hash", "r1cs") as Hex);
      const witness = witnessInputs(g);
      const wires = await witnessOf(wasm, witness);
      assert.equal(await satisfies(r1cs, wires), true);
      const wrong = editWitness(wires, (all) => {
        all[1]! += 1n;
      });
      assert.equal(await satisfies(r1cs, wrong), false);
      await assert.rejects(witnessOf(wasm, { ...witness, yhat: witness.yhat + 1n }), /Assert Failed/);
    });

    test(`group ${g} opens the statement the buyer forms`, async () => {
      const points = await decodeKeyPoints(curve, await loadCommitKey(KEY_SIZE));
      const V = await witnessStatement(curve, points, witnessInputs(g));
      assert.ok(equalBytes(V, hexOf(`statement/${g}`)), toHex(V));
    });
  }
});
