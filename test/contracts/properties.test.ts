/** contracts/PROPERTIES.md and contracts/trees/ against the tests, the ABI and the code they speak of. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { adapterRegistryAbi, loraEscrowAbi, loraVerifierAbi } from "../../runner/chain/generated/abi.ts";
import bytecodes from "../../runner/chain/generated/bytecode.json" with { type: "json" };

const CONTRACTS = fileURLToPath(new URL("../../contracts", import.meta.url));
const read = (file: string): string => readFileSync(path.join(CONTRACTS, file), "utf8");

const ABIS = {
  LoraEscrow: loraEscrowAbi,
  AdapterRegistry: adapterRegistryAbi,
  LoraVerifier: loraVerifierAbi,
};
/** Where errors are declared; the verifiers have none. */
const INTERFACES = {
  LoraEscrow: "interfaces/ILoraEscrow.sol",
  AdapterRegistry: "interfaces/IAdapterRegistry.sol",
};

/** Names of all tests that Hardhat runs. */
const TESTS = new Set(
  globSync("**/*.t.sol", { cwd: CONTRACTS }).flatMap((file) =>
    [...read(file).matchAll(/function ((?:test|invariant)\w+)\(/g)].map(([, name]) => name!),
  ),
);

const properties = read("PROPERTIES.md");

test("every property names tests that exist", () => {
  const sections = properties.split(/^(?=\*\*[A-Z]\d+\. )/m).slice(1);
  assert.ok(sections.length >= 25, `only ${sections.length} properties are numbered`);
  const numbers = sections.map((section) => /^\*\*([A-Z]\d+)\./.exec(section)![1]!);
  assert.equal(new Set(numbers).size, numbers.length, "a number is used twice");
  for (const [index, section] of sections.entries()) {
    const named = [...section.matchAll(/`((?:test|invariant)\w*_\w+)`/g)].map(([, name]) => name!);
    assert.ok(named.length > 0, `${numbers[index]} names no test`);
    for (const name of named) assert.ok(TESTS.has(name), `${numbers[index]} names ${name}, which is no test`);
  }
});

interface Leaf {
  tree: string;
  text: string;
  tests: string[];
}

function leavesOf(file: string): Leaf[] {
  const lines = read(file).trimEnd().split("\n").slice(1);
  return lines
    .filter((line) => /── it /.test(line))
    .map((line) => {
      const [text, tests = ""] = line.replace(/^[│├└─ ]+/, "").split(": ");
      return { tree: path.basename(file, ".tree"), text: text!, tests: tests.split(", ").filter(Boolean) };
    });
}

const trees = globSync("trees/*.tree", { cwd: CONTRACTS });
const leaves = trees.flatMap(leavesOf);

test("every leaf of a tree names a test that exists", () => {
  for (const { tree, text, tests } of leaves) {
    assert.ok(tests.length > 0, `${tree}: '${text}' names no test`);
    for (const name of tests)
      assert.ok(TESTS.has(name), `${tree}: '${text}' names ${name}, which is no test`);
  }
});

test("a branch of a tree ends in leaves only", () => {
  for (const file of trees) {
    const lines = read(file).trimEnd().split("\n");
    assert.equal(lines[0], path.basename(file, ".tree"));
    const depth = (line: string): number => line.search(/[a-z]/);
    for (const [index, line] of lines.entries()) {
      if (index === 0 || /── it /.test(line)) continue;
      const next = lines[index + 1];
      assert.ok(next !== undefined && depth(next) > depth(line), `${file}: '${line.trim()}' has no leaf`);
    }
  }
});

test("every function that changes something has a tree, and every error a leaf in which it is met", () => {
  for (const [contract, interfaceFile] of Object.entries(INTERFACES)) {
    const abi: readonly { type: string; name?: string; stateMutability?: string }[] =
      ABIS[contract as keyof typeof INTERFACES];
    for (const { type, name, stateMutability } of abi)
      if (type === "function" && stateMutability !== "view" && stateMutability !== "pure")
        assert.ok(trees.includes(path.join("trees", `${contract}.${name}.tree`)), `${contract}.${name}`);
    const errors = [...read(interfaceFile).matchAll(/^ {4}error (\w+)\(/gm)].map(([, name]) => name!);
    assert.ok(errors.length > 0);
    const met = leaves.filter(({ tree }) => tree.startsWith(`${contract}.`)).map(({ text }) => text);
    for (const error of errors)
      assert.ok(
        met.some((text) => new RegExp(`\\b${error}\\b`).test(text)),
        `no leaf of ${contract} meets ${error}`,
      );
  }
});

test("the ABI is just what the table of powers answers for", () => {
  const inAbi = Object.entries(ABIS).flatMap(([contract, abi]) =>
    abi
      .filter(({ type }) => type === "function")
      .map((each) => `${contract}.${"name" in each ? each.name : ""}`),
  );
  const inTable = [...properties.matchAll(/`((?:LoraEscrow|AdapterRegistry|LoraVerifier)\.\w+)`/g)].map(
    ([, name]) => name!,
  );
  assert.deepEqual([...inTable].sort(), [...inAbi].sort());
  for (const [contract, abi] of Object.entries(ABIS))
    for (const { type } of abi)
      assert.ok(!["fallback", "receive"].includes(type), `${contract} answers calls that name no function`);
});

/** Instructions that run other code with this storage, remove the contract or make new ones. */
const FORBIDDEN: Record<number, string> = {
  240: "CREATE",
  242: "CALLCODE",
  244: "DELEGATECALL",
  245: "CREATE2",
  255: "SELFDESTRUCT",
};

/** Instructions of code, read one after another; the data that some carry is passed over. */
function* opcodes(code: Buffer): Generator<number> {
  for (let i = 0; i < code.length; i++) {
    const op = code[i]!;
    yield op;
    if (op >= 0x60 && op <= 0x7f) i += op - 0x5f;
  }
}

test("no contract that is deployed can run other code in its place, remove itself or make another", () => {
  const names = Object.keys(bytecodes);
  assert.ok(names.length >= 12, `${names.length} contracts`);
  for (const [name, { bytecode }] of Object.entries(bytecodes)) {
    let instructions = 0;
    for (const op of opcodes(Buffer.from(bytecode.slice(2), "hex"))) {
      instructions++;
      assert.equal(FORBIDDEN[op], undefined, `${name} has ${FORBIDDEN[op]}`);
    }
    assert.ok(instructions > 100, `${name} has ${instructions} instructions`);
  }
});
