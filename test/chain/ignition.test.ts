import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { testAccount } from "../../runner/chain/accounts.ts";
import { withAccount } from "../../runner/chain/connect.ts";
import { ensureDeploymentProxy } from "../../runner/chain/create2.ts";
import { deploy } from "../../runner/chain/deploy.ts";
import { releaseContracts } from "../../runner/chain/releaseContracts.ts";
import { verifyDeployment } from "../../runner/chain/verifyDeployment.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { bareChain } from "./localChain.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HARDHAT = path.join(ROOT, "node_modules/hardhat/dist/src/cli.js");
const CONFIG = "ignition/hardhat.config.ts";
const MODULE = "ignition/modules/Release.ts";

const chain = await bareChain();
const funded = withAccount(chain, testAccount(0));
/** Ignition keeps its journals in the project. */
const JOURNALS = path.join(ROOT, "ignition/deployments");

/** `hardhat ignition deploy` as its users start it. @param id of a journal, of an earlier run or a new one */
async function ignite(id: string): Promise<{ code: number | null; output: string }> {
  after(() => fs.rmSync(path.join(JOURNALS, id), { recursive: true, force: true }));
  const child = spawn(
    process.execPath,
    [HARDHAT, "--config", CONFIG, "ignition", "deploy", MODULE, "--network", "chain", "--deployment-id", id],
    {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DELTAPAY_RPC: chain.rpcUrl },
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      output += bytes.toString();
    });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

test("Ignition puts the release where deltapay deploy looks for it; whoever comes second does nothing", async () => {
  await ensureDeploymentProxy(funded);
  const journal = `test-${randomUUID()}`;
  const first = await ignite(journal);
  assert.equal(first.code, 0, first.output);
  for (const { name, address } of releaseContracts())
    assert.match(first.output, new RegExp(`${name} - ${address}`, "i"));

  const block = await chain.publicClient.getBlockNumber();
  const file = path.join(temporaryDirectory({ after }), "deployment.json");
  // Signs with nothing: it could not create anything.
  const deployed = await deploy(chain, { file });
  assert.deepEqual(deployed.created, []);
  const facts = await verifyDeployment(chain, deployed.deployment, path.dirname(file));
  assert.deepEqual(
    facts.filter(({ result }) => result !== "passed"),
    [],
  );

  // Again, and as on a machine that did not deploy: everything is found on the chain.
  for (const id of [journal, `test-${randomUUID()}`]) {
    const again = await ignite(id);
    assert.equal(again.code, 0, again.output);
    assert.equal(await chain.publicClient.getBlockNumber(), block);
  }
});
