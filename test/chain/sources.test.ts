import assert from "node:assert/strict";
import { test } from "node:test";
import solc from "solc";
import packageFile from "../../package.json" with { type: "json" };
import { contractCode } from "../../runner/chain/bytecode.ts";
import { COMPILER } from "../../runner/chain/compiler.ts";
import { releaseContracts } from "../../runner/chain/releaseContracts.ts";
import { sourceFiles } from "../../runner/chain/sourceFiles.ts";
import { sourceUnit, standardInput } from "../../runner/chain/sources.ts";

interface Compiled {
  contracts: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
}

test("the sources kept for each kind of contract compile to the code that is deployed", () => {
  assert.equal(packageFile.dependencies.solc, COMPILER.version);
  assert.ok(`v${solc.version()}`.startsWith(COMPILER.longVersion), solc.version());
  const files = sourceFiles();
  for (const name of ["AdapterRegistry", "LoraEscrow", "LoraVerifier14"]) {
    const { contracts } = JSON.parse(solc.compile(files.get(`${name}.json`)!)) as Compiled;
    const { bytecode } = contracts[sourceUnit(name)]![name]!.evm;
    assert.equal(`0x${bytecode.object}`, contractCode(name).bytecode, name);
  }
});

test("verifiers are kept with the same sources but for the one that holds the key", () => {
  const [, , first, ...others] = releaseContracts();
  const { [sourceUnit(first!.name)]: _, ...shared } = standardInput(first!.name).sources;
  assert.equal(Object.keys(shared).length, 3);
  for (const { name } of others) {
    const { [sourceUnit(name)]: own, ...rest } = standardInput(name).sources;
    assert.ok(own!.content.includes(`contract ${name} is`));
    assert.deepEqual(rest, shared);
  }
});

test("the list of contracts names input, compiler and constructor arguments of each", () => {
  const files = sourceFiles();
  const list = JSON.parse(files.get("contracts.json")!) as Record<string, string>[];
  assert.equal(list.length, releaseContracts().length);
  for (const { input, contract, compiler } of list) {
    assert.ok(files.has(input!));
    assert.match(contract!, /^contracts\/.*\.sol:\w+$/);
    assert.equal(compiler, COMPILER.longVersion);
  }
  const [registry, escrow] = list;
  assert.equal(registry!.constructorArguments, "0x");
  const word = registry!.address!.slice(2).toLowerCase().padStart(64, "0");
  assert.equal(escrow!.constructorArguments, `0x${word}`);
});
