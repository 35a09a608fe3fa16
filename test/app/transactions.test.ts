/** What a wallet was asked for, and what became of it, on a real node that mines when told. */
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import {
  encodeFunctionData,
  HttpRequestError,
  LimitExceededRpcError,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  UserRejectedRequestError,
  zeroAddress,
} from "viem";
import { isUnderWay } from "../../app/src/transactions/record.ts";
import { resume, sendOnce } from "../../app/src/transactions/send.ts";
import { parseRecords } from "../../app/src/transactions/store.ts";
import { loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { requireSender } from "../../runner/chain/transact.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { openAgreementOf } from "../chain/agreement.ts";
import { testChain, thrownBy } from "../chain/localChain.ts";
import { Browser, openTab, type Tab } from "./tab.ts";

const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
const { walletClient } = requireSender(buyer);
after(async () => (await loadCurve()).terminate());

const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
  (chain.connection.publicClient.request as (call: object) => Promise<unknown>)({ method, params });

/** A call of `buyer` that works once. */
async function closing(): Promise<Parameters<typeof sendOnce>[1]> {
  const { agreementId } = await openAgreementOf(contributor, buyer, 1);
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "close", args: [agreementId] });
  return {
    purpose: `close-${agreementId}`,
    label: "Close",
    call: { to: buyer.deployment.escrow, data },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A page that goes away at some moment, and whatever it was doing. */
class Visit {
  readonly #end = new AbortController();
  readonly browser: Browser;
  readonly tab: Tab;
  constructor(browser: Browser) {
    this.browser = browser;
    this.tab = openTab(browser, buyer, this.#end.signal);
  }
  leave(): void {
    this.#end.abort(new Error("the page is gone"));
    this.browser.freeLocks();
  }
}

/** A page that went away after the wallet had sent and before it said so. */
async function leftBeforeHearing(browser: Browser, request: Parameters<typeof sendOnce>[1]): Promise<Visit> {
  const visit = new Visit(browser);
  let sent = false;
  visit.tab.behave = async (send) => {
    await send();
    sent = true;
    return new Promise(() => {});
  };
  void sendOnce(visit.tab, request).catch(() => {});
  await until(() => sent);
  visit.leave();
  return visit;
}

beforeEach(() => rpc("evm_setAutomine", true));

test("a call is asked for once, mined and confirmed", async () => {
  const tab = openTab(new Browser(), buyer);
  const request = await closing();
  const record = await sendOnce(tab, request);
  assert.equal(record.state, "confirmed");
  assert.equal(record.hash, record.minedHash);
  assert.equal(tab.asked, 1);
  assert.equal(tab.store.last(request.purpose)?.state, "confirmed");
});

test("what the escrow would refuse is told in words before the wallet is asked", async () => {
  const tab = openTab(new Browser(), buyer);
  const call = {
    to: buyer.deployment.escrow,
    data: encodeFunctionData({
      abi: loraEscrowAbi,
      functionName: "withdraw",
      args: [zeroAddress, buyer.deployment.escrow],
    }),
  };
  const error = await thrownBy(sendOnce(tab, { purpose: "withdraw", label: "Withdraw", call }));
  assert.match(error.code!, /^contract\/(nothing-to-withdraw|invalid-recipient)$/);
  assert.equal(tab.asked, 0);
  assert.deepEqual(tab.store.load("withdraw"), []);
});

test("a rejected signature leaves nothing behind, and the next try is a fresh one", async () => {
  const tab = openTab(new Browser(), buyer);
  const request = await closing();
  tab.behave = () => Promise.reject(new UserRejectedRequestError(new Error("no")));
  const error = await thrownBy(sendOnce(tab, request));
  assert.equal(error.code, "wallet/rejected");
  const last = tab.store.last(request.purpose);
  assert.deepEqual([last?.state, last?.failure?.code], ["unsent", "wallet/rejected"]);
  tab.behave = undefined;
  assert.equal((await sendOnce(tab, request)).state, "confirmed");
});

test("a page that goes away while its transaction is pending goes on with it", async () => {
  const browser = new Browser();
  const request = await closing();
  await rpc("evm_setAutomine", false);
  const first = new Visit(browser);
  const gone = thrownBy(sendOnce(first.tab, request));
  await until(() => first.tab.store.last(request.purpose)?.state === "pending");
  first.leave();
  assert.match((await gone).message, /the page is gone/);

  const second = openTab(browser, buyer);
  const going = sendOnce(second, request);
  await rpc("hardhat_mine", "0x1");
  assert.equal((await going).state, "confirmed");
  assert.deepEqual([first.tab.asked, second.asked], [1, 0]);
});

for (const mined of [true, false])
  test(`a page that goes away before the wallet answered finds the transaction ${mined ? "mined" : "pending"}`, async () => {
    const browser = new Browser();
    const request = await closing();
    await rpc("evm_setAutomine", mined);
    const first = await leftBeforeHearing(browser, request);
    assert.equal(first.tab.store.last(request.purpose)?.state, "asking");

    const second = openTab(browser, buyer);
    const going = sendOnce(second, request);
    if (!mined) {
      await until(() => second.store.last(request.purpose)?.state === "pending");
      await rpc("hardhat_mine", "0x1");
    }
    assert.equal((await going).state, "confirmed");
    assert.equal(second.asked, 0);
  });

test("while a transaction nobody knows the hash of is pending, the node is not asked without a pause", async () => {
  const browser = new Browser();
  const request = await closing();
  await rpc("evm_setAutomine", false);
  await leftBeforeHearing(browser, request);

  const second = openTab(browser, buyer);
  const { publicClient } = second.ctx;
  let counted = 0;
  const getTransactionCount: typeof publicClient.getTransactionCount = (query) => {
    counted++;
    return publicClient.getTransactionCount(query);
  };
  second.ctx = { ...second.ctx, publicClient: { ...publicClient, getTransactionCount } };
  second.pollMs = 100;
  const going = sendOnce(second, request);
  await until(() => second.store.last(request.purpose)?.state === "pending");
  counted = 0;
  await new Promise((resolve) => setTimeout(resolve, 350));
  // Two a look.
  assert.ok(counted <= 10, `${counted} requests`);
  await rpc("hardhat_mine", "0x1");
  assert.equal((await going).state, "confirmed");
});

test("a request that never left the wallet is asked for again", async () => {
  const browser = new Browser();
  const request = await closing();
  const first = new Visit(browser);
  first.tab.behave = () => new Promise(() => {});
  void sendOnce(first.tab, request).catch(() => {});
  await until(() => first.tab.asked === 1);
  first.leave();
  const second = openTab(browser, buyer);
  assert.equal((await sendOnce(second, request)).state, "confirmed");
  assert.equal(second.asked, 1);
});

test("sped up, cancelled and replaced in the wallet are told apart", async () => {
  const cases = {
    "sped up": { change: (call: object) => call, error: undefined },
    cancelled: {
      change: () => ({ to: buyer.account.address, value: 0n }),
      error: "transaction/cancelled",
    },
    replaced: {
      change: () => ({ to: contributor.account.address, value: 1n }),
      error: "transaction/replaced",
    },
  } as const;
  for (const [name, { change, error }] of Object.entries(cases)) {
    const tab = openTab(new Browser(), buyer);
    const { publicClient } = tab.ctx;
    let looked = 0;
    const getTransactionReceipt: typeof publicClient.getTransactionReceipt = (query) => {
      looked++;
      return publicClient.getTransactionReceipt(query);
    };
    tab.ctx = { ...tab.ctx, publicClient: { ...publicClient, getTransactionReceipt } };
    const request = await closing();
    await rpc("evm_setAutomine", false);
    let ended = false;
    const going = sendOnce(tab, request)
      .catch((thrown: unknown) => thrown as Error & { code: string })
      .finally(() => {
        ended = true;
      });
    await until(() => tab.store.last(request.purpose)?.state === "pending");
    const { nonce, hash } = tab.store.last(request.purpose)!;
    const other = await walletClient.sendTransaction({
      ...change(request.call),
      nonce,
      gas: 200_000n,
      maxFeePerGas: 10n ** 11n,
      maxPriorityFeePerGas: 10n ** 10n,
    } as Parameters<typeof walletClient.sendTransaction>[0]);
    // More looks than it takes to call what no node has lost (LOOKS_TO_LOSE in send.ts).
    looked = 0;
    await until(() => looked > 20 || ended);
    await rpc("hardhat_mine", "0x1");
    const result = await going;
    const last = tab.store.last(request.purpose)!;
    assert.notEqual(other, hash);
    assert.equal(last.minedHash, other, name);
    if (error !== undefined) assert.equal((result as { code?: string }).code, error, name);
    else assert.equal(last.state, "confirmed", name);
    await rpc("evm_setAutomine", true);
  }
});

test("a transaction that reverts says why, in the contract's words", async () => {
  const request = await closing();
  await rpc("evm_setAutomine", false);
  const [one, two] = [openTab(new Browser(), buyer), openTab(new Browser(), buyer)];
  const first = sendOnce(one, request);
  await until(() => one.store.last(request.purpose)?.state === "pending");
  // Both were estimated before either was mined.
  two.ctx = { ...two.ctx, publicClient: withEstimate(two.ctx.publicClient) };
  const second = thrownBy(sendOnce(two, request));
  await until(() => two.store.last(request.purpose)?.state === "pending");
  await rpc("hardhat_mine", "0x1");
  assert.equal((await first).state, "confirmed");
  assert.equal((await second).code, "contract/wrong-status");
  assert.equal(two.store.last(request.purpose)?.state, "reverted");
});

/** The node's estimate from before the pending block, which Hardhat's own takes into account. */
function withEstimate<Client extends { estimateGas: unknown }>(client: Client): Client {
  return { ...client, estimateGas: async () => 100_000n };
}

test("a transaction that the pool forgot is not waited for for ever", async () => {
  const tab = openTab(new Browser(), buyer);
  const request = await closing();
  await rpc("evm_setAutomine", false);
  const going = thrownBy(sendOnce(tab, request));
  await until(() => tab.store.last(request.purpose)?.state === "pending");
  await rpc("hardhat_dropTransaction", tab.store.last(request.purpose)!.hash);
  assert.equal((await going).code, "transaction/lost");
  await rpc("evm_setAutomine", true);
  assert.equal((await sendOnce(tab, request)).state, "confirmed");
});

/** Lets a tab's node know of what is not mined only when `hears` says so: the wallet sends by another. */
function hearLate(tab: Tab, hears: () => boolean): void {
  const { publicClient } = tab.ctx;
  const later: Partial<typeof publicClient> = {
    getTransaction: async (query) => {
      if (!hears()) throw new TransactionNotFoundError({ hash: query.hash! });
      return publicClient.getTransaction(query);
    },
    getTransactionReceipt: async (query) => {
      if (!hears()) throw new TransactionReceiptNotFoundError(query);
      return publicClient.getTransactionReceipt(query);
    },
    getTransactionCount: (query) =>
      publicClient.getTransactionCount(hears() ? query : { address: query.address }),
  };
  tab.ctx = { ...tab.ctx, publicClient: { ...publicClient, ...later } as typeof publicClient };
}

test("a node that hears of a transaction later than the wallet's does not take it for lost", async () => {
  const tab = openTab(new Browser(), buyer);
  const request = await closing();
  await rpc("evm_setAutomine", false);
  let hears = false;
  hearLate(tab, () => hears);
  const going = sendOnce(tab, request);
  going.catch(() => {});
  await until(() => tab.store.last(request.purpose)?.hash !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(tab.store.last(request.purpose)?.state, "pending");
  hears = true;
  await rpc("hardhat_mine", "0x1");
  assert.equal((await going).state, "confirmed");
  assert.equal(tab.asked, 1);
});

test("an earlier transaction of the account that the node had not heard of does not pass for a replacement", async () => {
  const tab = openTab(new Browser(), buyer);
  const request = await closing();
  await rpc("evm_setAutomine", false);
  const earlier = { to: contributor.account.address, value: 1n, maxFeePerGas: 10n ** 12n };
  await walletClient.sendTransaction(earlier);
  let hears = false;
  hearLate(tab, () => hears);
  const going = sendOnce(tab, request);
  going.catch(() => {});
  await until(() => tab.store.last(request.purpose)?.hash !== undefined);
  hears = true;
  // Only the earlier one pays enough for the next block.
  await rpc("hardhat_setNextBlockBaseFeePerGas", `0x${(10n ** 11n).toString(16)}`);
  await rpc("hardhat_mine", "0x1");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(tab.store.last(request.purpose)?.state, "pending");
  await rpc("hardhat_setNextBlockBaseFeePerGas", "0x1");
  await rpc("hardhat_mine", "0x1");
  assert.equal((await going).state, "confirmed");
  assert.equal(tab.asked, 1);
});

test("a second tab does not send what the first is sending", async () => {
  const browser = new Browser();
  const request = await closing();
  await rpc("evm_setAutomine", false);
  const first = openTab(browser, buyer);
  const second = openTab(browser, buyer, AbortSignal.timeout(2000));
  const going = sendOnce(first, request);
  going.catch(() => {});
  await until(() => first.store.last(request.purpose)?.state === "pending");
  assert.equal((await thrownBy(sendOnce(second, request))).code, "tab/busy");
  await rpc("hardhat_mine", "0x1");
  assert.equal((await going).state, "confirmed");
  assert.equal(second.asked, 0);
});

const NOT_NOW: [what: string, error: Error][] = [
  ["does not answer", new HttpRequestError({ url: chain.rpcUrl })],
  ["refuses to answer so often", new LimitExceededRpcError(new Error("too many requests"))],
];
for (const [what, error] of NOT_NOW)
  test(`a chain that ${what} for a while loses nothing`, async () => {
    const tab = openTab(new Browser(), buyer);
    const request = await closing();
    await rpc("evm_setAutomine", false);
    const { publicClient } = tab.ctx;
    let down = false;
    const getTransactionReceipt: typeof publicClient.getTransactionReceipt = async (query) => {
      if (down) throw error;
      return publicClient.getTransactionReceipt(query);
    };
    const ctx = { ...tab.ctx, publicClient: { ...publicClient, getTransactionReceipt } };
    const going = sendOnce({ ...tab, ctx }, request);
    going.catch(() => {});
    await until(() => tab.store.last(request.purpose)?.state === "pending");
    down = true;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(isUnderWay(tab.store.last(request.purpose)!));
    down = false;
    await rpc("hardhat_mine", "0x1");
    assert.equal((await going).state, "confirmed");
  });

test("on a node that forgot older blocks a displaced transaction does not hold up the next", async () => {
  const tab = openTab(new Browser(), buyer);
  const request = await closing();
  await rpc("evm_setAutomine", false);
  const { publicClient } = tab.ctx;
  tab.ctx = {
    ...tab.ctx,
    publicClient: {
      ...publicClient,
      getTransactionCount: (query: Parameters<typeof publicClient.getTransactionCount>[0]) =>
        "blockNumber" in query && query.blockNumber !== undefined
          ? Promise.reject(new Error("missing trie node"))
          : publicClient.getTransactionCount(query),
    } as typeof publicClient,
  };
  const going = thrownBy(sendOnce(tab, request));
  await until(() => tab.store.last(request.purpose)?.state === "pending");
  const { nonce } = tab.store.last(request.purpose)!;
  const more = { gas: 200_000n, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 10n };
  await walletClient.sendTransaction({ to: contributor.account.address, value: 1n, nonce, ...more });
  await rpc("hardhat_mine", "0x1");
  assert.equal((await going).code, "transaction/replaced");
  await rpc("evm_setAutomine", true);
  assert.equal((await sendOnce(tab, request)).state, "confirmed");
});

test("records that cannot be read are as good as lost; the chain knows all that matters", async () => {
  assert.deepEqual(parseRecords("{"), []);
  assert.deepEqual(parseRecords('[{"state":"pending"}]'), []);
  const browser = new Browser();
  const tab = openTab(browser, buyer);
  browser.setItem(tab.store.keyOf("x"), '[{"state":"confirmed"}]');
  assert.equal(await resume(tab, "x"), undefined);
});
