import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { testAccount } from "../../runner/chain/accounts.ts";
import { connect, connectChain, withAccount, withDeployment } from "../../runner/chain/connect.ts";
import { DEPLOYMENT_PROXY } from "../../runner/chain/create2.ts";
import { deploy } from "../../runner/chain/deploy.ts";
import { codeHashAt, loadDeployment, readDeployment } from "../../runner/chain/deployment.ts";
import { startLocalNode } from "../../runner/chain/localNode.ts";
import { findReleaseVerifier, releaseVerifiers } from "../../runner/chain/verifiers.ts";
import { pinnedKeys } from "../../runner/keys/pinned.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { bareChain, thrownBy } from "./localChain.ts";

const chain = await bareChain();
const funded = withAccount(chain, testAccount(0));

test("a first deploy brings the proxy and all contracts, a second changes nothing", async (context) => {
  const file = path.join(temporaryDirectory(context), "a", "deployment.json");
  const unsigned = await thrownBy(deploy(chain, { file }));
  assert.equal(unsigned.code, "account/missing");

  const first = await deploy(funded, { file });
  assert.equal(first.created.length, 2 + releaseVerifiers().length);
  assert.notEqual(await codeHashAt(chain, DEPLOYMENT_PROXY), undefined);
  const block = await chain.publicClient.getBlockNumber();
  const written = fs.readFileSync(file, "utf8");

  const second = await deploy(chain, { file });
  assert.deepEqual(second.created, []);
  assert.equal(second.gasUsed, 0n);
  assert.equal(await chain.publicClient.getBlockNumber(), block);
  assert.equal(fs.readFileSync(file, "utf8"), written);

  // A lost file is found again, with the block that brought the registry.
  fs.rmSync(file);
  const third = await deploy(chain, { file });
  assert.deepEqual(third.deployment, first.deployment);
});

test("every verifier on chain has the release's code, address and pinned key", async (context) => {
  const file = path.join(temporaryDirectory(context), "deployment.json");
  const { deployment } = await deploy(funded, { file });
  assert.deepEqual(
    Object.keys(deployment.verifiers),
    pinnedKeys().map(({ size }) => String(size)),
  );
  for (const { size, address, codeHash, vkHash } of releaseVerifiers()) {
    assert.equal(await codeHashAt(chain, address), codeHash);
    assert.equal(vkHash, pinnedKeys().find((key) => key.size === size)?.vkHash);
    assert.equal(findReleaseVerifier(address.toLowerCase() as `0x${string}`, codeHash).size, size);
  }
  const [one, other] = releaseVerifiers();
  assert.throws(() => findReleaseVerifier(deployment.escrow, one!.codeHash), {
    code: "chain/unknown-verifier",
  });
  assert.throws(() => findReleaseVerifier(one!.address, other!.codeHash), { code: "chain/unknown-verifier" });
});

test("keys whose secrets are public are not deployed where money has value, unless told so", async (context) => {
  const file = path.join(temporaryDirectory(context), "deployment.json");
  const elsewhere = { ...funded, chainId: 11155111 };
  const error = await thrownBy(deploy(elsewhere, { file }));
  assert.equal(error.code, "key/dev-key");
  assert.match(error.hint!, /--accept-forgeable-dev-key/);
  const { deployment } = await deploy(elsewhere, { file, acceptForgeableDevKey: true });
  assert.equal(deployment.chainId, 11155111);
});

test("a deployment file that is missing, damaged or of another chain is refused by name", async (context) => {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, "deployment.json");
  assert.equal(readDeployment(file), undefined);
  assert.throws(() => loadDeployment(31337, file), { code: "chain/not-deployed", field: file });
  await deploy(funded, { file });
  const good = JSON.parse(fs.readFileSync(file, "utf8"));
  const refuses = (text: string, code: string, field: string): void => {
    fs.writeFileSync(file, text);
    assert.throws(() => loadDeployment(31337, file), { code, field });
  };
  refuses("{", "chain/bad-deployment", file);
  refuses(JSON.stringify({ ...good, escrow: "0x12" }), "chain/bad-deployment", "escrow");
  refuses(JSON.stringify({ ...good, owner: good.escrow }), "chain/bad-deployment", file);
  const badKey = { ...good.verifiers, 14: { ...good.verifiers[14], vkHash: "0x00" } };
  refuses(JSON.stringify({ ...good, verifiers: badKey }), "chain/bad-deployment", "verifiers.14.vkHash");
  refuses(JSON.stringify({ ...good, chainId: 1 }), "chain/wrong-chain", "chainId");
});

test("a chain that has forgotten the contracts, or has others, is refused", async (context) => {
  const file = path.join(temporaryDirectory(context), "deployment.json");
  await deploy(funded, { file });
  const deployment = loadDeployment(31337, file);
  fs.writeFileSync(
    file,
    fs.readFileSync(file, "utf8").replaceAll(deployment.codeHashes.escrow, `0x${"1".repeat(64)}`),
  );
  const other = await thrownBy(connect({ rpcUrl: chain.rpcUrl, deploymentFile: file }));
  assert.equal(other.code, "chain/other-code");
  const empty = await startLocalNode();
  context.after(() => empty.stop());
  const fresh = await connectChain({ rpcUrl: empty.rpcUrl });
  const forgotten = await thrownBy(withDeployment(fresh, file));
  assert.equal(forgotten.code, "chain/not-deployed");
  assert.match(forgotten.hint!, /deltapay deploy/);
});

test("a local node needs a free port and leaves it when it stops", async () => {
  const node = await startLocalNode();
  assert.equal((await thrownBy(startLocalNode({ port: node.port }))).code, "chain/port-taken");
  await node.stop();
  const again = await startLocalNode({ port: node.port });
  await again.stop();
  assert.equal((await thrownBy(connectChain({ rpcUrl: node.rpcUrl }))).code, "chain/unreachable");
});
