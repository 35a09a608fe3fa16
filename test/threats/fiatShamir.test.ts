/** Weak Fiat-Shamir: a challenge that misses an input. Every input of every hash, changed alone, changes the hash. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { movedCircuitHash } from "../../runner/keys/zkeyFile.ts";
import { type Hex, toHex } from "../../runner/protocol/bytes.ts";
import { commitBlinds } from "../../runner/protocol/commitment.ts";
import { sha, wide, xof } from "../../runner/protocol/hash.ts";
import { type VerifyingKey, verifyingKeyHash } from "../../runner/protocol/key.ts";
import { knowledgeChallenge } from "../../runner/protocol/knowledge.ts";
import type { AdapterLayout } from "../../runner/protocol/layout.ts";
import { scalesHash } from "../../runner/protocol/manifest.ts";
import {
  deltaWeights,
  foldWeights,
  initialHead,
  ioHash,
  nextHead,
  statementBlind,
} from "../../runner/protocol/transcript.ts";
import {
  adapterId,
  agreementId,
  messageDigest,
  offerHash,
  statementsHash,
  TYPES,
} from "../../runner/protocol/typedData.ts";

/** Bytes that differ for every label. */
const bytes = (label: number, length = 32): Uint8Array =>
  xof(new Uint8Array(32).fill(label), length).slice(0, length);
const address = (label: number): Hex => toHex(bytes(label, 20));

function show(value: unknown): string {
  if (value instanceof Uint8Array) return toHex(value);
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === "bigint") return `${inner}n`;
    return inner instanceof Uint8Array ? toHex(inner) : inner;
  });
}

/** Another value of the same kind, so different that no width could hide it, and one different in its last bit only. */
function others(value: unknown): unknown[] {
  if (typeof value === "bigint") return [value + 1n, value + (1n << 40n)];
  if (typeof value === "number") return [value + 1, value + 65_536];
  if (value instanceof Uint8Array)
    return [0, value.length - 1].map((at) => value.map((byte, i) => (i === at ? byte ^ 1 : byte)));
  if (value instanceof Float64Array)
    return [value.map((entry, i) => (i === value.length - 1 ? entry + 1 : entry))];
  if (typeof value === "string" && value.startsWith("0x"))
    return [
      `0x${value[2] === "0" ? "1" : "0"}${value.slice(3)}`,
      `${value.slice(0, -1)}${value.endsWith("0") ? "1" : "0"}`,
    ];
  throw new Error(`no other value than ${String(value)}`);
}

/** Every input at its path, changed in every way `others` knows, for what is nested too. */
function* changed(value: unknown, path: string): Generator<[string, unknown]> {
  const isLeaf =
    typeof value !== "object" ||
    value instanceof Uint8Array ||
    value instanceof Float64Array ||
    value === null;
  if (isLeaf) for (const other of others(value)) yield [path, other];
  else if (Array.isArray(value))
    for (const [i, inner] of value.entries())
      for (const [at, other] of changed(inner, `${path}[${i}]`)) yield [at, value.with(i, other)];
  else
    for (const [name, inner] of Object.entries(value))
      for (const [at, other] of changed(inner, `${path}.${name}`)) yield [at, { ...value, [name]: other }];
}

/** The hash of some inputs; inputs by name. */
type Hashing = readonly [inputs: Record<string, unknown>, hash: (inputs: never) => unknown];

const shape = (label: number) => ({ dIn: 2, dOut: 2, r: 1, group: 0, slot: label });
const module = (label: number) => ({ CA: bytes(label, 128), CB: bytes(label + 1, 128) });
const nonce = (label: number) => ({ A: { T: bytes(label, 64) }, B: { T: bytes(label + 1, 64) } });

const layoutOf = (shapes: ReturnType<typeof shape>[]): AdapterLayout => ({
  keySize: 14,
  groups: 1,
  modules: shapes.map((entry, m) => ({ name: `m${m}`, ...entry })),
});

const HASHES: Record<string, Hashing> = {
  "sha and its tag": [
    { a: bytes(1), b: bytes(2) },
    ({ a, b }: Record<"a" | "b", Uint8Array>) => sha("tag", a, b),
  ],
  wide: [{ a: bytes(1), b: bytes(2) }, ({ a, b }: Record<"a" | "b", Uint8Array>) => wide("tag", a, b)],
  xof: [{ seed: bytes(1) }, ({ seed }: { seed: Uint8Array }) => xof(seed, 3)],
  head_0: [{ agreement: bytes(1) }, ({ agreement }: { agreement: Uint8Array }) => initialHead(agreement)],
  ioHash: [
    { salt: bytes(1), m: 1, tokens: 2, X: bytes(2, 8), Y: bytes(3, 16) },
    (i: { salt: Uint8Array; m: number; tokens: number; X: Uint8Array; Y: Uint8Array }) =>
      ioHash(i.salt, i.m, i.tokens, i.X, i.Y),
  ],
  head: [
    { before: bytes(1), hashes: [bytes(2), bytes(3)] },
    (i: { before: Uint8Array; hashes: Uint8Array[] }) => nextHead(i.before, i.hashes),
  ],
  "fold weights": [
    { head: bytes(1), m: 1 },
    (i: { head: Uint8Array; m: number }) => foldWeights(i.head, i.m, 2),
  ],
  "delta weights": [{ head: bytes(1) }, (i: { head: Uint8Array }) => deltaWeights(i.head, 2)],
  "statement blind": [
    { salt: bytes(1), head: bytes(2), group: 1 },
    (i: { salt: Uint8Array; head: Uint8Array; group: number }) => statementBlind(i.salt, i.head, i.group),
  ],
  "commitment blinds": [
    { seed: bytes(1), vkHash: toHex(bytes(2)), salt: bytes(3), m: 1 },
    (i: { seed: Uint8Array; vkHash: Hex; salt: Uint8Array; m: number }) =>
      commitBlinds(i.seed, i.vkHash, i.salt, i.m, { dIn: 2, dOut: 2 }),
  ],
  "hash of the scales": [
    { salt: bytes(1), m: 1, b: Float64Array.of(0.5, 0.25) },
    (i: { salt: Uint8Array; m: number; b: Float64Array }) => scalesHash(i.salt, i.m, i.b),
  ],
  "challenge of the proof of knowledge": [
    {
      context: {
        chainId: 1n,
        registry: address(1),
        contributor: address(2),
        vkHash: toHex(bytes(3)),
        adapterSalt: bytes(4),
      },
      shapes: [shape(0), shape(1)],
      commitments: [module(10), module(20)],
      nonces: [nonce(30), nonce(40)],
    },
    (i: {
      context: Parameters<typeof knowledgeChallenge>[0];
      shapes: ReturnType<typeof shape>[];
      commitments: ReturnType<typeof module>[];
      nonces: ReturnType<typeof nonce>[];
    }) =>
      // as many weights whatever the shapes say: it is the seed that must differ
      toHex(knowledgeChallenge(i.context, layoutOf(i.shapes), i.commitments, i.nonces).subarray(0, 64)),
  ],
  vkHash: [
    {
      size: 14,
      r1csHash: bytes(1),
      alpha1: bytes(2, 64),
      beta2: bytes(3, 128),
      gamma2: bytes(4, 128),
      delta2: bytes(5, 128),
      ic0: bytes(6, 64),
      basesHash: toHex(bytes(7)),
    },
    (key: VerifyingKey) => verifyingKeyHash(key),
  ],
  "circuit hash of a moved key": [
    { before: bytes(1, 64), count: 30 },
    (i: { before: Uint8Array; count: number }) => movedCircuitHash(i.before, i.count),
  ],
  statementsHash: [{ V: [bytes(1, 64), bytes(2, 64)] }, ({ V }: { V: Uint8Array[] }) => statementsHash(V)],
  adapterId: [
    {
      chainId: 1n,
      registry: address(1),
      contributor: address(2),
      manifestHash: toHex(bytes(3)),
      verifier: address(4),
      verifierCodeHash: toHex(bytes(5)),
      groups: 2,
      salt: toHex(bytes(6)),
    },
    adapterId as (inputs: never) => unknown,
  ],
  agreementId: [
    {
      chainId: 1n,
      escrow: address(1),
      buyer: address(2),
      offerHash: toHex(bytes(3)),
      signer: address(4),
      amount: 5n,
      deadline: 6n,
      nonce: 7n,
    },
    agreementId as (inputs: never) => unknown,
  ],
};

for (const [name, [inputs, hash]] of Object.entries(HASHES))
  test(`every input of ${name} counts`, () => {
    const run = (values: unknown): string => show(hash(values as never));
    const seen = new Map([[run(inputs), "as it is"]]);
    let tried = 0;
    for (const [path, values] of changed(inputs, name)) {
      const found = run(values);
      assert.equal(seen.get(found), undefined, `${path} changed gives the hash of ${seen.get(found)}`);
      seen.set(found, path);
      tried++;
    }
    assert.ok(tried >= Object.keys(inputs).length);
  });

/** A message with every field filled. */
function messageOf(name: keyof typeof TYPES): Record<string, unknown> {
  return Object.fromEntries(
    TYPES[name].map((field, i): [string, unknown] => {
      if (field.type === "address") return [field.name, address(i + 1)];
      if (field.type === "bytes32") return [field.name, toHex(bytes(i + 1))];
      return [field.name, field.type === "string" ? "0x7465" : BigInt(i + 1)];
    }),
  );
}

for (const name of Object.keys(TYPES) as (keyof typeof TYPES)[])
  test(`every field of a signed ${name}, the chain and the escrow count`, () => {
    const domain = { chainId: 1n, escrow: address(99) };
    const digest = (of: { domain: typeof domain; message: unknown }): Hex =>
      messageDigest(of.domain, name, of.message as never);
    const inputs = { domain, message: messageOf(name) };
    const seen = new Set([digest(inputs)]);
    let tried = 1;
    for (const [, values] of changed(inputs, name)) {
      seen.add(digest(values as typeof inputs));
      tried++;
    }
    assert.equal(seen.size, tried);
  });

test("an offer's hash covers every term", () => {
  const offer = messageOf("Offer");
  const hash = (values: unknown): Hex => offerHash(values as never);
  const found = [...changed(offer, "offer")].map(([, values]) => hash(values));
  assert.equal(new Set([hash(offer), ...found]).size, found.length + 1);
});
