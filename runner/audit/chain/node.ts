/** The audited chain: JSON-RPC over HTTP by ethers, nothing believed that can be computed. */

import type { Interface } from "ethers";
import { FetchRequest, JsonRpcProvider } from "ethers";
import type { Hex } from "../primitives/bytes.ts";
import { AuditError } from "../problem.ts";
import { decodeResult } from "./contracts.ts";

const LOCAL_CHAIN = 31337n;
const TIMEOUT_MS = 60_000;

export interface ChainNode {
  url: string;
  chainId: bigint;
  /** Everything is read as of this block: the newest final one, on a local chain the newest. */
  block: bigint;
  request<Result>(method: string, params: readonly unknown[]): Promise<Result>;
  /** The one result of a view function at `block`, a plain value or struct. */
  view<Result>(at: Hex, contract: Interface, name: string, args: readonly unknown[]): Promise<Result>;
  code(at: Hex): Promise<Hex>;
  balance(at: Hex): Promise<bigint>;
  /** Ends connections. */
  close(): void;
}

export const quantity = (value: bigint): Hex => `0x${value.toString(16)}`;

/** Connects and fixes the block. @throws AuditError `audit/no-node`, `audit/no-final-block` */
export async function connectNode(url: string): Promise<ChainNode> {
  const fetch = new FetchRequest(url);
  fetch.timeout = TIMEOUT_MS;
  const send = await chainIdOf(fetch, url);
  const request = <Result>(method: string, params: readonly unknown[]): Promise<Result> =>
    send.provider.send(method, [...params]) as Promise<Result>;
  const block = await finalBlock(request, send.chainId);
  const at = quantity(block);
  return {
    url,
    chainId: send.chainId,
    block,
    request,
    view: async <Result>(to: Hex, contract: Interface, name: string, args: readonly unknown[]) => {
      const data = contract.encodeFunctionData(name, [...args]);
      const answer = await request<Hex>("eth_call", [{ to, data }, at]);
      return decodeResult(contract, name, answer) as Result;
    },
    code: (address) => request<Hex>("eth_getCode", [address, at]),
    balance: async (address) => BigInt(await request<Hex>("eth_getBalance", [address, at])),
    close: () => send.provider.destroy(),
  };
}

async function chainIdOf(
  fetch: FetchRequest,
  url: string,
): Promise<{ provider: JsonRpcProvider; chainId: bigint }> {
  const once = new JsonRpcProvider(fetch, 1, { staticNetwork: true, batchMaxCount: 1, polling: false });
  try {
    const chainId = BigInt((await once.send("eth_chainId", [])) as Hex);
    return { provider: once, chainId };
  } catch (error) {
    once.destroy();
    throw new AuditError("audit/no-node", `no chain answers at ${url}: ${shortMessage(error)}`, {
      field: "rpc",
      hint: "name a node with --rpc URL",
    });
  }
}

async function finalBlock(
  request: <Result>(method: string, params: readonly unknown[]) => Promise<Result>,
  chainId: bigint,
): Promise<bigint> {
  if (chainId === LOCAL_CHAIN) return BigInt(await request<Hex>("eth_blockNumber", []));
  const nameless = (why: string): AuditError =>
    new AuditError("audit/no-final-block", `the node names no final block: ${why}`, {
      field: "rpc",
      hint: "ask a node that knows the block 'finalized'",
    });
  const final = await request<{ number: Hex } | null>("eth_getBlockByNumber", ["finalized", false]).catch(
    (error: unknown) => {
      throw nameless(shortMessage(error));
    },
  );
  if (final === null) throw nameless("this chain has none yet");
  return BigInt(final.number);
}

/** One line of an error of ethers or of a node; ethers keeps the node's own words in one place or the other. */
export function shortMessage(error: unknown): string {
  const { error: answer, info } = (error ?? {}) as { error?: unknown; info?: { error?: unknown } };
  const said = ((answer ?? info?.error) as { message?: unknown } | undefined)?.message;
  const own = error instanceof Error ? (error as { shortMessage?: string }).shortMessage : undefined;
  const text = said ?? own ?? (error instanceof Error ? error.message : error);
  return String(text).split("\n")[0]!.slice(0, 300);
}
