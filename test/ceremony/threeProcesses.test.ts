/** Three contributors, each a process of its own, and the coordinator: from powers of tau to a proof on a chain. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Hex, parseAbi } from "viem";
import type { CeremonyReport } from "../../runner/ceremony/verify.ts";
import { testAccount } from "../../runner/chain/accounts.ts";
import { withAccount } from "../../runner/chain/connect.ts";
import { requireSender, waitFor } from "../../runner/chain/transact.ts";
import { verifyProof } from "../../runner/keys/verifyProof.ts";
import { pointWords } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { decodeCommitKey, vkHash } from "../../runner/protocol/key.ts";
import { proofFromSnarkjs } from "../../runner/prover/proofEncoding.ts";
import { bareChain } from "../chain/localChain.ts";
import { failing, run, runJson, startJson } from "../cli/command.ts";
import { openings, prove, scalarsOf, statementOf, witnessOf } from "../keys/statement.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { makePtau, SIZE } from "./setting.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ABI = parseAbi([
  "function vkHash() view returns (bytes32)",
  "function verifyProof(uint256[2] V, (uint256[2] a, uint256[4] b, uint256[2] c) proof) view returns (bool)",
]);

after(async () => (await loadCurve()).terminate());

/** Creation code of a verifier that `finalize` wrote, compiled beside the contracts it imports. */
function compiled(source: string): Hex {
  const solc = createRequire(import.meta.url)("solc");
  const name = "contracts/verifiers/Finalized.sol";
  const settings = {
    viaIR: true,
    optimizer: { enabled: true },
    outputSelection: { [name]: { "*": ["evm.bytecode"] } },
  };
  const input = { language: "Solidity", sources: { [name]: { content: source } }, settings };
  const contents = (file: string) => ({ contents: fs.readFileSync(path.join(ROOT, file), "utf8") });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: contents }));
  const [contract] = Object.values(output.contracts[name]) as { evm: { bytecode: { object: string } } }[];
  return `0x${contract!.evm.bytecode.object}`;
}

test("three processes contribute to one ceremony, and a proof under its key settles on a chain", async (context) => {
  const directory = temporaryDirectory(context);
  const at = (name: string): string => path.join(directory, name);
  const trusting = "--accept-unknown-ptau";
  fs.writeFileSync(at("powers.ptau"), await makePtau(4));
  const init = ["ceremony", "init", at("ceremony"), "--ptau", at("powers.ptau"), "--sizes", String(SIZE)];
  assert.equal((await failing(init)).error.code, "ceremony/unknown-ptau");
  await runJson([...init, trusting]);

  const serve = ["ceremony", "serve", at("ceremony"), "--port", "0", "--no-page", trusting];
  const coordinator = await startJson<{ url: string }>(context, serve);
  const join = (name: string) =>
    runJson<{ round: number; directory: string }>([
      "ceremony",
      "join",
      coordinator.ready.url,
      "--name",
      name,
      "--dir",
      at(name),
      trusting,
    ]);
  const made = await Promise.all(["Ada", "Bob", "Carol"].map(join));
  assert.deepEqual(made.map(({ round }) => round).sort(), [1, 2, 3]);
  assert.equal(await coordinator.stop(), 0);

  const beacon = ["ceremony", "beacon", at("ceremony"), "--value", "5e".repeat(32), trusting];
  await runJson([...beacon, "--name", "block 1"]);
  const release = at("release");
  await runJson(["ceremony", "finalize", at("ceremony"), "--out", release, trusting]);
  const attestations = made.flatMap(({ round, directory: own }) => [
    "--attestation",
    path.join(own, "rounds", String(round).padStart(4, "0"), "attestation.txt"),
  ]);
  const verify = [
    "ceremony",
    "verify",
    at("ceremony"),
    "--release",
    path.join(release, "keys.json"),
    ...attestations,
  ];
  const report = await runJson<CeremonyReport>([...verify, trusting]);
  assert.equal(report.verdict, "passed");
  assert.equal(report.contributions, 3);
  assert.deepEqual(report.keys[0]!.contributions.map(({ name }) => name).sort(), [
    "Ada",
    "Bob",
    "Carol",
    "block 1",
  ]);
  const distrusting = await run([...verify, "--json"]);
  assert.equal(distrusting.code, 1);
  assert.equal((JSON.parse(distrusting.stdout) as CeremonyReport).verdict, "failed");

  const file = (name: string): Uint8Array =>
    new Uint8Array(fs.readFileSync(path.join(release, "keys", "14", name)));
  const commitKey = decodeCommitKey(file("commit-key.bin"));
  assert.equal(vkHash(commitKey), report.keys[0]!.vkHash);
  const inputs = openings(SIZE);
  const proof = await prove(file("key.zkey"), await witnessOf(file("lora_statement.wasm"), inputs));
  const V = await statementOf(await loadCurve(), commitKey, scalarsOf(inputs));
  assert.equal(await verifyProof(commitKey, V, proof), true);

  const chain = withAccount(await bareChain(), testAccount(0));
  const source = fs.readFileSync(path.join(release, "verifiers", "LoraVerifier14.sol"), "utf8");
  assert.match(source, /State of the key: ceremony/);
  const { walletClient } = requireSender(chain);
  const { contractAddress } = await waitFor(
    chain,
    await walletClient.sendTransaction({ data: compiled(source) }),
  );
  const contract = { address: contractAddress!, abi: ABI } as const;
  assert.equal(
    await chain.publicClient.readContract({ ...contract, functionName: "vkHash" }),
    report.keys[0]!.vkHash,
  );
  const [x, y] = pointWords(V) as [bigint, bigint];
  const accepts = (statement: [bigint, bigint]) =>
    chain.publicClient.readContract({
      ...contract,
      functionName: "verifyProof",
      args: [statement, proofFromSnarkjs(proof)],
    });
  assert.equal(await accepts([x, y]), true);
  const otherV = await statementOf(
    await loadCurve(),
    commitKey,
    scalarsOf({ ...inputs, yhat: inputs.yhat + 1n }),
  );
  assert.equal(await accepts(pointWords(otherV) as [bigint, bigint]), false);
});
