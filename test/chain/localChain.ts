/** A Hardhat node with the contracts, for one test file. */
import * as path from "node:path";
import { after } from "node:test";
import { testAccount } from "../../runner/chain/accounts.ts";
import { type ChainContext, connectChain, withAccount } from "../../runner/chain/connect.ts";
import type { ChainConnection } from "../../runner/chain/connection.ts";
import { type Deployed, deploy } from "../../runner/chain/deploy.ts";
import { startLocalNode } from "../../runner/chain/localNode.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

export interface TestChain {
  rpcUrl: string;
  /** Signs with nothing. */
  connection: ChainConnection;
  deploymentFile: string;
  deployed: Deployed;
  /** The chain as test account `index` uses it. */
  as(index: number): ChainContext & Required<Pick<ChainContext, "account">>;
  /** Seconds later. */
  pass(seconds: number): Promise<void>;
}

/** Starts a node that ends with the test file. */
export async function bareChain(): Promise<ChainConnection> {
  const node = await startLocalNode();
  after(() => node.stop());
  return connectChain({ rpcUrl: node.rpcUrl });
}

/** Starts a node and deploys this version's contracts. */
export async function testChain(): Promise<TestChain> {
  const connection = await bareChain();
  const deploymentFile = path.join(temporaryDirectory({ after }), "deployment.json");
  const deployed = await deploy(withAccount(connection, testAccount(0)), { file: deploymentFile });
  const { deployment } = deployed;
  return {
    rpcUrl: connection.rpcUrl,
    connection,
    deploymentFile,
    deployed,
    as: (index) => withAccount({ ...connection, deployment }, testAccount(index)),
    pass: async (seconds) => {
      const request = connection.publicClient.request as (call: object) => Promise<unknown>;
      await request({ method: "evm_increaseTime", params: [seconds] });
      await request({ method: "evm_mine", params: [] });
    },
  };
}

/** What an awaited promise throws, as the error it is. */
export async function thrownBy(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
