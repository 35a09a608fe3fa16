/** The audit's own decoding and hashing, against the vectors that the product and the contracts are held to. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { bn254 } from "@noble/curves/bn254.js";
import { decodeCall, ESCROW, REGISTRY } from "../../runner/audit/chain/contracts.ts";
import { foldTranscript } from "../../runner/audit/checks/transcript.ts";
import { readCommitKey } from "../../runner/audit/formats/commitKey.ts";
import { challenges, checkKnowledge, readCommitments } from "../../runner/audit/formats/commitments.ts";
import { batchHolds, endSnarkjs, pairingHolds, snarkjsVerifies } from "../../runner/audit/formats/groth16.ts";
import { readManifest } from "../../runner/audit/formats/manifest.ts";
import {
  adapterId,
  agreementId,
  batchSeed,
  batchWeight,
  type Claim,
  type Offer,
  offerDigest,
  offerHash,
  type Receipt,
  receiptDigest,
  type Statement,
  signerOf,
  statementsHash,
} from "../../runner/audit/formats/messages.ts";
import { readOpening } from "../../runner/audit/formats/openingFile.ts";
import { passFileName, readPass } from "../../runner/audit/formats/passFile.ts";
import {
  deltaWeights,
  firstHead,
  foldedAnswers,
  nextHead,
  statementOf,
} from "../../runner/audit/formats/session.ts";
import { fromHex, toHex } from "../../runner/audit/primitives/bytes.ts";
import { encodeG1, pointG2, pointsG1, words } from "../../runner/audit/primitives/curve.ts";
import { sha, tag, wide, xof } from "../../runner/audit/primitives/hashes.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import type { Plain } from "../vectors/book.ts";
import { text, vectorsByName } from "../vectors/read.ts";

const { names, vector } = vectorsByName();
const output = (name: string): string => text(vector(name).output);
const inputs = (name: string): Record<string, Plain> => vector(name).inputs as Record<string, Plain>;
const integers = (list: string): bigint[] => list.split(" ").map(BigInt);
const short = (tagText: string): string => tagText.replace("deltapay/1/", "");

after(endSnarkjs);

const key = readCommitKey(fromHex(output("key/commit-key-file")));
const manifest = readManifest(fromHex(text(vector("manifest/bytes").output, "bytes")));
const committed = readCommitments(
  fromHex(text(vector("commitments-file").output, "bytes")),
  manifest.modules,
);
const message = <Message>(name: string): Message => {
  const { message: fields } = inputs(`eip712/${name}`) as { message: Record<string, string> };
  const isNumber = (value: string): boolean => /^[0-9]+$/.test(value);
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field, isNumber(value) ? BigInt(value) : value]),
  ) as Message;
};
const domain = { chainId: 31337n, escrow: text(inputs("eip712/Receipt"), "escrow") };
const V = (inputs("statements-hash")["V"] as string[]).map(
  (point) => words(fromHex(point)) as unknown as Statement,
);
const claims = (vector("claims").output as Record<string, string>[]).map(
  ({ group, a, b, c }): Claim => ({
    group: BigInt(group!),
    ...{ a: integers(a!), b: integers(b!), c: integers(c!) },
  }),
);

describe("hashes", () => {
  for (const name of names.filter((known) => known.startsWith("tag/")))
    test(name, () => assert.equal(toHex(tag(short(text(inputs(name), "text")))), output(name)));

  test("sha, xof, wide", () => {
    const fields = (name: string): Uint8Array[] =>
      (inputs(name)["fields"] as string[]).map((field) => fromHex(field));
    for (const name of ["sha", "sha/no-fields"])
      assert.equal(toHex(sha(short(text(inputs(name), "tag")), ...fields(name))), output(name));
    assert.equal(wide(short(text(inputs("wide"), "tag")), ...fields("wide")), BigInt(output("wide")));
    const { integers: expected } = vector("xof").output as { integers: string };
    assert.deepEqual(xof(fromHex(text(inputs("xof"), "seed")), 5), integers(expected));
  });
});

describe("points", () => {
  for (const name of names.filter((known) => /^point\/(refused\/|[0-9m]|generator)/.test(known)))
    test(name, () => {
      const isRefused = name.startsWith("point/refused/");
      const encoded = isRefused ? text(inputs(name), "bytes") : output(name);
      const decode = () => pointsG1(fromHex(encoded), "point").map((point) => toHex(encodeG1(point)));
      if (isRefused) assert.throws(decode, { name: "Wrong" });
      else assert.deepEqual(decode(), [encoded]);
    });
});

test("a point of the twist outside the group G2 is refused, as the contract refuses it", () => {
  const { Fp2 } = bn254.fields;
  const b = Fp2.fromBigTuple([
    19485874751759354771024239261021720505790618469301721065564631296452457478373n,
    266929791119991161246907387137283842545076965332900288569378510910307636690n,
  ]);
  for (let real = 1n; ; real++) {
    const x = Fp2.fromBigTuple([real, 0n]);
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), b);
    if (!Fp2.eql(Fp2.pow(square, (Fp2.ORDER - 1n) / 2n), Fp2.ONE)) continue;
    const y = Fp2.sqrt(square);
    // the cofactor is larger than 2^250: a point that is found is not in the group
    assert.throws(() => pointG2([x.c1, x.c0, y.c1, y.c0], "B"), /B is not in the group G2/);
    return;
  }
});

test("commit key file and vkHash", () => {
  assert.equal(key.vkHash, output("key/vk-hash"));
  assert.equal(key.size, 14);
});

test("manifest, commitments, proofs of knowledge", () => {
  assert.deepEqual(
    manifest.modules.map(({ name, dIn, dOut, r, group, slot }) => ({ name, dIn, dOut, r, group, slot })),
    inputs("knowledge/challenge")["modules"],
  );
  for (const [m, { A, B }] of committed.entries()) {
    assert.equal(toHex(A.encoded), text(vector(`commitment/${m}`).output, "CA"));
    assert.equal(toHex(B.encoded), text(vector(`commitment/${m}`).output, "CB"));
  }
  checkKnowledge(key, manifest, committed);
  const shifted = { ...manifest, contributor: manifest.registry };
  assert.notDeepEqual(challenges(shifted, committed), challenges(manifest, committed));
  assert.throws(() => checkKnowledge(key, shifted, committed), /proof of knowledge of A does not hold/);
});

test("identifiers and EIP-712", () => {
  const parts = (name: string): never => {
    const fields = Object.entries(inputs(name)).map(([field, value]) => [
      field,
      typeof value === "number" || /^[0-9]+$/.test(String(value)) ? BigInt(String(value)) : value,
    ]);
    return Object.fromEntries(fields) as never;
  };
  assert.equal(adapterId(parts("adapter-id")), output("adapter-id"));
  assert.equal(agreementId(parts("agreement-id")), output("agreement-id"));
  const offer = message<Offer>("Offer");
  assert.equal(offerHash(offer), output("offer-hash"));
  const receipt = message<Receipt>("Receipt");
  for (const [name, digest] of [
    ["Offer", offerDigest(domain, offer)],
    ["Receipt", receiptDigest(domain, receipt)],
  ] as const) {
    const told = vector(`eip712/${name}`).output;
    assert.equal(digest, text(told, "digest"));
    assert.equal(signerOf(digest, text(told, "signature")), text(told, "signer").toLowerCase());
  }
  assert.equal(statementsHash(V), output("statements-hash"));
});

test("calldata of register, open and settle", () => {
  const register = decodeCall(REGISTRY, output("call/register"));
  assert.equal(register?.name, "register");
  assert.equal(register.args["uri"], text(inputs("call/register"), "uri"));
  const open = decodeCall(ESCROW, output("call/open"));
  assert.deepEqual(open?.args["offer"], message<Offer>("Offer"));
  const settle = decodeCall(ESCROW, output("call/settle"));
  assert.deepEqual(settle?.args["receipt"], message<Receipt>("Receipt"));
  assert.deepEqual(settle.args["V"], V);
  assert.deepEqual(settle.args["claims"], claims);
});

test("seed and weights of a batch", () => {
  const { agreementId: id, receiptHash, vkHash } = inputs("batch/seed") as Record<string, string>;
  const seed = batchSeed({
    ...{ domain, V, claims },
    ...{ agreementId: id!, receiptHash: receiptHash!, vkHash: vkHash! },
  });
  assert.equal(seed, output("batch/seed"));
  assert.deepEqual(
    [0, 1].map((i) => batchWeight(seed, i)),
    integers(output("batch/weights")),
  );
});

test("proofs, one by one in two ways and as a batch; each only for its own statement", async () => {
  for (const [g, claim] of claims.entries()) {
    assert.equal(pairingHolds(key, V[g]!, claim), true);
    assert.equal(await snarkjsVerifies(key, V[g]!, claim), true);
    assert.equal(pairingHolds(key, V[1 - g]!, claim), false);
    assert.equal(await snarkjsVerifies(key, V[1 - g]!, claim), false);
  }
  const weights = integers(output("batch/weights"));
  assert.equal(batchHolds(key, V, claims, weights), true);
  assert.equal(batchHolds(key, V.toReversed(), claims, weights), false);
});

test("the transcript folds to the opening file, and both give the statements", (t) => {
  const folder = temporaryDirectory(t);
  for (const number of [1, 2])
    fs.writeFileSync(
      path.join(folder, passFileName(number)),
      fromHex(output(`file/pass-transcript/${number}`)),
    );
  const { modules, groups } = manifest;
  const receipt = message<Receipt>("Receipt");
  const { opening } = foldTranscript({
    ...{ folder, others: [], modules, groups, receipt, earlier: [], agreementId: receipt.agreementId },
    onPass: () => {},
  });
  const file = readOpening(fromHex(output("file/opening")), modules, groups);
  assert.deepEqual({ ...opening, manifestHash: file.manifestHash }, file);
  const delta = deltaWeights(fromHex(receipt.head), modules);
  assert.deepEqual(delta.flat(), integers(output("delta")));
  const yHat = foldedAnswers(delta, opening, modules, groups);
  const parts = { key, modules, committed, opening, delta, yHat };
  for (const [g, statement] of V.entries()) assert.deepEqual(statementOf(g, parts), statement);
});

test("a module as wide as a vocabulary has a statement", () => {
  const dOut = 151_936;
  const opening = readOpening(fromHex(output("file/opening")), manifest.modules, manifest.groups);
  const module = { ...manifest.modules[0]!, dOut, group: 0 };
  const { A, B } = committed[0]!;
  const widened = (rows: number) => {
    const side = { ...B, points: new Array<(typeof B.points)[0]>(rows).fill(B.points[0]!) };
    const delta = [new Array<bigint>(rows).fill(0n)];
    return { key, opening, yHat: [1n], modules: [module], committed: [{ A, B: side }], delta };
  };
  assert.deepEqual(statementOf(0, widened(dOut)), statementOf(0, widened(1)));
});

test("receipts for fewer passes are of the same session", (t) => {
  const folder = temporaryDirectory(t);
  for (const number of [1, 2])
    fs.writeFileSync(
      path.join(folder, passFileName(number)),
      fromHex(output(`file/pass-transcript/${number}`)),
    );
  const { modules, groups } = manifest;
  const receipt = message<Receipt>("Receipt");
  const { agreementId: id } = receipt;
  const fold = (other: Receipt) =>
    foldTranscript({
      ...{ folder, others: [], modules, groups, receipt, earlier: [receipt, other], agreementId: id },
      onPass: () => {},
    });
  const first = readPass(fromHex(output("file/pass-transcript/1")), modules, "pass 1");
  const head = toHex(nextHead(firstHead(id), first));
  const honest = { ...receipt, passes: 1n, tokens: BigInt(first.tokens), head };
  assert.equal(fold(honest).passes, 2);
  for (const other of [
    { ...honest, head: receipt.head },
    { ...honest, tokens: honest.tokens + 1n },
  ])
    assert.throws(() => fold(other), /for 1 passes .* is of another session/);
});

test("an opening's sums are no larger than its tokens can make them", () => {
  const { modules, groups } = manifest;
  const bytes = fromHex(output("file/opening"));
  // magic, agreement, manifest, passes, tokens, head, G, M, two t, shape; the top byte of the first sum is 0x80
  const top = 32 * 3 + 16 + 32 + 8 + 32 * groups + 8 + 31;
  assert.ok(bytes[top] === 0x80 || bytes[top] === 0x7f);
  bytes[top] = 0x90;
  assert.throws(
    () => readOpening(bytes, modules, groups),
    /xBar\[0\] of the opening file is beyond 2\^143 a token/,
  );
});

test("an altered pass folds to another head; an answer beyond any honest one is named by its place", (t) => {
  const folder = temporaryDirectory(t);
  const write = (number: number, change: (bytes: Buffer) => void): void => {
    const bytes = Buffer.from(fromHex(output(`file/pass-transcript/${number}`)));
    change(bytes);
    fs.writeFileSync(path.join(folder, passFileName(number)), bytes);
  };
  const { modules, groups } = manifest;
  const receipt = message<Receipt>("Receipt");
  const transcript = { folder, modules, groups, receipt, earlier: [], agreementId: receipt.agreementId };
  const fold = (...others: string[]) => foldTranscript({ ...transcript, others, onPass: () => {} });
  // magic, salt, T, then X of three tokens, five wide
  const firstY = 32 + 32 + 4 + 2 * 3 * 5;
  write(2, () => {});
  write(1, (bytes) => {
    bytes[firstY]! ^= 1;
  });
  const nothing = path.join(folder, "nothing");
  const verdict = { name: "Wrong", message: /folds to the head 0x[0-9a-f]{64}, the receipt is for/ };
  assert.throws(() => fold(), verdict);
  assert.throws(() => fold(nothing), verdict, "another copy that is not there takes nothing back");
  write(1, (bytes) => bytes.writeBigInt64LE(2n ** 60n, firstY + 8 * 4));
  assert.throws(
    () => fold(),
    /pass 1, module layers\.0\.q_proj, token 1, column 1: y = 1152921504606846976 is beyond/,
  );
});

test("a session too long to search for what was altered is failed without", (t) => {
  const folder = temporaryDirectory(t);
  const [tokens, dIn] = [1300, 4096];
  const pass = Buffer.concat([tag("pass-transcript"), Buffer.alloc(32 + 4 + tokens * (2 * dIn + 8))]);
  pass.writeUInt32LE(tokens, 64);
  // one answer to nothing but zeros that is not zero
  pass.writeBigInt64LE(1n, pass.length - 8);
  fs.writeFileSync(path.join(folder, passFileName(1)), pass);
  const receipt = { ...message<Receipt>("Receipt"), passes: 1n };
  const modules = [{ name: "wide", dIn, dOut: 1, r: 1, group: 0, slot: 0 }];
  const { agreementId } = receipt;
  const transcript = { folder, others: [], modules, groups: 1, receipt, earlier: [], agreementId };
  assert.throws(
    () => foldTranscript({ ...transcript, onPass: () => {} }),
    /the receipt is for 0x[0-9a-f]{64}; where is not told by this copy alone/,
  );
});
