import assert from "node:assert/strict";
import { after, test } from "node:test";
import { concat, encodeAbiParameters, encodeFunctionData, type Hex, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { releaseContracts, releaseKeys } from "../../app/releaseKeys.ts";
import { type Certificate, certificateJson, certificateOf } from "../../app/src/agreement/certificate.ts";
import { type Check, checkFacts } from "../../app/src/agreement/checks.ts";
import type { AgreementFacts } from "../../app/src/agreement/facts.ts";
import { readFacts } from "../../app/src/agreement/readFacts.ts";
import { assessReceipt } from "../../app/src/agreement/receipts.ts";
import { headline } from "../../app/src/agreement/words.ts";
import { readingContext } from "../../app/src/chain/chain.ts";
import { checkBundle } from "../../app/src/verification/checkBundle.ts";
import type { ChainContext } from "../../runner/chain/connect.ts";
import {
  closeAgreement,
  openAgreement,
  refund,
  release,
  setOperator,
  withdraw,
} from "../../runner/chain/escrow.ts";
import { loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { registerAdapter } from "../../runner/chain/registry.ts";
import { settle } from "../../runner/chain/settle.ts";
import { transact } from "../../runner/chain/transact.ts";
import attackers from "../../runner/demo/generated/attackers.json" with { type: "json" };
import { loadCurve } from "../../runner/protocol/curve.ts";
import { openAgreementOf, opening, provenReceipt, random32, terms } from "../chain/agreement.ts";
import { testChain, thrownBy } from "../chain/localChain.ts";

const GROUPS = 3;
const MODULES = [
  { name: "layer.q", group: 0 },
  { name: "layer.k", group: 0 },
  { name: "layer.v", group: 1 },
  { name: "layer.o", group: 2 },
];
const RELEASE = { keys: releaseKeys(), contracts: releaseContracts() };

const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
const reader = chain.as(5);
after(async () => (await loadCurve()).terminate());

/** The certificate as the page makes it, but for the worker. */
async function certify(
  agreementId: Hex,
  ctx: ChainContext = reader,
  facts?: AgreementFacts,
): Promise<Certificate> {
  const read = facts ?? (await readFacts(ctx, agreementId));
  const receipts = [];
  for (const receipt of read.receipts)
    receipts.push(
      await assessReceipt(read, receipt, MODULES, (bundle, context) =>
        checkBundle(bundle, context, RELEASE.keys),
      ),
    );
  return certificateOf(read, await checkFacts(read, ctx.deployment, RELEASE), receipts, MODULES);
}

const failed = ({ checks }: Certificate): string[] =>
  checks.filter(({ result }) => result === "failed").map(({ name }) => name);
const check = ({ checks }: Certificate, name: Check["name"]): Check =>
  checks.find((found) => found.name === name)!;
const kinds = ({ timeline }: Certificate): string[] => timeline.map(({ kind }) => kind);
const groupStates = ({ receipts }: Certificate): string[][] =>
  receipts.map(({ groups }) => groups.map(({ status }) => status));

async function settledAgreement(): Promise<Hex> {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  await settle(contributor, await provenReceipt(buyer, agreementId, signer, GROUPS, 30n));
  return agreementId;
}

test("a settled agreement is rebuilt from the chain alone, and every proof replayed", async () => {
  const { agreementId, signer, offer } = await openAgreementOf(contributor, buyer, GROUPS);
  const first = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  const half = await settle(contributor, { ...first, claims: first.claims.slice(1) });
  const rest = await settle(contributor, first);
  const second = await provenReceipt(buyer, agreementId, signer, GROUPS, 50n);
  await settle(contributor, second);
  await release(contributor, agreementId);
  await withdraw(contributor, zeroAddress);
  const certificate = await certify(agreementId);
  assert.deepEqual(failed(certificate), []);
  assert.equal(certificate.verdict, "proven");
  assert.equal(headline(certificate), "50 tokens proven: every proof on chain holds");
  assert.deepEqual(
    certificate.checks.map(({ name, result }) => `${name} ${result}`),
    ["contracts", "verifier", "key", "registration", "opening", "offer", "money", "receipts"].map(
      (name) => `${name} passed`,
    ),
  );
  assert.deepEqual(groupStates(certificate), Array(2).fill(["proven", "proven", "proven"]));
  const [groups] = certificate.receipts.map((receipt) => receipt.groups);
  assert.deepEqual(
    groups!.map(({ modules, gas, txHash }) => [modules, gas, txHash]),
    [
      [["layer.q", "layer.k"], rest.gasUsed, rest.txHash],
      [["layer.v"], half.gasUsed / 2n, half.transactions[0]!.txHash],
      [["layer.o"], half.gasUsed / 2n, half.transactions[0]!.txHash],
    ],
  );
  const { fee, amount, earned, returned, held } = certificate.money;
  assert.deepEqual([fee, amount, earned, returned, held], [offer.openingFee, 1000n, 250n, 750n, 0n]);
  assert.deepEqual(kinds(certificate), [
    "registered",
    "opened",
    "proofs",
    "settled",
    "settled",
    "released",
    "withdrawn",
  ]);
  assert.deepEqual(
    certificate.timeline.map(({ amount: sum }) => sum),
    [undefined, 1007n, undefined, 150n, 100n, 750n, 257n],
  );
});

test("the certificate is one JSON document that holds what was replayed", async () => {
  const certificate = await certify(await settledAgreement());
  const json = JSON.parse(certificateJson(certificate)) as Record<string, unknown>;
  assert.equal(json["format"], "deltapay/1/certificate");
  assert.equal(json["verdict"], "proven");
  const text = JSON.stringify(json);
  const { V, claims } = certificate.facts.receipts[0]!.submissions[0]!.call!;
  for (const word of [...V.flat(), ...claims.flatMap(({ a, b, c }) => [...a, ...b, ...c])])
    assert.ok(text.includes(`"${word}"`));
});

test("an agreement nobody opened is unknown", async () => {
  assert.equal((await thrownBy(readFacts(reader, random32()))).code, "agreement/unknown");
});

test("a node that does not answer is named", async () => {
  const { chainId, deployment } = reader;
  const away = readingContext({ rpcUrl: "http://127.0.0.1:9", chainId, deployment, services: [] });
  assert.equal((await thrownBy(readFacts(away, random32()))).code, "chain/unreachable");
});

test("what is open has a deadline, and nothing is settled", async () => {
  const { agreementId } = await openAgreementOf(contributor, buyer, GROUPS);
  const certificate = await certify(agreementId);
  assert.equal(certificate.verdict, "unsettled");
  assert.equal(headline(certificate), "Open: nothing is proven yet");
  assert.deepEqual(kinds(certificate), ["registered", "opened", "deadline"]);
  assert.equal(certificate.money.held, 1000n);
});

test("proofs of some groups are shown, and those that wait", async () => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  const proven = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  await settle(contributor, { ...proven, claims: proven.claims.slice(0, 1) });
  const certificate = await certify(agreementId);
  assert.equal(certificate.verdict, "unsettled");
  assert.match(headline(certificate), /nothing is paid until all are/);
  assert.deepEqual(groupStates(certificate), [["proven", "waiting", "waiting"]]);
  assert.match(check(certificate, "receipts").detail, /2 are still to come/);
  assert.equal(certificate.money.earned, 0n);
});

test("a receipt settled after a newer one is worth nothing more", async () => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  const older = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  const newer = await provenReceipt(buyer, agreementId, signer, GROUPS, 50n);
  await settle(contributor, { ...older, claims: older.claims.slice(0, 1) });
  await settle(contributor, newer);
  await settle(contributor, older);
  const certificate = await certify(agreementId);
  assert.deepEqual([certificate.verdict, failed(certificate)], ["proven", []]);
  assert.deepEqual([certificate.money.earned, certificate.money.held], [250n, 750n]);
});

test("what is mined while the page reads is left for the next reading, not taken for a contradiction", async () => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  const head = await reader.publicClient.getBlock();
  await settle(contributor, await provenReceipt(buyer, agreementId, signer, GROUPS, 30n));
  const { publicClient } = reader;
  const earlier = {
    ...publicClient,
    getBlock: ((args?: object) =>
      args === undefined ? Promise.resolve(head) : publicClient.getBlock(args)) as never,
  };
  const certificate = await certify(agreementId, { ...reader, publicClient: earlier });
  assert.deepEqual([certificate.verdict, failed(certificate)], ["unsettled", []]);
  assert.equal(certificate.money.held, 1000n);
  assert.equal((await certify(agreementId)).money.earned, 150n);
});

test("a refund after the deadline is shown, with the closing before it", async () => {
  const { agreementId } = await openAgreementOf(contributor, buyer, GROUPS);
  await closeAgreement(buyer, agreementId);
  assert.match(headline(await certify(agreementId)), /^Closing/);
  await chain.pass(700);
  assert.match(headline(await certify(agreementId)), /can have its money back/);
  await refund(chain.as(6), agreementId);
  const certificate = await certify(agreementId);
  assert.deepEqual(kinds(certificate), ["registered", "opened", "closing", "refunded"]);
  assert.deepEqual([certificate.verdict, certificate.money.returned], ["unsettled", 1000n]);
  assert.match(headline(certificate), /the buyer has its money back/);
});

/** Deploys runtime code of at most 255 bytes. */
async function deployed(runtime: Hex): Promise<Hex> {
  const size = ((runtime.length - 2) / 2).toString(16).padStart(2, "0");
  return created(concat([`0x60${size}600a5f3960${size}5ff3`, runtime]));
}

async function created(data: Hex): Promise<Hex> {
  const { walletClient, publicClient, account } = contributor;
  const hash = await walletClient!.sendTransaction({ account, data, chain: null });
  return (await publicClient.waitForTransactionReceipt({ hash })).contractAddress!;
}

test("proofs sent through another contract are said not to be checkable", async () => {
  const { escrow } = contributor.deployment;
  // Hands its calldata to the escrow.
  const forwarder = await deployed(`0x365f5f375f5f365f5f73${escrow.slice(2)}5af16026575f5ffd5b00`);
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  await setOperator(contributor, forwarder, true);
  const { receipt, signature, V, claims } = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  const args = [agreementId, receipt, signature, V, claims] as const;
  await transact(contributor, {
    to: forwarder,
    data: encodeFunctionData({ abi: loraEscrowAbi, functionName: "settle", args }),
  });
  const certificate = await certify(agreementId);
  assert.equal(certificate.verdict, "incomplete");
  assert.deepEqual(groupStates(certificate), [["unreadable", "unreadable", "unreadable"]]);
  assert.equal(check(certificate, "receipts").result, "not checkable");
  assert.equal(certificate.money.earned, 150n);
});

test("a verifier that accepts anything is named, and its false proofs fail here", async () => {
  const [key] = RELEASE.keys;
  const claimed = encodeAbiParameters([{ type: "bytes32" }], [key!.vkHash]);
  const verifier = await created(concat([attackers.TrueVerifier as Hex, claimed]));
  const { adapterId } = await registerAdapter(contributor, {
    manifestHash: random32(),
    uri: "http://127.0.0.1/",
    verifier,
    groups: GROUPS,
    salt: random32(),
  });
  const signer = privateKeyToAccount(generatePrivateKey());
  const request = await opening(contributor, terms(contributor.account, adapterId), {
    signer: signer.address,
  });
  const { agreementId } = await openAgreement(buyer, request);
  const proven = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  const swapped = proven.claims.map((claim, i) => ({
    ...proven.claims[(i + 1) % GROUPS]!,
    group: claim.group,
  }));
  await settle(contributor, { ...proven, claims: swapped });
  const certificate = await certify(agreementId);
  assert.equal(certificate.verdict, "failed");
  assert.deepEqual(failed(certificate), ["verifier", "receipts"]);
  assert.equal(headline(certificate), "Do not rely on this agreement: 2 checks fail");
  assert.match(check(certificate, "verifier").detail, /no verifier of this release/);
  assert.deepEqual(groupStates(certificate), [["failed", "failed", "failed"]]);
  assert.match(check(certificate, "receipts").detail, /layer\.q, layer\.k; layer\.v; layer\.o/);
});

test("a key with public secrets is refused off a local chain, an unknown one everywhere", async () => {
  const facts = await readFacts(reader, await settledAgreement());
  const elsewhere = await checkFacts({ ...facts, chainId: 1 }, reader.deployment, RELEASE);
  assert.match(elsewhere.find(({ name }) => name === "key")!.detail, /anyone can forge/);
  const unknown = { ...facts, registration: { ...facts.registration, vkHash: random32() } };
  const names = (checks: Check[]): string[] =>
    checks.filter(({ result }) => result === "failed").map(({ name }) => name);
  assert.deepEqual(names(await checkFacts(unknown, reader.deployment, RELEASE)), ["verifier", "key"]);
});

test("contracts that are not the release's are named", async () => {
  const facts = await readFacts(reader, await settledAgreement());
  const { codeHashes } = reader.deployment;
  const changed = { ...reader.deployment, codeHashes: { ...codeHashes, escrow: random32() } };
  const [otherCode] = await checkFacts(facts, changed, RELEASE);
  assert.deepEqual([otherCode!.name, otherCode!.result], ["contracts", "failed"]);
  const moved = { ...RELEASE, contracts: { ...RELEASE.contracts, escrow: zeroAddress } };
  const [elsewhere] = await checkFacts(facts, reader.deployment, moved);
  assert.match(elsewhere!.detail, /not this release's/);
});

/** Every fact that a node could falsify in its events, and the check that notices. */
const FALSIFIED: [what: string, change: (facts: AgreementFacts) => void, noticedBy: string[]][] = [
  [
    "the manifest",
    (f) => {
      f.registration.manifestHash = random32();
    },
    ["registration"],
  ],
  [
    "the number of groups",
    (f) => {
      f.registration.groups = 1;
    },
    ["registration", "receipts"],
  ],
  [
    "the contributor",
    (f) => {
      f.registration.contributor = buyer.account.address;
    },
    ["registration", "offer"],
  ],
  [
    "the amount",
    (f) => {
      f.opening.amount = 2000n;
    },
    ["opening", "money"],
  ],
  [
    "the price",
    (f) => {
      f.opening.offer.pricePerToken = 6n;
    },
    ["opening", "offer", "money"],
  ],
  [
    "the buyer",
    (f) => {
      f.opening.buyer = contributor.account.address;
    },
    ["opening"],
  ],
  [
    "the signer",
    (f) => {
      f.opening.signer = buyer.account.address;
    },
    ["opening", "receipts"],
  ],
  [
    "what was credited",
    (f) => {
      f.receipts[0]!.settled!.credited += 1n;
    },
    ["money"],
  ],
  [
    "what is paid",
    (f) => {
      f.now.paid += 1n;
    },
    ["money"],
  ],
  [
    "the tokens of a receipt",
    (f) => {
      f.receipts[0]!.submissions[0]!.call!.receipt.tokens += 1n;
    },
    ["receipts"],
  ],
  [
    "the tokens told of when it was paid, and all the money with them",
    (f) => {
      const settled = f.receipts[0]!.settled!;
      settled.tokens *= 2n;
      settled.credited *= 2n;
      settled.paid *= 2n;
      f.now.paid *= 2n;
    },
    ["receipts"],
  ],
  [
    "that proofs were sent",
    (f) => {
      f.receipts[0]!.submissions = [];
    },
    ["receipts"],
  ],
  [
    "the token",
    (f) => {
      f.now.token = f.escrow;
    },
    ["opening"],
  ],
  [
    "that the rest went back",
    (f) => {
      f.now.status = "released";
    },
    ["money"],
  ],
  [
    "a statement",
    (f) => {
      f.receipts[0]!.submissions[0]!.call!.V.reverse();
    },
    ["receipts"],
  ],
  [
    "the groups of an event",
    (f) => {
      f.receipts[0]!.submissions[0]!.groups.pop();
    },
    ["receipts"],
  ],
  [
    "a proof",
    (f) => {
      f.receipts[0]!.submissions[0]!.call!.claims[0]!.c = f.receipts[0]!.submissions[0]!.call!.claims[1]!.c;
    },
    ["receipts"],
  ],
  [
    "the verifier's code",
    (f) => {
      f.code.verifier = null;
    },
    ["verifier"],
  ],
];

test("each fact a node could falsify is noticed by a check of its own", async () => {
  const facts = await readFacts(reader, await settledAgreement());
  for (const [what, change, noticedBy] of FALSIFIED) {
    const changed = structuredClone(facts);
    change(changed);
    const certificate = await certify(facts.agreementId, reader, changed);
    assert.deepEqual([what, failed(certificate)], [what, noticedBy]);
    assert.equal(certificate.verdict, "failed");
  }
});

const tokens = (count: number): string => count.toString(16).padStart(64, "0");

test("calldata of another receipt than the event's is a contradiction, not a proof", async () => {
  const agreementId = await settledAgreement();
  const { publicClient } = reader;
  const lying = {
    ...publicClient,
    getTransaction: async (args: { hash: Hex }) => {
      const transaction = await publicClient.getTransaction(args);
      return { ...transaction, input: transaction.input.replace(tokens(30), tokens(31)) };
    },
  };
  const certificate = await certify(agreementId, { ...reader, publicClient: lying as never });
  assert.equal(certificate.verdict, "failed");
  assert.match(check(certificate, "receipts").detail, /the event names/);
});
