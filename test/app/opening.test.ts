/** Taking an offer with a wallet: checked, paid in with ETH or a token, once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { erc20Abi, UserRejectedRequestError } from "viem";
import { forgetOpening, keepOpening, keptOpening, openingText } from "../../app/src/buyer/keptOpening.ts";
import {
  checkOpening,
  checkSignedOffer,
  openByWallet,
  openPurpose,
  prepareOpening,
  readOfferOrOpening,
} from "../../app/src/buyer/opening.ts";
import { permitCall, permitData, readPermit } from "../../app/src/buyer/permit.ts";
import type { ReleaseKey } from "../../app/src/verification/releaseKey.ts";
import { readAgreement } from "../../runner/chain/agreements.ts";
import { domainOf } from "../../runner/chain/connect.ts";
import { ensureAllowance } from "../../runner/chain/erc20.ts";
import { cancelOffer } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import { releaseVerifiers } from "../../runner/chain/verifiers.ts";
import { type Offer, offerHash, typedData } from "../../runner/protocol/typedData.ts";
import { type SignedOffer, stringifyMessage } from "../../runner/wire/messages.ts";
import type { PreparedOpening } from "../../runner/wire/opening.ts";
import { random32, register, terms } from "../chain/agreement.ts";
import { testChain, thrownBy } from "../chain/localChain.ts";
import { deployToken } from "../chain/token.ts";
import { deployPermitToken } from "./permitToken.ts";
import { Browser, lagging, openTab } from "./tab.ts";

const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
const adapterId = await register(contributor, 1);

/** The release as the page carries it, as far as offers are concerned. */
const RELEASE = releaseVerifiers().map(
  ({ address, ...verifier }) =>
    ({ ...verifier, verifier: address, trust: { state: "dev" } }) as unknown as ReleaseKey,
);

async function signedOffer(changes: Partial<Offer> = {}): Promise<SignedOffer> {
  const offer = terms(contributor.account, adapterId, changes);
  const signature = await contributor.account.signTypedData(typedData(domainOf(contributor), "Offer", offer));
  return { offer, signature };
}

const now = (): Promise<bigint> => chainTime(buyer);

async function prepared(changes: Partial<Offer> = {}, amount = 1000n): Promise<PreparedOpening> {
  const signed = await signedOffer(changes);
  const signer = chain.as(5).account.address;
  return prepareOpening(buyer, {
    ...{ buyer: buyer.account.address, signed, signer, amount },
    deadline: (await now()) + 4000n,
  });
}

const check = async (opening: PreparedOpening, account = buyer.account.address): Promise<unknown> =>
  checkOpening(buyer, RELEASE, opening, { account, now: await now() });

const allowance = (token: `0x${string}`): Promise<bigint> =>
  buyer.publicClient.readContract({
    address: token,
    abi: erc20Abi,
    functionName: "allowance",
    args: [buyer.account.address, buyer.deployment.escrow],
  });

test("with ETH an agreement is opened by one transaction under the id known before", async () => {
  const opening = await prepared();
  await check(opening);
  const tab = openTab(new Browser(), buyer);
  const [sent, ...more] = await openByWallet(tab, opening);
  assert.deepEqual([sent?.state, more.length, tab.asked], ["confirmed", 0, 1]);
  const agreement = await readAgreement(buyer, opening.agreementId);
  assert.deepEqual([agreement.status, agreement.amount], ["open", 1000n]);
  assert.deepEqual(await openByWallet(tab, opening), []);
  assert.equal(tab.asked, 1);
});

test("a node that lags behind does not have an opening paid again after a reload", async () => {
  const opening = await prepared();
  const browser = new Browser();
  const stale = await buyer.publicClient.getBlockNumber();
  const first = openTab(browser, buyer);
  await openByWallet(first, opening);
  // As if the page had gone away before it heard of the block.
  first.store.update(openPurpose(opening), { state: "pending" });

  const second = openTab(browser, buyer);
  const sent = await openByWallet(lagging(second, stale), opening);
  assert.deepEqual([sent.length, second.asked], [1, 0]);
});

test("with a token the exact sum is approved first, an allowance left over is taken back", async () => {
  const token = await deployToken(buyer, 10_000n);
  await ensureAllowance(buyer, token, buyer.deployment.escrow, 5n);
  const opening = await prepared({ token });
  await check(opening);
  const tab = openTab(new Browser(), buyer);
  const sent = await openByWallet(tab, opening);
  assert.deepEqual(
    sent.map(({ label }) => label),
    ["Take back an older allowance", "Approve the sum", "Open the agreement"],
  );
  assert.equal((await readAgreement(buyer, opening.agreementId)).status, "open");
  assert.equal(await allowance(token), 0n);
});

test("with a token that takes permits the allowance is signed", async () => {
  const token = await deployPermitToken(buyer, 10_000n);
  const opening = await prepared({ token });
  const owner = buyer.account.address;
  const found = await readPermit(buyer, token, owner);
  assert.ok(found !== undefined);
  const tab = openTab(new Browser(), buyer);
  const sent = await openByWallet(tab, opening, async (value) => {
    const permit = { owner, spender: buyer.deployment.escrow, value, deadline: (await now()) + 600n };
    return permitCall(token, permit, await buyer.account.signTypedData(permitData(found, permit)));
  });
  assert.deepEqual(
    sent.map(({ label }) => label),
    ["Submit the permit", "Open the agreement"],
  );
  assert.equal((await readAgreement(buyer, opening.agreementId)).status, "open");
  assert.equal(await allowance(token), 0n);
});

test("a token without permits is seen to have none", async () => {
  assert.equal(await readPermit(buyer, await deployToken(buyer, 1n), buyer.account.address), undefined);
  const old = await deployPermitToken(buyer, 1n, "OldPermitToken");
  assert.equal(await readPermit(buyer, old, buyer.account.address), undefined);
});

test("after a rejected opening the approval is not asked for again", async () => {
  const token = await deployToken(buyer, 10_000n);
  const opening = await prepared({ token });
  const browser = new Browser();
  const first = openTab(browser, buyer);
  first.behave = (send) =>
    first.asked === 1 ? send() : Promise.reject(new UserRejectedRequestError(new Error("no")));
  assert.equal((await thrownBy(openByWallet(first, opening))).code, "wallet/rejected");
  const second = openTab(browser, buyer);
  await openByWallet(second, opening);
  assert.equal(second.asked, 1);
  assert.deepEqual(
    second.store.load(openPurpose(opening)).map(({ state }) => state),
    ["confirmed", "unsent", "confirmed"],
  );
});

test("an opening that is not this account's, or not here, or changed, is refused by name", async () => {
  const opening = await prepared();
  const refused = async (changes: Partial<PreparedOpening>): Promise<string | undefined> =>
    (await thrownBy(check({ ...opening, ...changes }))).code;
  assert.equal(await refused({ chainId: 1n }), "opening/other-deployment");
  assert.equal(await refused({ escrow: buyer.deployment.registry }), "opening/other-deployment");
  assert.equal(await refused({ amount: 2000n }), "opening/other-id");
  assert.equal(await refused({ signer: contributor.account.address }), "opening/other-id");
  assert.equal((await thrownBy(check(opening, contributor.account.address))).code, "opening/other-buyer");
});

test("an offer that cannot be taken is refused by name", async () => {
  const at = { now: await now() };
  const code = async (signed: SignedOffer): Promise<string | undefined> =>
    (await thrownBy(checkSignedOffer(buyer, RELEASE, signed, at))).code;
  const signed = await signedOffer();
  assert.equal(
    await code({ ...signed, offer: { ...signed.offer, pricePerToken: 1n } }),
    "signature/wrong-signer",
  );
  assert.equal(await code(await signedOffer({ adapterId: random32() })), "adapter/not-registered");
  assert.equal(await code(await signedOffer({ expiry: 1n })), "offer/expired");
  assert.equal(await code(await signedOffer({ tokenCap: 0n })), "offer/unusable");
  await cancelOffer(contributor, signed.offer);
  assert.equal(await code(signed), "offer/cancelled");
});

test("an adapter whose verifier is none of this release is refused, and a dev key off a local chain", async () => {
  const signed = await signedOffer();
  const at = { now: await now() };
  assert.equal((await thrownBy(checkSignedOffer(buyer, [], signed, at))).code, "chain/unknown-verifier");
  assert.equal(
    (await thrownBy(checkSignedOffer({ ...buyer, chainId: 1 }, RELEASE, signed, at))).code,
    "key/dev-key",
  );
});

test("a node that tells another verifier or contributor than was registered is found out before it is paid", async () => {
  const signed = await signedOffer();
  const at = { now: await now() };
  const { publicClient } = buyer;
  const telling = (change: object) => ({
    ...buyer,
    publicClient: {
      ...publicClient,
      readContract: async (call: { functionName: string }) => {
        const told = await publicClient.readContract(call as never);
        return call.functionName === "adapters" ? { ...(told as object), ...change } : told;
      },
    } as never,
  });
  await checkSignedOffer(telling({}), RELEASE, signed, at);
  const { verifier, codeHash: verifierCodeHash } = RELEASE.at(-1)!;
  for (const change of [{ verifier, verifierCodeHash }, { groups: 2 }, { manifestHash: random32() }])
    assert.equal(
      (await thrownBy(checkSignedOffer(telling(change), RELEASE, signed, at))).code,
      "adapter/other-registration",
    );
});

test("an offer that is used up, a deadline too early and too little money are found before the wallet is asked", async () => {
  const once = await prepared({ maxOpens: 1n });
  await openByWallet(openTab(new Browser(), buyer), once);
  const again = { ...once, nonce: once.nonce ^ 1n };
  const { agreementId: _, ...rest } = again;
  const other = prepareOpening(buyer, {
    ...rest,
    signed: { offer: once.offer, signature: once.offerSignature },
  });
  assert.equal((await thrownBy(check(other))).code, "offer/exhausted");
  assert.equal((await thrownBy(check(await prepared({ minDuration: 86_400n })))).code, "opening/deadline");
  assert.equal((await thrownBy(check(await prepared({}, 10n ** 30n)))).code, "opening/balance");
});

test("a pasted text is an offer, an opening, or an error that names the field", async () => {
  const signed = await signedOffer();
  const offered = readOfferOrOpening(stringifyMessage({ ...signed, offerHash: "0x", warnings: [] }));
  assert.equal(offered.kind === "offer" && offerHash(offered.signed.offer), offerHash(signed.offer));
  const opening = await prepared();
  const read = readOfferOrOpening(stringifyMessage(opening));
  assert.equal(read.kind === "opening" && read.opening.nonce, opening.nonce);
  for (const [text, field] of [
    ["{", "offer"],
    ["null", "offer.offer"],
    [stringifyMessage({ ...opening, amount: "-1" }), "opening.amount"],
    [stringifyMessage({ ...signed, offer: { ...signed.offer, expiry: "soon" } }), "offer.offer.expiry"],
  ] as const)
    assert.throws(() => readOfferOrOpening(text), { code: "wire/malformed", field });
});

test("the opening is kept over a reload, and read from a link", async () => {
  const browser = new Browser();
  const opening = await prepared();
  keepOpening(browser, "x", opening);
  assert.equal(keptOpening(browser, "x")?.agreementId, opening.agreementId);
  forgetOpening(browser, "x");
  assert.equal(keptOpening(browser, "x"), undefined);
  const link = `#/buyer?opening=${Buffer.from(stringifyMessage(opening)).toString("base64url")}`;
  assert.equal(openingText(link), stringifyMessage(opening));
  assert.equal(openingText("#/buyer"), undefined);
  assert.equal(openingText("#/buyer?opening=%%%"), "");
});
