/** An honest sale passes the audit whole; each way to tamper with it is named. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { auditSale, TAMPERINGS, tryTampering } from "../../runner/demo/tampered/list.ts";
import { Market, type Sale } from "../../runner/demo/tampered/sale.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";

const LOCAL = 31337;
const markets = new Map<number, Promise<Market>>();
let honest: Promise<Sale> | undefined;

function marketOn(chainId = LOCAL): Promise<Market> {
  const market = markets.get(chainId) ?? Market.open(chainId);
  markets.set(chainId, market);
  return market;
}

/** The honest sale of the local chain, shared; of any other chain its own. */
async function saleOn(market: Market, chainId?: number): Promise<Sale> {
  if (chainId !== undefined) return market.sell();
  honest ??= market.sell();
  return honest;
}

after(async () => {
  for (const market of markets.values()) await (await market).close();
  await (await loadCurve()).terminate();
});

test("an honest sale passes every check", async () => {
  const market = await marketOn();
  const { verdict, checks } = await auditSale(market, await saleOn(market));
  assert.deepEqual(
    checks.filter(({ result }) => result !== "passed"),
    [],
  );
  assert.equal(verdict, "passed");
  assert.equal(checks.length, 23);
});

for (const tampering of TAMPERINGS)
  test(`'${tampering.name}' is named: ${tampering.what}`, async () => {
    const market = await marketOn(tampering.chainId);
    const { verdict, caught, checks } = await tryTampering(
      market,
      () => saleOn(market, tampering.chainId),
      tampering,
    );
    assert.equal(verdict, "failed");
    const failed = checks.filter(({ result }) => result === "failed");
    assert.ok(caught, `caught by ${tampering.caughtBy.join(", ")}? ${JSON.stringify(failed, null, 2)}`);
  });
