/** Tokens as the page reads them: what a token says of itself, and what a node does not say. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createPublicClient, type Hex, http } from "viem";
import { readShownToken } from "../../app/src/chain/shownToken.ts";
import { readOfferToken } from "../../app/src/contributor/offerToken.ts";
import type { ChainConnection } from "../../runner/chain/connection.ts";
import { ETH } from "../../runner/chain/erc20.ts";
import { bareChain, thrownBy } from "../chain/localChain.ts";

const chain = await bareChain();
const TOKEN = "0xabcdef0000000000000000000000000000000001";
const DECIMALS = "0x313ce567";
/** Answers every call with offset 32, length 3, "ETH": a symbol, and 32 decimals. */
const CALLED_ETH = "0x602060005260036020526245544860e81b60405260606000f3";

async function setCode(code: Hex): Promise<void> {
  const request = chain.publicClient.request as (call: object) => Promise<unknown>;
  await request({ method: "hardhat_setCode", params: [TOKEN, code] });
}

/** The chain through a node that is overloaded when it is asked for `selector`. */
async function without(selector: Hex, context: TestContext): Promise<ChainConnection> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    if (body.includes(selector)) return response.writeHead(503).end();
    const headers = { "content-type": "application/json" };
    const answer = await fetch(chain.rpcUrl, { method: "POST", headers, body });
    return response.writeHead(200, headers).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const rpcUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = http(rpcUrl, { retryCount: 0 });
  const publicClient = createPublicClient({ chain: chain.publicClient.chain, transport });
  return { ...chain, rpcUrl, publicClient };
}

test("a token that calls itself ETH is shown by its address, wherever it is read", async () => {
  await setCode(CALLED_ETH);
  assert.deepEqual(await readShownToken(chain, TOKEN), { address: TOKEN, symbol: "Tabcdef", decimals: 32 });
  assert.deepEqual(await readShownToken(chain, ETH.address), ETH);
});

test("a node that does not tell a token's decimals is no token without decimals", async (context) => {
  await setCode(CALLED_ETH);
  const error = await thrownBy(readShownToken(await without(DECIMALS, context), TOKEN));
  assert.equal(error.code, "chain/unreachable");
});

test("decimals that no token can have are none: to write an amount in them would never end", async () => {
  const answers = async (word: string): Promise<number> => {
    await setCode(`0x7f${word.padStart(64, "0")}60005260206000f3`);
    return (await readShownToken(chain, TOKEN)).decimals;
  };
  for (const decimals of [0, 6, 18, 30, 255]) assert.equal(await answers(decimals.toString(16)), decimals);
  for (const decimals of [256, 1_000_000]) assert.equal(await answers(decimals.toString(16)), 0);
  assert.equal(await answers("f".repeat(64)), 0);
});

test("an offer is paid in a token that is there, also in one that says nothing of itself", async () => {
  await setCode("0x60006000fd");
  const silent = { address: TOKEN, symbol: "Tabcdef", decimals: 0 };
  assert.deepEqual(await readOfferToken(chain, TOKEN), silent);
  await setCode("0x");
  assert.equal((await thrownBy(readOfferToken(chain, TOKEN))).code, "offer/no-token");
});
