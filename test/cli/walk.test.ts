import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openingText } from "../../app/src/buyer/keptOpening.ts";
import { readOfferOrOpening } from "../../app/src/buyer/opening.ts";
import { testAccount } from "../../runner/chain/accounts.ts";
import { connect } from "../../runner/chain/connect.ts";
import { openAgreement } from "../../runner/chain/escrow.ts";
import { freePort } from "../../runner/chain/localNode.ts";
import { openSession } from "../../runner/wire/sessionFile.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { failing, killedAt, run, runJson, startJson, stoppedAt } from "./command.ts";

interface Purchase {
  tokens: number;
  cost: string;
  ended: boolean;
}
interface Status {
  agreements: {
    role: string;
    phase: string;
    tokens: string;
    chain: { status: string; paid: string };
    settlement: string | null;
  }[];
  credit: string | null;
}
type Id = { agreementId: string };

const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));
const reference = JSON.parse(fs.readFileSync(path.join(fixtures, "reference.json"), "utf8"));
const model = ["--model", path.join(fixtures, "base", "model_with_past.onnx")];
const directory = temporaryDirectory({ after });
const deploymentFile = path.join(directory, "deployment.json");
const text = path.join(directory, "text.txt");
fs.writeFileSync(text, reference.eval_text);

const PRICE = 1000n;
const FEE = 5n;
const [port, servicePort] = [await freePort(), await freePort()];
const chainProcess = await startJson<{ rpcUrl: string }>({ after }, ["chain", "--port", String(port)]);
const chain = ["--rpc", chainProcess.ready.rpcUrl, "--deployment", deploymentFile];
const contributorData = ["--data", path.join(directory, "contributor")];
const buyerData = ["--data", path.join(directory, "buyer")];
const contributor = [...chain, "--account", "1", ...contributorData];
const buyer = [...chain, "--account", "2", ...buyerData];

/** One after the other: each step stands on those before. */
const steps: { agreementId: string; url: string } = { agreementId: "", url: "" };
const serve = (context: TestContext, ...more: string[]) =>
  startJson<{ url: string }>(context, ["serve", ...contributor, "--port", String(servicePort), ...more]);
const open = (amount: bigint) =>
  runJson<Id>(["open", ...buyer, ...model, "--contributor", steps.url, "--amount", String(amount)]);

/** Moves the chain's clock, in seconds. */
async function passTime(by: number): Promise<void> {
  const answer = await fetch(chainProcess.ready.rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "evm_increaseTime", params: [by] }),
  });
  assert.equal(((await answer.json()) as { error?: unknown }).error, undefined);
}

test("deploy and register; without a deployment the error says to deploy", async () => {
  const early = await failing(["status", ...chain]);
  assert.equal(early.error.code, "chain/not-deployed");
  assert.equal((await runJson<{ created: string[] }>(["deploy", ...chain])).created.length, 12);
  assert.deepEqual((await runJson<{ created: string[] }>(["deploy", ...chain])).created, []);

  const dir = path.join(fixtures, "kjv-attn");
  const inspected = await runJson<{ modules: unknown[]; keySize: number }>([
    "adapter",
    "inspect",
    dir,
    ...model,
  ]);
  assert.deepEqual([inspected.modules.length, inspected.keySize], [4, 14]);
  const noOffer = await failing(["offer", "make", "--price", "1", ...contributor]);
  assert.equal(noOffer.error.code, "storage/no-data");
  const registered = await runJson<{ adapterId: string; groups: number; warnings: string[] }>([
    ...["adapter", "register", dir, ...model, ...contributor],
  ]);
  assert.equal(registered.groups, 4);
  assert.match(registered.warnings.join(), /seed/);
  const again = await runJson<{ adapterId: string; resumed: boolean }>([
    ...["adapter", "register", dir, ...model, ...contributor],
  ]);
  assert.deepEqual([again.adapterId, again.resumed], [registered.adapterId, true]);
});

test("offer, serve, open", async (context) => {
  const make = ["offer", "make", "--price", String(PRICE), "--fee", String(FEE), "--max-opens", "3"];
  const terms = ["--min-duration", "30s", "--close-window", "30s", "--cap", "2000", "--max-unpaid", "200"];
  const offer = await runJson<{ offerHash: string; warnings: string[] }>([...make, ...terms, ...contributor]);
  assert.match(offer.warnings.join(), /give the adapter away/);
  const service = await serve(context, "--no-settle");
  steps.url = service.ready.url;
  const opened = await runJson<Id & { modules: unknown[]; gasUsed: string }>([
    ...[
      "open",
      ...buyer,
      ...model,
      "--contributor",
      steps.url,
      "--amount",
      "2000000wei",
      "--deadline-in",
      "10m",
    ],
  ]);
  assert.equal(opened.modules.length, 4);
  assert.ok(Number(opened.gasUsed) > 21_000);
  steps.agreementId = opened.agreementId;
  assert.equal(await service.stop(), 0);
});

test("the adapter changes the text to the reference's and the perplexity to the reference's", async (context) => {
  const service = await serve(context, "--no-settle");
  const { greedy } = reference.cases["kjv-attn"];
  const generated = await runJson<{ text: string; agreements: Purchase[] }>([
    ...["generate", ...chain, ...buyerData, ...model, "--prompt", reference.prompt, "--max-tokens", "8"],
  ]);
  assert.ok(greedy.startsWith(generated.text), `${generated.text} | ${greedy}`);
  // Every token but the last one added is paid for once.
  const [bought] = generated.agreements;
  assert.equal(bought?.tokens, reference.prompt_ids.length + 7);
  assert.equal(BigInt(bought!.cost), BigInt(bought!.tokens) * PRICE);

  const measured = await runJson<{ perplexity: { adapter: number; base: number }; agreements: Purchase[] }>([
    ...["evaluate", ...chain, ...buyerData, ...model, "--text", text, "--max-tokens", "512", "--end"],
  ]);
  assert.ok(measured.perplexity.adapter < measured.perplexity.base / 4);
  assert.equal(measured.agreements[0]?.ended, true);
  await service.stop();
});

test("what the tokens sold give away is shown; the owner bounds and prices it", async () => {
  interface Leakage {
    tokensSold: number;
    ranks: number[];
    leastPrice: string | null;
    buyers: { tokensSold: number }[];
  }
  const here = [...chain, ...contributorData];
  const [shown] = await runJson<Leakage[]>(["leakage", "show", ...contributorData]);
  const { agreements, leakage } = await runJson<Status & { leakage: Leakage[] }>(["status", ...here]);
  assert.deepEqual(leakage, [shown]);
  assert.equal(shown?.tokensSold, Number(agreements[0]?.tokens));
  assert.deepEqual([shown.buyers.length, shown.buyers[0]?.tokensSold], [1, shown.tokensSold]);
  assert.ok(shown.ranks.every((rank) => rank === 128));
  const limit = ["leakage", "limit", ...here];
  const priced = await runJson<Leakage>([...limit, "--past", "refuse", "--worth", "128001"]);
  assert.equal(priced.leastPrice, "2001");
  const make = ["offer", "make", ...contributor, "--price", "2000"];
  assert.equal((await failing(make)).error.code, "offer/below-worth");
  const { stdout, code } = await stoppedAt(["status", "--watch", "1", ...here], "no pass past 1 a buyer");
  assert.match(stdout, /as contributor: .* without a receipt/);
  assert.equal(code, 0);
  await runJson([...limit, "--past", "warn", "--no-worth"]);
});

test("what proves a session leaves its folder encrypted only", async () => {
  const { agreementId } = steps;
  const file = path.join(directory, "session.json");
  const exporting = ["prove", agreementId, ...chain, ...contributorData, "--export-session", file];
  assert.equal((await failing(exporting)).error.code, "session-file/passphrase-needed");
  assert.equal(fs.existsSync(file), false);
  const passphrase = "correct horse battery";
  await runJson(exporting, { DELTAPAY_SESSION_PASSPHRASE: passphrase });
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const session = await openSession(fs.readFileSync(file, "utf8"), passphrase);
  assert.deepEqual([session.agreementId, session.witnesses.length], [agreementId, 4]);
});

test("prove, settle once, withdraw; the rest is released", async () => {
  const { agreementId } = steps;
  const bundle = path.join(directory, "bundle.json");
  const proven = await runJson<{ proofs: { verified: boolean; modules: string[] }[]; tokens: string }>([
    ...["prove", agreementId, ...chain, ...contributorData, "--out", bundle],
  ]);
  assert.deepEqual(
    proven.proofs.map(({ verified, modules }) => [verified, modules.length]),
    Array(4).fill([true, 1]),
  );
  const owed = BigInt(proven.tokens) * PRICE;

  const stranger = [...chain, "--account", "4"];
  const refused = await failing(["settle", agreementId, "--bundle", bundle, ...stranger]);
  assert.equal(refused.error.code, "contract/not-contributor-or-operator");
  const address = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
  await runJson(["operator", "add", address, ...chain, "--account", "1"]);
  const settled = await runJson<{ status: string; paid: string }>([
    "settle",
    agreementId,
    "--bundle",
    bundle,
    ...stranger,
  ]);
  assert.deepEqual(settled.status, "settled");
  assert.equal(BigInt(settled.paid), owed);
  const repeated = await runJson<{ status: string; paid: string }>(["settle", agreementId, ...contributor]);
  assert.equal(BigInt(repeated.paid), owed);

  const taken = await runJson<{ amount: string }>(["withdraw", ...chain, "--account", "1"]);
  assert.equal(BigInt(taken.amount), owed + FEE);
  const released = await runJson<{ amount: string }>(["release", agreementId, ...chain, "--account", "1"]);
  assert.equal(BigInt(released.amount), 2_000_000n - owed);
  const [entry] = (await runJson<Status>(["status", agreementId, ...chain, ...contributorData])).agreements;
  assert.deepEqual([entry?.role, entry?.phase, entry?.chain.status], ["contributor", "settled", "released"]);
  assert.notEqual(entry?.settlement, null);
});

test("a contributor that has gone: close, wait, refund, withdraw", async (context) => {
  const service = await serve(context);
  const { agreementId } = await open(2_000_000n);
  await service.stop();
  assert.equal(
    (await failing(["refund", agreementId, ...chain, "--account", "5"])).error.code,
    "contract/deadline-not-passed",
  );
  const closed = await runJson<{ told: boolean; deadline: string }>(["close", agreementId, ...buyer]);
  assert.equal(closed.told, false);
  await passTime(31);
  const refunded = await runJson<{ amount: string }>(["refund", agreementId, ...chain, "--account", "5"]);
  assert.equal(refunded.amount, "2000000");
  const { agreements, credit } = await runJson<Status>(["status", agreementId, ...buyer]);
  assert.deepEqual([agreements[0]?.role, agreements[0]?.chain.status], ["buyer", "refunded"]);
  const to = "0x00000000000000000000000000000000000000fe";
  const { amount } = await runJson<{ amount: string }>(["withdraw", ...chain, "--account", "2", "--to", to]);
  assert.equal(amount, credit);
});

test("the service proves and settles by itself once the buyer has ended", async (context) => {
  const service = await serve(context);
  const { agreementId } = await open(2_000_000n);
  await runJson([
    "generate",
    ...chain,
    ...buyerData,
    ...model,
    "--prompt",
    "And",
    "--max-tokens",
    "2",
    "--end",
  ]);
  const deadline = Date.now() + 30_000;
  while (!service.output.stderr.includes('"settled"') && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const [entry] = (await runJson<Status>(["status", agreementId, ...buyer])).agreements;
  assert.ok(BigInt(entry!.chain.paid) > 0n);
  assert.equal(await service.stop(), 0);
});

test("an opening is prepared for a wallet in the browser; once it paid, the same command goes on", async (context) => {
  const terms = ["--fee", "0", "--min-duration", "30s", "--close-window", "30s", "--cap", "2000"];
  await runJson([
    ...["offer", "make", "--price", String(PRICE), "--max-unpaid", "200"],
    ...terms,
    ...contributor,
  ]);
  const service = await serve(context, "--no-settle");
  const wallet = testAccount(3);
  const client = [...chain, "--data", path.join(directory, "wallet-buyer"), "--buyer", wallet.address];
  const command = ["open", ...client, ...model, "--contributor", service.ready.url, "--amount", "2000000"];
  const prepared = await runJson<Id & { link: string; opening: unknown }>(command);
  const text = openingText(new URL(prepared.link).hash)!;
  assert.deepEqual(JSON.parse(text), prepared.opening);
  const read = readOfferOrOpening(text);
  assert.ok(read.kind === "opening" && read.opening.agreementId === prepared.agreementId);
  const again = await runJson<Id & { resumed: boolean }>(command);
  assert.deepEqual([again.agreementId, again.resumed], [prepared.agreementId, true]);

  const ctx = await connect({ rpcUrl: chainProcess.ready.rpcUrl, account: wallet, deploymentFile });
  const { offerSignature: signature, ...opening } = read.opening;
  assert.equal((await openAgreement(ctx, { ...opening, signature })).agreementId, prepared.agreementId);
  const opened = await runJson<Id & { opening: unknown; link: unknown }>(command);
  assert.deepEqual([opened.agreementId, opened.opening, opened.link], [prepared.agreementId, null, null]);
  await service.stop();
});

test("an opening fee above what was agreed to is refused; an opening that broke off goes on, paid once", async (context) => {
  const fee = 300_000n;
  const terms = ["--cap", "2000", "--max-unpaid", "200", "--max-opens", "1"];
  await runJson(["offer", "make", "--price", String(PRICE), "--fee", String(fee), ...terms, ...contributor]);
  const service = await serve(context, "--no-settle");
  const command = ["open", ...buyer, ...model, "--contributor", service.ready.url, "--amount", "2000000"];
  const refused = await failing(command);
  assert.deepEqual([refused.error.code, refused.error.field], ["offer/fee-too-high", "openingFee"]);
  assert.match(refused.error.hint!, /--max-fee 300000/);

  const willing = [...command, "--max-fee", String(fee)];
  await killedAt(willing, "sending");
  const resumed = await runJson<Id & { resumed: boolean }>(willing);
  assert.equal(resumed.resumed, true);
  // The offer can be taken once: a second payment would have been refused, and is.
  assert.equal((await failing(willing)).error.code, "offer/none");

  // The same crash a moment later, behind the block that opened it: using the agreement completes it.
  const database = new DatabaseSync(path.join(directory, "buyer", "buyer.db"));
  database.exec("UPDATE agreement SET phase = 'opening' WHERE phase = 'open'");
  database.close();
  const generate = ["generate", ...chain, ...buyerData, ...model, "--prompt", "And", "--max-tokens", "1"];
  const { agreements } = await runJson<{ agreements: (Purchase & Id)[] }>(generate);
  assert.deepEqual([agreements.length, agreements[0]?.agreementId], [1, resumed.agreementId]);
  await service.stop();

  // The service moves; its contributor's signature leads there.
  const moved = await serve(context, "--no-settle", "--port", String(port + 2));
  assert.equal((await failing(generate)).error.code, "http/unreachable");
  const followed = await runJson<{ agreements: Id[] }>([
    ...generate,
    "--contributor",
    moved.ready.url,
    "--end",
  ]);
  assert.deepEqual(
    followed.agreements.map(({ agreementId }) => agreementId),
    [resumed.agreementId],
  );
  await moved.stop();
});

test("a session whose service was stopped is ended by hand and its receipt proven", async (context) => {
  const terms = ["--cap", "2000", "--max-unpaid", "200", "--max-opens", "1"];
  await runJson(["offer", "make", "--price", String(PRICE), "--fee", String(FEE), ...terms, ...contributor]);
  const service = await serve(context, "--no-settle");
  const { agreementId } = await open(2_000_000n);
  await runJson([...["generate", ...chain, ...buyerData, ...model, "--prompt", "And", "--max-tokens", "2"]]);
  await service.stop();
  const prove = ["prove", agreementId, ...chain, ...contributorData];
  const refused = await failing(prove);
  assert.equal(refused.error.code, "session/still-serving");
  const proven = await runJson<{ proofs: unknown[] }>([...prove, "--end"]);
  assert.equal(proven.proofs.length, 4);
});

test("an offer is cancelled for good, also by a run after one that was killed before it had noted it", async () => {
  const { offerHash } = await runJson<{ offerHash: string }>([
    ...["offer", "make", "--price", String(PRICE), "--fee", String(FEE), "--max-unpaid", "200"],
    ...contributor,
  ]);
  const cancel = ["offer", "cancel", offerHash, ...contributor];
  const noted = (): number => {
    const database = new DatabaseSync(path.join(directory, "contributor", "contributor.db"));
    const row = database.prepare("SELECT cancelled FROM offer WHERE offer_hash = ?").get(offerHash);
    database.prepare("UPDATE offer SET cancelled = 0 WHERE offer_hash = ?").run(offerHash);
    database.close();
    return Number(row!["cancelled"]);
  };
  const first = await runJson<{ txHash: string | null }>(cancel);
  assert.match(first.txHash!, /^0x[0-9a-f]{64}$/);
  assert.equal(noted(), 1);
  assert.equal((await runJson<{ txHash: string | null }>(cancel)).txHash, null);
  assert.equal(noted(), 1);
});

test("no secret is printed or lies unencrypted: the test accounts' keys, the vaults' keys", async () => {
  const { stdout } = await run(["status", ...buyer]);
  assert.match(stdout, /as buyer/);
  const secrets = [...contributorData, ...buyerData]
    .filter((part) => part !== "--data")
    .map((folder) => fs.readFileSync(path.join(folder, "vault.key")));
  for (const file of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || file.name === "vault.key") continue;
    const bytes = fs.readFileSync(path.join(file.parentPath, file.name));
    for (const secret of secrets) assert.ok(!bytes.includes(secret), file.name);
  }
});
