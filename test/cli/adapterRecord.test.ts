import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcRequestError } from "viem";
import { tellRecord } from "../../runner/cli/adapterRecord.ts";
import { Output } from "../../runner/cli/output.ts";
import { REGISTRY } from "../buyer/setting.ts";

const ADAPTER = `0x${"05".repeat(32)}` as const;

test("a node that gives no old events does not keep anybody from opening", async () => {
  const refuses = async (): Promise<never> => {
    const error = { code: -32000, message: "history has been pruned for this block" };
    throw new RpcRequestError({ body: {}, url: "http://127.0.0.1:1", error });
  };
  const told: string[] = [];
  const out = Object.assign(new Output({}), { note: (text: string) => void told.push(text) });
  const deployment = { escrow: REGISTRY, registry: REGISTRY, startBlock: 0n };
  const publicClient = { getBlockNumber: async () => 5n, getContractEvents: refuses };
  const ctx = { publicClient, deployment, rpcUrl: "http://127.0.0.1:1" };
  assert.equal(await tellRecord(out, ctx as never, ADAPTER), null);
  assert.match(out.warnings.join(), /^how they went is not known: /);
  publicClient.getContractEvents = (async () => []) as never;
  assert.deepEqual(await tellRecord(out, ctx as never, ADAPTER), {
    ...{ opened: 0, settled: 0, refunded: 0, released: 0 },
  });
  assert.equal(told.at(-1), "0 opened, 0 settled, 0 refunded, 0 released");
});
