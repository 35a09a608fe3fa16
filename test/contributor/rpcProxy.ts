/** A chain's node that is away, slow or behind, when told: a proxy before a real one. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface RpcProxy {
  url: string;
  /** `down`: connections are broken off. `slow`: a tenth of a second later. `held`: once it is not. `behind`: as it was at `behindBlock`. */
  mode: "up" | "down" | "slow" | "held" | "behind";
  behindBlock: bigint;
  /** Requests that came while it was down. */
  refused: number;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The newest block's place is taken by an older one. */
function behind(body: string, block: string): string {
  return body.replace(/"(latest|pending|finalized)"/g, `"${block}"`);
}

export async function rpcProxy(
  context: { after(work: () => void): void },
  rpcUrl: string,
): Promise<RpcProxy> {
  const proxy: RpcProxy = { url: "", mode: "up", behindBlock: 0n, refused: 0 };
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = await bodyOf(request);
    if (proxy.mode === "down") {
      proxy.refused++;
      request.socket.destroy();
      return;
    }
    const block = `0x${proxy.behindBlock.toString(16)}`;
    if (proxy.mode === "slow") await sleep(100);
    while (proxy.mode === "held") await sleep(10);
    if (proxy.mode === "behind") body = behind(body, block);
    const answer = await fetch(rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const text = await answer.text();
    response.writeHead(answer.status, { "content-type": "application/json" });
    const isHead = proxy.mode === "behind" && body.includes('"eth_blockNumber"');
    response.end(isHead ? text.replace(/"result":"0x[0-9a-f]+"/, `"result":"${block}"`) : text);
  };
  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}
