/** A node that lies: it passes requests on to a real one and alters what comes back. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The answer to give; `result` is the real node's. */
export type Lie = (method: string, params: readonly unknown[], result: unknown) => unknown;

/** Alters a request before the real node sees it. */
export type Mishear = (method: string, params: readonly unknown[]) => readonly unknown[];

export interface LyingNode {
  rpcUrl: string;
  /** From now on refuses the calls of a method, or those of them that `which` picks. */
  refuse(method: string, which?: (params: readonly unknown[]) => boolean): void;
  close(): Promise<void>;
}

interface Rpc {
  id: number;
  method: string;
  params: unknown[];
}

export async function startLyingNode(
  realUrl: string,
  lie: Lie,
  mishear: Mishear = (_, params) => params,
): Promise<LyingNode> {
  const refused = new Map<string, (params: readonly unknown[]) => boolean>();
  const answer = async (body: string): Promise<string> => {
    const { id, method, params } = JSON.parse(body) as Rpc;
    if (refused.get(method)?.(params) === true)
      return JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: `${method}: not here` } });
    const asked = mishear(method, params);
    const response = await fetch(realUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params: asked }),
    });
    const document = (await response.json()) as { result?: unknown; error?: unknown };
    if (document.error !== undefined) return JSON.stringify(document);
    return JSON.stringify({ jsonrpc: "2.0", id, result: lie(method, params, document.result) });
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    response.setHeader("content-type", "application/json");
    response.end(await answer(Buffer.concat(parts).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    rpcUrl: `http://127.0.0.1:${port}`,
    refuse: (method, which = () => true) => void refused.set(method, which),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
