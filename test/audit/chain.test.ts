/** What an audit meets on chains as they are: contracts in between, foreign tokens, nodes that give little. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { audit } from "../../runner/audit/audit.ts";
import { connectNode } from "../../runner/audit/chain/node.ts";
import { findDeployment, readRelease } from "../../runner/audit/release.ts";
import type { Check } from "../../runner/audit/verdict.ts";
import { deployCode } from "../../runner/demo/attacks/attackerContracts.ts";
import { auditSale } from "../../runner/demo/tampered/list.ts";
import { startLyingNode } from "../../runner/demo/tampered/lyingNode.ts";
import { Market, type Sale } from "../../runner/demo/tampered/sale.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import type { Address } from "../../runner/protocol/typedData.ts";
import { deployToken } from "../chain/token.ts";

const market = await Market.open();
const honest = await market.sell();

after(async () => {
  await market.close();
  await (await loadCurve()).terminate();
});

/** Creation code of a contract that calls the address in its first word with the rest of what it is given. */
const FORWARDER =
  "0x602380600b6000396000f36020360380602060003760006000826000346000355af115601c57005b60006000fd";

const forwarder = ({ contributor }: Market): Promise<Address> =>
  deployCode({ account: contributor.account, ctx: contributor }, FORWARDER);

const resultOf = (checks: readonly Check[], name: string): Check =>
  checks.find((check) => check.name === name)!;
const others = (checks: readonly Check[], ...names: string[]): Check[] =>
  checks.filter(({ name, result }) => !names.includes(name) && result !== "passed");

describe("receipts settled through another contract", () => {
  let sale: Promise<Sale> | undefined;
  const sold = (): Promise<Sale> => {
    sale ??= market.sell({ settler: forwarder });
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
      assert.match(detail, /reached the contracts through another one, and the node does not trace it/);
    }
    assert.equal(resultOf(checks, "registration").result, "passed");
  });
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
  const withLess = async (change: { fromBlock?: bigint; manifest?: string }) => {
    const node = await connectNode(market.node.rpcUrl);
    try {
      return await audit({
        node,
        deployment: findDeployment(readRelease(), node.chainId, honest.files.deployment),
        agreementId: honest.agreementId,
        files: { opening: undefined, transcripts: [] },
        onProgress: () => {},
        ...change,
      });
    } finally {
      node.close();
    }
  };

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
});
