import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { findOffer } from "../../../runner/contributor/offers.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { type ProofBundle, stringifyMessage } from "../../../runner/wire/messages.ts";
import { type Proven, STRANGER, Stage, type Visit } from "./harness.ts";
import type { Tab } from "./tab.ts";

const stage = await Stage.open();
const { world } = stage;
const client = world.buyer.ctx.publicClient;
const contributor = world.contributor.account.address;

afterEach(() => stage.rpc("evm_setAutomine", [true]));

/** A page with the wallet connected, and how often the wallet was asked to send. */
async function connected(visit: Visit = {}): Promise<{ tab: Tab; sends: () => number }> {
  let sends = 0;
  const tab = await stage.visit({
    ...visit,
    decide: (method) => {
      if (method === "eth_sendTransaction") sends++;
      return visit.decide?.(method) ?? "approve";
    },
  });
  if (visit.beside === undefined) await tab.connect();
  await tab.page.getByRole("button", { name: "Disconnect" }).waitFor();
  return { tab, sends: () => sends };
}

/** Loads an agreement's proofs from the service and waits until they are verified. */
async function load(tab: Tab, { agreementId }: Proven): Promise<void> {
  await stage.session(tab, agreementId).getByRole("button", { name: "Load its proofs" }).click();
  await tab.shows("verified here");
}

const submit = (tab: Tab): Promise<void> => tab.page.getByRole("button", { name: "Submit proofs" }).click();

async function paid(agreementId: Hex): Promise<bigint> {
  return (await stage.agreement(agreementId)).paid;
}

/** Sends another transaction with the nonce of the one in the pool, paying more. */
async function outbid(change: { to: Hex; value: bigint; data?: Hex }): Promise<void> {
  const block = await client.getBlock({ blockTag: "pending", includeTransactions: true });
  const pending = block.transactions.find(({ from }) => from.toLowerCase() === contributor.toLowerCase())!;
  const double = (fee: bigint | undefined): string => `0x${(2n * fee!).toString(16)}`;
  await stage.rpc("eth_sendTransaction", [
    {
      from: contributor,
      to: change.to,
      value: `0x${change.value.toString(16)}`,
      ...(change.data === undefined ? {} : { data: change.data }),
      nonce: `0x${pending.nonce.toString(16)}`,
      gas: `0x${pending.gas.toString(16)}`,
      maxFeePerGas: double(pending.maxFeePerGas),
      maxPriorityFeePerGas: double(pending.maxPriorityFeePerGas),
    },
  ]);
}

test("a rejected signature sends nothing, and the next try settles", async () => {
  const proven = await stage.prove();
  let answer: "approve" | "reject" = "reject";
  const { tab, sends } = await connected({
    decide: (method) => (method === "eth_sendTransaction" ? answer : "approve"),
  });
  await load(tab, proven);
  await submit(tab);
  await tab.shows(/you rejected the request/i);
  await tab.assertAccessible();
  assert.equal(await paid(proven.agreementId), 0n);
  answer = "approve";
  await submit(tab);
  await tab.shows(/^All 4 groups are proven on chain/);
  assert.equal(sends(), 2);
  assert.ok((await paid(proven.agreementId)) > 0n);
  tab.assertQuiet();
});

test("a reload in mid-submission asks the wallet nothing again and follows what was sent", async () => {
  const proven = await stage.prove();
  const { tab, sends } = await connected();
  await load(tab, proven);
  await stage.rpc("evm_setAutomine", [false]);
  await submit(tab);
  await tab.shows(/pending: sent/);
  await tab.page.reload();
  await tab.shows(/pending: sent/);
  await tab.assertAccessible();
  await stage.rpc("evm_mine");
  await stage.rpc("evm_setAutomine", [true]);
  await tab.shows(/^All 4 groups are proven on chain/);
  assert.equal(sends(), 1);
  assert.ok((await paid(proven.agreementId)) > 0n);
  tab.assertQuiet();
});

test("an offer whose cancelling a reload interrupted is shown to buyers no more", async () => {
  const { offerHash: hash } = await world.makeOffer(stage.adapterId, { tokenCap: 777n });
  const { tab } = await connected();
  const offer = tab.page
    .locator("details")
    .filter({ has: tab.page.getByText(/up to 777 tokens/) })
    .last();
  await offer.getByText(/up to 777 tokens/).click();
  await stage.rpc("evm_setAutomine", [false]);
  await offer.getByRole("button", { name: "Cancel this offer for good" }).click();
  await tab.shows(/pending: sent/);
  await tab.page.reload();
  await stage.rpc("evm_mine");
  await offer.getByText("cancelled", { exact: true }).waitFor();
  assert.equal(findOffer(world.data, hash)?.cancelled, true);
  tab.assertQuiet();
});

test("who sends from another account is told what to do in the wallet, not on a command line", async () => {
  const proven = await stage.prove();
  const { tab } = await connected({ wallet: STRANGER });
  const session = stage.session(tab, proven.agreementId);
  await session.getByText("Give the buyer back what is left").click();
  await session.getByRole("button", { name: "Release" }).click();
  await session.getByText("What to do: choose that account in the wallet.").waitFor();
  tab.assertQuiet();
});

test("a bundle that could not be checked while the node was down is checked when it is back", async () => {
  const proven = await stage.prove();
  const { tab } = await connected();
  await load(tab, proven);
  const down = (route: { abort: () => Promise<void> }) => route.abort();
  await tab.page.route(`${stage.rpcUrl}/**`, down);
  tab.expected.push(/ERR_FAILED/);
  await tab.page.reload();
  await tab.shows("This bundle is not sent");
  await tab.page.unroute(`${stage.rpcUrl}/**`, down);
  await tab.shows("verified here");
  tab.assertQuiet();
});

test("a transaction replaced by another is told apart, and the proofs can be sent again", async () => {
  const proven = await stage.prove();
  const { tab } = await connected();
  await load(tab, proven);
  await stage.rpc("evm_setAutomine", [false]);
  await submit(tab);
  await tab.shows(/pending: sent/);
  await outbid({ to: world.stranger.account.address, value: 1n });
  await stage.rpc("evm_mine");
  await stage.rpc("evm_setAutomine", [true]);
  await tab.shows(/replaced by another transaction/);
  assert.equal(await paid(proven.agreementId), 0n);
  await submit(tab);
  await tab.shows(/^All 4 groups are proven on chain/);
  tab.assertQuiet();
});

test("a transaction cancelled in the wallet is told apart", async () => {
  const proven = await stage.prove();
  const { tab } = await connected();
  await load(tab, proven);
  await stage.rpc("evm_setAutomine", [false]);
  await submit(tab);
  await tab.shows(/pending: sent/);
  await outbid({ to: contributor, value: 0n });
  await stage.rpc("evm_mine");
  await tab.shows(/cancelled in the wallet/);
  assert.equal(await paid(proven.agreementId), 0n);
  tab.assertQuiet();
});

test("a transaction sped up in the wallet counts as itself", async () => {
  const proven = await stage.prove();
  const { tab, sends } = await connected();
  await load(tab, proven);
  await stage.rpc("evm_setAutomine", [false]);
  await submit(tab);
  await tab.shows(/pending: sent/);
  const block = await client.getBlock({ blockTag: "pending", includeTransactions: true });
  const { to, input } = block.transactions[0]!;
  await outbid({ to: to!, value: 0n, data: input });
  await stage.rpc("evm_mine");
  await tab.shows(/^All 4 groups are proven on chain/);
  await tab.shows(/sped up/);
  assert.equal(sends(), 1);
  tab.assertQuiet();
});

test("a second tab does not send what the first is sending", async () => {
  const proven = await stage.prove();
  const first = await connected();
  await load(first.tab, proven);
  await stage.rpc("evm_setAutomine", [false]);
  await submit(first.tab);
  await first.tab.shows(/pending: sent/);
  const second = await connected({ beside: first.tab });
  await second.tab.shows("verified here");
  await submit(second.tab);
  await second.tab.shows(/another tab/);
  await stage.rpc("evm_mine");
  await stage.rpc("evm_setAutomine", [true]);
  await Promise.all([
    first.tab.shows(/^All 4 groups are proven on chain/),
    second.tab.shows(/^All 4 groups are proven on chain/),
  ]);
  assert.deepEqual([first.sends(), second.sends()], [1, 0]);
  first.tab.assertQuiet();
  second.tab.assertQuiet();
});

/** Each tampered bundle, what the page must say of it. */
const TAMPERED: Record<string, [tamper: (bundle: ProofBundle) => void, says: RegExp[]]> = {
  "two proofs exchanged": [
    ({ claims }) => {
      const [first, second] = [claims[0]!, claims[1]!];
      claims.splice(0, 2, { ...second, group: 0 }, { ...first, group: 1 });
    },
    [/Group 0 \(.*attn.*\):/i, /Group 1 \(.*attn.*\):/i],
  ],
  "a proof left out": [
    ({ claims }) => claims.splice(1, 1),
    [/Group 1 \(.*attn.*\): the bundle has no proof/i],
  ],
  "more tokens": [({ receipt }) => (receipt.tokens += 1n), [/signed by|signature/i]],
  "another statement": [({ V }) => (V[0] = V[1]!), [/bundle\/wrong-statements-hash/]],
  "another escrow": [(bundle) => (bundle.escrow = `0x${"11".repeat(20)}`), [/bundle\/other-escrow/]],
  "a coordinate beyond the field": [
    ({ claims }) => (claims[0]!.a[0] = 2n ** 256n - 1n),
    [/Group 0 \(.*attn.*\):/i],
  ],
};

for (const [name, [tamper, says]] of Object.entries(TAMPERED))
  test(`a tampered bundle is refused by name and nothing is sent: ${name}`, async () => {
    const { bundle, agreementId } = await tampered();
    const { tab, sends } = await connected();
    const changed = structuredClone(bundle);
    tamper(changed);
    await tab.page.getByLabel(/Proof bundle/).setInputFiles({
      name: "bundle.json",
      mimeType: "application/json",
      buffer: Buffer.from(stringifyMessage(changed)),
    });
    for (const text of says) await tab.shows(text);
    assert.equal(await tab.page.getByRole("button", { name: "Submit proofs" }).count(), 0);
    await tab.assertAccessible();
    assert.equal(sends(), 0);
    assert.equal(await paid(agreementId), 0n);
    tab.assertQuiet();
  });

let kept: Promise<Proven> | undefined;
/** One proven session for all of them: none settles it. */
function tampered(): Promise<Proven> {
  kept ??= stage.prove();
  return kept;
}

test("past the deadline the contributor is told so, and the buyer gets the money back", async () => {
  const proven = await stage.prove();
  const { deadline, amount } = await stage.agreement(proven.agreementId);
  const { tab, sends } = await connected();
  await load(tab, proven);
  const now = (await client.getBlock()).timestamp;
  await stage.rpc("evm_increaseTime", [Number(deadline - now) + 1]);
  await stage.rpc("evm_mine");
  await tab.page.reload();
  await tab.shows(/deadline/i);
  await tab.shows(/cannot be settled now/i);
  assert.equal(sends(), 0);
  const { tab: buyer } = await connected({ wallet: 2, hash: "#/buyer" });
  await stage
    .purchase(buyer, proven.agreementId)
    .getByRole("button", { name: /refund/i })
    .click();
  await buyer.shows(/refunded/i);
  const elsewhere = buyer.page.getByText("Send it to another address");
  await elsewhere.click();
  await buyer.page.getByLabel("Recipient").fill(`0x${"ab".repeat(20)}`);
  // Folded away again, it is still where the money would go.
  await elsewhere.click();
  await buyer.page.getByRole("button", { name: "Withdraw to 0xababab…ababab" }).waitFor();
  await elsewhere.click();
  await buyer.page.getByLabel("Recipient").fill("");
  await buyer.page.getByRole("button", { name: "Withdraw", exact: true }).click();
  await buyer.shows(/Nothing to withdraw/);
  assert.equal((await stage.agreement(proven.agreementId)).status, "refunded");
  assert.ok(amount > 0n);
  assert.equal(await world.credit(world.buyer), 0n);
  buyer.assertQuiet();
});
