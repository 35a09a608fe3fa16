import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { testAccount } from "../../runner/chain/accounts.ts";
import { withAccount } from "../../runner/chain/connect.ts";
import { deploy } from "../../runner/chain/deploy.ts";
import { loadDeployment } from "../../runner/chain/deployment.ts";
import type { Deployment } from "../../runner/chain/deploymentFile.ts";
import { releaseContracts } from "../../runner/chain/releaseContracts.ts";
import { type Fact, verifyDeployment } from "../../runner/chain/verifyDeployment.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { run, runJson } from "../cli/command.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { bareChain } from "./localChain.ts";

const chain = await bareChain();
const directory = temporaryDirectory({ after });
const file = path.join(directory, "deployment.json");
const { deployment } = await deploy(withAccount(chain, testAccount(0)), { file });
const [registry, escrow, firstVerifier] = releaseContracts();

type Verdict = { ok: boolean; failed: number; facts: Fact[] };

const request = chain.publicClient.request as (call: object) => Promise<unknown>;
const codeAt = (address: Hex): Promise<Hex> =>
  request({ method: "eth_getCode", params: [address, "latest"] }) as Promise<Hex>;
const setCode = (address: Hex, code: Hex): Promise<unknown> =>
  request({ method: "hardhat_setCode", params: [address, code] });

/** Names of the facts that do not hold, up to the colon. */
async function failing(changed: Deployment = deployment, sources = directory): Promise<string[]> {
  const facts = await verifyDeployment(chain, changed, sources);
  const failed = facts.filter(({ result }) => result === "failed");
  return [...new Set(failed.map(({ fact }) => fact.split(":")[0]!))];
}

test("every fact of a fresh deployment holds, on the command line too", async () => {
  const args = ["keys", "verify", "--chain", "--rpc", chain.rpcUrl, "--deployment", file];
  const verdict = await runJson<Verdict>(args);
  assert.equal(verdict.ok, true);
  // Three contracts' facts at least, the keys of all ten verifiers, thirteen files of sources.
  assert.ok(verdict.facts.length >= 80, `${verdict.facts.length}`);
  assert.ok(verdict.facts.every(({ result }) => result === "passed"));
  assert.deepEqual(await failing(loadDeployment(31337, file)), []);
  assert.equal((await run([...args, "--size", "14"])).code, 2);
});

test("a changed file is told by the field, and ends with code 1", async () => {
  const other: Hex = `0x${"12".repeat(32)}`;
  const verifier = deployment.verifiers[14]!;
  const withVerifier = (changes: object): Deployment => ({
    ...deployment,
    verifiers: { ...deployment.verifiers, 14: { ...verifier, ...changes } as typeof verifier },
  });
  const stranger = "0x0000000000000000000000000000000000000bad";
  const { 14: _, ...fewer } = deployment.verifiers;
  const cases: [Deployment, string[]][] = [
    [{ ...deployment, chainId: 1 }, ["chainId", "escrow"]],
    [{ ...deployment, registry: stranger }, ["registry", "constructorArgs.escrow", "escrow", "startBlock"]],
    [{ ...deployment, escrow: stranger }, ["escrow"]],
    [{ ...deployment, codeHashes: { ...deployment.codeHashes, registry: other } }, ["registry"]],
    [{ ...deployment, codeHashes: { ...deployment.codeHashes, escrow: other } }, ["escrow"]],
    [{ ...deployment, constructorArgs: { escrow: [stranger] } }, ["constructorArgs.escrow"]],
    [{ ...deployment, startBlock: deployment.startBlock + 1n }, ["startBlock"]],
    [{ ...deployment, startBlock: deployment.startBlock - 1n }, ["startBlock"]],
    [{ ...deployment, startBlock: 10n ** 9n }, ["startBlock"]],
    [withVerifier({ address: deployment.verifiers[30]!.address }), ["verifiers.14"]],
    [withVerifier({ codeHash: other }), ["verifiers.14"]],
    [withVerifier({ vkHash: other }), ["verifiers.14"]],
    [withVerifier({ state: "ceremony", contributions: 3, transcriptHash: other }), ["verifiers.14"]],
    [{ ...deployment, verifiers: fewer }, ["verifiers.14"]],
    [{ ...deployment, verifiers: { ...deployment.verifiers, 15: verifier } }, ["verifiers.15"]],
  ];
  for (const [changed, fields] of cases) assert.deepEqual(await failing(changed), fields);

  const tampered = path.join(temporaryDirectory({ after }), "deployment.json");
  const text = fs.readFileSync(file, "utf8").replace(verifier.vkHash, other);
  fs.writeFileSync(tampered, text);
  fs.cpSync(path.join(directory, "sources"), path.join(path.dirname(tampered), "sources"), {
    recursive: true,
  });
  const args = ["keys", "verify", "--chain", "--rpc", chain.rpcUrl, "--deployment", tampered];
  const { code, stdout } = await run([...args, "--json"]);
  assert.equal(code, 1);
  const verdict = JSON.parse(stdout) as Verdict;
  assert.equal(verdict.ok, false);
  assert.deepEqual(
    verdict.facts.filter(({ result }) => result !== "passed").map(({ fact }) => fact),
    ["verifiers.14: the key in the file"],
  );
  const words = await run(args);
  assert.equal(words.code, 1);
  assert.match(words.stdout, /FAIL {2}verifiers\.14.*\n[\s\S]*NOT VALID: 1 of/);
});

test("a contract that is missing, or has other code, is found on the chain", async () => {
  const checks: [Hex, Hex, string[]][] = [
    [registry!.address, "0x", ["registry"]],
    [firstVerifier!.address, "0x", ["verifiers.14"]],
    // The code of another key: its file would have to lie too.
    [firstVerifier!.address, await codeAt(deployment.verifiers[30]!.address), ["verifiers.14"]],
    [escrow!.address, "0x", ["escrow"]],
    // Code that answers every question as the real one does.
    [escrow!.address, `${await codeAt(escrow!.address)}00`, ["escrow"]],
  ];
  for (const [address, code, fields] of checks) {
    const original = await codeAt(address);
    await setCode(address, code);
    const found = await failing();
    await setCode(address, original);
    assert.deepEqual(found, fields);
  }
  assert.deepEqual(await failing(), []);
});

test("other code that the file vouches for is still not this version's", async () => {
  const verifier = deployment.verifiers[14]!;
  const lying = { ...verifier, codeHash: deployment.verifiers[30]!.codeHash };
  const original = await codeAt(verifier.address);
  await setCode(verifier.address, await codeAt(deployment.verifiers[30]!.address));
  const facts = await verifyDeployment(
    chain,
    { ...deployment, verifiers: { ...deployment.verifiers, 14: lying } },
    directory,
  );
  await setCode(verifier.address, original);
  assert.deepEqual(
    facts.filter(({ result }) => result === "failed").map(({ fact }) => fact),
    ["verifiers.14: code on the chain as in this version", "verifiers.14: the key the contract names"],
  );
});

test("sources that are missing or changed do not pass for those deployed", async () => {
  const copy = temporaryDirectory({ after });
  fs.cpSync(path.join(directory, "sources"), path.join(copy, "sources"), { recursive: true });
  assert.deepEqual(await failing(deployment, copy), []);
  const input = path.join(copy, "sources", "LoraEscrow.json");
  fs.writeFileSync(input, fs.readFileSync(input, "utf8").replace("nonReentrant returns", "returns"));
  assert.deepEqual(await failing(deployment, copy), ["sources/LoraEscrow.json"]);
  fs.rmSync(input);
  assert.deepEqual(await failing(deployment, copy), ["sources/LoraEscrow.json"]);
});
