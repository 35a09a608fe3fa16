import assert from "node:assert/strict";
import { test } from "node:test";
import { speak } from "../../../runner/demo/speak.ts";
import { serviceSchema } from "../../../runner/wire/messages.ts";
import { PATHS } from "../../../runner/wire/paths.ts";
import { Stage } from "./harness.ts";

const stage = await Stage.open({ offer: false });
const { world, service } = stage;

test("from an offer signed in the page to real proofs, settlement and the money", async () => {
  const asked: string[] = [];
  const tab = await stage.visit({
    decide: (method) => {
      asked.push(method);
      return "approve";
    },
  });
  const { page } = tab;
  await tab.connect();
  await page.getByText("Make an offer").first().click();
  await page.getByLabel("Price of a token").fill("2 gwei");
  await page.getByLabel("Opening fee").fill("0");
  await page.getByRole("button", { name: "Sign this offer" }).click();
  await tab.shows("Your service shows it to buyers now.");
  await tab.assertAccessible();
  // the service shows what was signed within a second
  const offers = async () =>
    serviceSchema.parse(await (await fetch(service.url + PATHS.service)).json()).adapters[0]!.offers;
  for (let i = 0; i < 50 && (await offers()).length === 0; i++) await page.waitForTimeout(100);
  assert.equal((await offers())[0]!.offer.pricePerToken, 2_000_000_000n);

  const { remote, agreementId } = await world.buy(service.url);
  await speak(remote, "In the beginning", 3);
  const session = stage.session(tab, agreementId);
  await session.getByText("serving", { exact: true }).waitFor();
  await remote.signReceipt();
  await remote.end();
  const { tokens } = (await remote.status()).receipt;
  await session.getByText("ended, not proven").waitFor();
  await session.getByRole("button", { name: "Prove now" }).click();
  await tab.shows("verified here");
  await tab.assertAccessible();

  const balance = async (): Promise<bigint> =>
    world.buyer.ctx.publicClient.getBalance({ address: world.contributor.account.address });
  await page.getByRole("button", { name: "Submit proofs" }).click();
  await tab.shows(/^All 4 groups are proven on chain/);
  assert.equal(await world.credit(world.contributor), BigInt(tokens) * 2_000_000_000n);
  const before = await balance();
  await page.getByRole("button", { name: "Withdraw", exact: true }).click();
  await tab.shows(/Nothing to withdraw/);
  await tab.assertAccessible();
  assert.equal(await world.credit(world.contributor), 0n);
  const block = await world.buyer.ctx.publicClient.getBlock({ includeTransactions: true });
  const receipt = await world.buyer.ctx.publicClient.getTransactionReceipt({
    hash: block.transactions[0]!.hash,
  });
  const fee = receipt.gasUsed * receipt.effectiveGasPrice;
  assert.equal((await balance()) - before + fee, BigInt(tokens) * 2_000_000_000n);
  assert.deepEqual(
    asked.filter((method) => method.startsWith("eth_")),
    ["eth_signTypedData_v4", "eth_sendTransaction", "eth_sendTransaction"],
  );
  tab.assertQuiet();
});
