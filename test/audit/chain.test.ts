/** What an audit meets on chains as they are: contracts in between, foreign tokens, nodes that give little. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { encodeFunctionData, parseEventLogs, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { audit } from "../../runner/audit/audit.ts";
import { connectNode } from "../../runner/audit/chain/node.ts";
import { findDeployment, readRelease } from "../../runner/audit/release.ts";
import type { Check } from "../../runner/audit/verdict.ts";
import { openAgreement, release, setOperator, withdraw } from "../../runner/chain/escrow.ts";
import { adapterRegistryAbi, loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { transact } from "../../runner/chain/transact.ts";
import { deployCode } from "../../runner/demo/attacks/attackerContracts.ts";
import { BATCH_CONTRACT, type BatchedCall, batched } from "../../runner/demo/tampered/batchContract.ts";
import { alterCall } from "../../runner/demo/tampered/lies.ts";
import { auditSale } from "../../runner/demo/tampered/list.ts";
import { startLyingNode } from "../../runner/demo/tampered/lyingNode.ts";
import { Market, type Sale } from "../../runner/demo/tampered/sale.ts";
import { agreed, type Trader } from "../../runner/demo/tampered/steps.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import type { Address } from "../../runner/protocol/typedData.ts";
import { deployToken } from "../chain/token.ts";

const market = await Market.open();
const honest = await market.sell();

after(async () => {
  await market.close();
  await (await loadCurve()).terminate();
});

const deployBatch = ({ contributor }: Market): Promise<Address> =>
  deployCode({ account: contributor.account, ctx: contributor }, BATCH_CONTRACT);

const resultOf = (checks: readonly Check[], name: string): Check =>
  checks.find((check) => check.name === name)!;
const others = (checks: readonly Check[], ...names: string[]): Check[] =>
  checks.filter(({ name, result }) => !names.includes(name) && result !== "passed");

interface AtHand {
  agreementId?: Hex;
  fromBlock?: bigint;
  manifest?: string;
  opening?: string;
}

/** An audit with these things at hand and no others. */
async function auditWith({ agreementId = honest.agreementId, fromBlock, manifest, opening }: AtHand) {
  const node = await connectNode(market.node.rpcUrl);
  try {
    return await audit({
      ...{ node, agreementId, onProgress: () => {} },
      deployment: findDeployment(readRelease(), node.chainId, honest.files.deployment),
      files: { opening, transcripts: [] },
      ...(fromBlock !== undefined && { fromBlock }),
      ...(manifest !== undefined && { manifest }),
    });
  } finally {
    node.close();
  }
}

async function registeredAt({ adapterId }: Sale): Promise<bigint> {
  const { publicClient, deployment } = market.buyer;
  const [event] = await publicClient.getContractEvents({
    ...{ address: deployment.registry, abi: adapterRegistryAbi, eventName: "AdapterRegistered" },
    ...{ args: { adapterId }, fromBlock: 0n },
  });
  return event!.blockNumber;
}

describe("receipts settled through another contract", () => {
  let shop: Promise<Address> | undefined;
  const settler = (): Promise<Address> => {
    shop ??= deployBatch(market);
    return shop;
  };
  let sale: Promise<Sale> | undefined;
  const sold = (): Promise<Sale> => {
    sale ??= settler().then((payout) => market.sell({ settler, payout }));
    return sale;
  };

  test("are found where the node traces, and replayed from that contract", async () => {
    const { verdict, checks } = await auditSale(market, await sold());
    assert.deepEqual(others(checks), []);
    assert.equal(verdict, "passed");
  });

  test("are not checkable where it does not, which the checks say", async () => {
    const lying = await startLyingNode(market.node.rpcUrl, (_, __, result) => result);
    lying.refuse("debug_traceTransaction");
    const { verdict, checks } = await auditSale(market, await sold(), { rpcUrl: lying.rpcUrl });
    await lying.close();
    assert.equal(verdict, "incomplete");
    for (const name of ["receipts", "proofs-pairing", "events", "replay"]) {
      const { result, detail } = resultOf(checks, name);
      assert.equal(result, "not checkable", name);
      assert.match(detail, /through another one, and the node does not trace it \(.*: not here\)$/);
    }
    assert.equal(resultOf(checks, "registration").result, "passed");
  });

  test("nor where it has dropped the trace", async () => {
    const lying = await startLyingNode(market.node.rpcUrl, (method, _, result) =>
      method === "debug_traceTransaction" ? null : result,
    );
    const { checks } = await auditSale(market, await sold(), { rpcUrl: lying.rpcUrl });
    await lying.close();
    const { result, detail } = resultOf(checks, "receipts");
    assert.equal(result, "not checkable");
    assert.match(detail, /does not trace it \(debug_traceTransaction: it has none\)$/);
  });

  test("by an operator that the node says the contributor set in a transaction it never signed", async () => {
    const lie = alterCall("setOperator", ([operator]) => [operator, false]);
    const lying = await startLyingNode(market.node.rpcUrl, lie);
    const { checks } = await auditSale(market, await sold(), { rpcUrl: lying.rpcUrl });
    await lying.close();
    assert.equal(resultOf(checks, "transactions").result, "failed");
    assert.match(resultOf(checks, "transactions").detail, /it was altered/);
  });

  test("and taken out in one transaction, with what another agreement credited: no fault of this one", async () => {
    await sold();
    const next = await market.sell({
      ...{ settler, payout: await settler(), withdrawing: true },
      // another registration, after the operator was set
      modulesPerProof: 4,
    });
    const { verdict, checks } = await auditSale(market, next);
    assert.deepEqual(others(checks), []);
    assert.equal(verdict, "passed");
    const fromBlock = await registeredAt(next);
    const part = await auditWith({ agreementId: next.agreementId, fromBlock });
    assert.equal(resultOf(part.checks, "replay").result, "not checkable");
    assert.match(
      resultOf(part.checks, "replay").detail,
      /had made it an operator before block [0-9]+ was not read/,
    );
  });
});

/** Two agreements opened in one transaction by a contract, their buyer; and what else it calls there. */
async function openedBy(shop: Address, others: readonly BatchedCall[] = []): Promise<Hex[]> {
  const { contributor, buyer } = market;
  const signer = privateKeyToAccount(generatePrivateKey());
  const { escrow } = buyer.deployment;
  const calls: BatchedCall[] = [];
  for (const _ of [1, 2]) {
    const terms = await agreed({ contributor, buyer }, honest.adapterId, signer, { token: zeroAddress });
    const { offer, signature, amount, deadline, nonce } = terms;
    const args = [offer, signature, signer.address, amount, deadline, nonce] as const;
    const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "open", args });
    calls.push({ to: escrow, data, value: offer.openingFee + amount });
  }
  const value = calls.reduce((sum, call) => sum + (call.value ?? 0n), 0n);
  const { logs } = await transact(buyer, { to: shop, data: batched([...calls, ...others]), value });
  const opened = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "AgreementOpened" });
  return opened.map(({ args }) => args.agreementId);
}

test("several agreements opened in one transaction with one nonce: each is its own", async () => {
  const { escrow } = market.buyer.deployment;
  // looking something up on the way is no call that counts
  const reading = { to: escrow, data: encodeFunctionData({ abi: loraEscrowAbi, functionName: "registry" }) };
  for (const agreementId of await openedBy(await deployBatch(market), [reading])) {
    const { checks } = await auditWith({ agreementId });
    assert.deepEqual(
      checks.filter(({ result }) => result === "failed"),
      [],
    );
    assert.equal(resultOf(checks, "replay").result, "passed");
  }
});

/** Two agreements of the honest adapter whose fee goes to the buyer, so that all their money comes to one account. */
async function openedForOneAccount(by: Trader): Promise<[Hex, Hex]> {
  const open = async (): Promise<Hex> => {
    const signer = privateKeyToAccount(generatePrivateKey());
    const traders = { contributor: market.contributor, buyer: by };
    const terms = { token: zeroAddress, payout: by.account.address };
    const { agreementId } = await openAgreement(by, await agreed(traders, honest.adapterId, signer, terms));
    return agreementId;
  };
  return [await open(), await open()];
}

describe("money of two agreements on one account", () => {
  test("withdrawn together, and then what came after: no fault of either", async () => {
    const { contributor, stranger } = market;
    const agreements = await openedForOneAccount(stranger);
    await withdraw(stranger, zeroAddress);
    for (const agreementId of agreements) {
      await release(contributor, agreementId);
      await withdraw(stranger, zeroAddress);
    }
    for (const agreementId of agreements) {
      const { checks } = await auditWith({ agreementId });
      assert.deepEqual(
        checks.filter(({ result }) => result === "failed"),
        [],
      );
    }
  });

  test("of which one lies before the first block that was read: no fault of the other", async () => {
    const { stranger } = market;
    await openedForOneAccount(stranger);
    // grouped as no adapter before it, so that it is registered only now
    const payout = stranger.account.address;
    const sale = await market.sell({ modulesPerProof: "all", passes: [1], payout });
    await withdraw(stranger, zeroAddress);
    const { agreementId } = sale;
    const { checks } = await auditWith({ agreementId, fromBlock: await registeredAt(sale) });
    assert.deepEqual(
      checks.filter(({ result }) => result === "failed"),
      [],
    );
  });

  test("each withdrawn in one transaction: the second withdrawal is the one of its agreement", async () => {
    const { contributor, stranger } = market;
    const shop = await deployBatch(market);
    const [first, second] = await openedBy(shop);
    await release(contributor, first!);
    await market.request("evm_increaseTime", [2 * 86_400]);
    const { escrow } = stranger.deployment;
    const calling = (functionName: "refund" | "withdraw", args: readonly Hex[]): BatchedCall => ({
      to: escrow,
      data: encodeFunctionData({ abi: loraEscrowAbi, functionName, args } as never),
    });
    const withdrawal = calling("withdraw", [zeroAddress, stranger.account.address]);
    const calls = [withdrawal, calling("refund", [second!]), withdrawal];
    await transact(stranger, { to: shop, data: batched(calls) });
    const { checks } = await auditWith({ agreementId: second! });
    assert.deepEqual(
      checks.filter(({ result }) => result === "failed"),
      [],
    );
    assert.match(resultOf(checks, "replay").detail, /100000000000 withdrawn/);
  });
});

test("an operator set a day before the adapter was registered: replayed from there on", async () => {
  const { contributor, stranger } = market;
  await setOperator(contributor, stranger.account.address, true);
  await market.request("evm_increaseTime", [86_400]);
  // grouped as no adapter before it, so that it is registered only now
  const { agreementId } = await market.sell({ modulesPerProof: 3, passes: [1] });
  const { checks } = await auditWith({ agreementId });
  assert.deepEqual(
    checks.filter(({ result }) => result === "failed"),
    [],
  );
  assert.equal(resultOf(checks, "replay").result, "passed");
});

test("calldata without the zeros at its end, which the escrow takes: no fault of the contributor", async () => {
  const { contributor, buyer } = market;
  const signer = privateKeyToAccount(generatePrivateKey());
  const { escrow } = buyer.deployment;
  const terms = await agreed({ contributor, buyer }, honest.adapterId, signer, { token: zeroAddress });
  const { offer, signature, amount, deadline, nonce } = terms;
  const args = [offer, signature, signer.address, amount, deadline, nonce] as const;
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "open", args });
  // the signature is last, and its 65 bytes are filled up to 96
  const cut = data.slice(0, -2 * (96 - 65)) as Hex;
  const { logs } = await transact(buyer, { to: escrow, data: cut, value: offer.openingFee + amount });
  const [opened] = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "AgreementOpened" });
  const { checks } = await auditWith({ agreementId: opened!.args.agreementId });
  assert.deepEqual(
    checks.filter(({ result }) => result === "failed"),
    [],
  );
});

test("somebody's registration with an address that is no text: everybody's audits go on", async () => {
  const { stranger } = market;
  const { registry, verifiers } = stranger.deployment;
  const { address: verifier } = Object.values(verifiers)[0]!;
  const args = [`0x${"01".repeat(32)}`, "AAAA", verifier, 1, `0x${"02".repeat(32)}`] as const;
  const data = encodeFunctionData({ abi: adapterRegistryAbi, functionName: "register", args });
  await transact(stranger, { to: registry, data: data.replace("41414141", "ff41fe41") as Hex });
  const { checks } = await auditWith({});
  assert.deepEqual(
    checks.filter(({ result }) => result === "failed"),
    [],
  );
});

test("an older receipt settled last: the files must be of the one that was paid", async () => {
  const sale = await market.sell({ secondHistory: true });
  const { verdict, checks, summary } = await auditSale(market, sale);
  assert.notEqual(verdict, "passed");
  assert.equal(summary.passes, 2n);
  const opened = await auditWith({ ...sale, manifest: sale.files.manifest, opening: sale.files.opening });
  for (const found of [checks, opened.checks])
    assert.equal(resultOf(found, "statements").result, "not checkable");
  assert.match(resultOf(checks, "transcript").detail, /the transcript lacks pass 2/);
  assert.equal(resultOf(opened.checks, "opening").result, "passed");
  assert.match(
    resultOf(opened.checks, "statements").detail,
    /rests on the receipt for 2 passes and 5 tokens, and the opening file is of another/,
  );
});

test("a node that has dropped old transactions or blocks: a report that says what is missing", async () => {
  for (const dropped of ["eth_getTransactionReceipt", "eth_getBlockByNumber"]) {
    const lying = await startLyingNode(market.node.rpcUrl, (method, _, result) =>
      method === dropped ? null : result,
    );
    const { verdict, checks, summary } = await auditSale(market, honest, { rpcUrl: lying.rpcUrl });
    await lying.close();
    assert.equal(verdict, "incomplete");
    assert.deepEqual(
      checks.filter(({ result }) => result === "failed"),
      [],
    );
    assert.match(resultOf(checks, "receipts").detail, /ask one that keeps all$/);
    assert.deepEqual(
      summary.settlements.map(({ timestamp }) => timestamp),
      [null],
    );
  }
});

test("a node that has the state of the audited block no more: not checkable, no fault of the parties", async () => {
  const lying = await startLyingNode(market.node.rpcUrl, (_, __, result) => result);
  for (const method of ["eth_call", "eth_getCode", "eth_getBalance"]) lying.refuse(method);
  const { verdict, checks } = await auditSale(market, honest, { rpcUrl: lying.rpcUrl });
  await lying.close();
  assert.equal(verdict, "incomplete");
  const { result, detail } = resultOf(checks, "money");
  assert.equal(result, "not checkable");
  assert.equal(detail, "the node does not answer: eth_call: not here");
});

test("an agreement that the buyer closed, and was refunded from", async () => {
  const { verdict, checks } = await auditSale(market, await market.sell({ ending: "refund" }));
  assert.deepEqual(others(checks), []);
  assert.equal(verdict, "passed");
  assert.match(resultOf(checks, "events").detail, /AgreementClosing, AgreementRefunded$/);
  assert.match(resultOf(checks, "money").detail, /status refunded/);
});

test("an ERC-20's own code is not vouched for; all else is, the replay with a stand-in", async () => {
  const token = await deployToken(market.buyer, 10n ** 18n);
  const { verdict, checks } = await auditSale(market, await market.sell({ token }));
  assert.deepEqual(others(checks, "token"), []);
  assert.equal(resultOf(checks, "token").result, "not checkable");
  assert.match(resultOf(checks, "token").detail, /code and storage of the ERC-20 0x[0-9a-f]{40} are foreign/);
  assert.equal(verdict, "incomplete");
});

test("a node that gives few blocks at a time is asked for less, until it answers", async () => {
  const asked: bigint[] = [];
  const lying = await startLyingNode(market.node.rpcUrl, (_, __, result) => result);
  lying.refuse("eth_getLogs", ([filter]) => {
    const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string };
    asked.push(BigInt(toBlock) - BigInt(fromBlock) + 1n);
    return asked.at(-1)! > 3n;
  });
  const { verdict } = await auditSale(market, honest, { rpcUrl: lying.rpcUrl });
  await lying.close();
  assert.equal(verdict, "passed");
  assert.ok(asked.some((range) => range > 3n) && asked.filter((range) => range <= 3n).length > 2);
});

describe("with less at hand", () => {
  const withLess = auditWith;

  test("from chain data alone: what a file would show is named as missing", async () => {
    const { verdict, checks } = await withLess({});
    assert.deepEqual(
      others(checks).map(({ name, result }) => [name, result]),
      ["manifest", "commitments", "knowledge", "statements"].map((name) => [name, "not checkable"]),
    );
    assert.equal(verdict, "incomplete");
  });

  test("with the manifest, the statements still need an opening or a transcript", async () => {
    const { checks } = await withLess({ manifest: honest.files.manifest });
    assert.deepEqual(
      others(checks).map(({ detail }) => detail),
      ["the opening file or the transcript (--opening FILE, --transcript DIR)"],
    );
  });

  test("an unknown agreement, a silent node, a deployment of another chain: errors that say what to do", async () => {
    const node = await connectNode(market.node.rpcUrl);
    const release = readRelease();
    const options = {
      node,
      deployment: findDeployment(release, node.chainId, honest.files.deployment),
      files: { opening: undefined, transcripts: [] },
      onProgress: () => {},
    };
    await assert.rejects(audit({ ...options, agreementId: `0x${"00".repeat(32)}` }), {
      code: "audit/no-agreement",
    });
    assert.throws(() => findDeployment(release, 1n, honest.files.deployment), { code: "audit/wrong-chain" });
    assert.throws(() => findDeployment(release, 1n, honest.files.opening), { code: "audit/bad-deployment" });
    node.close();
    await assert.rejects(connectNode("http://127.0.0.1:1"), { code: "audit/no-node" });
  });

  test("a node that does not know final blocks is named", async () => {
    const lying = await startLyingNode(market.node.rpcUrl, (method, _, result) =>
      method === "eth_chainId" ? "0x1" : result,
    );
    lying.refuse("eth_getBlockByNumber");
    const { rpcUrl } = lying;
    await assert.rejects(connectNode(rpcUrl), { code: "audit/no-final-block", message: /: not here$/ });
    await lying.close();
  });
});
