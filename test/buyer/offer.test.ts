import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOffer, type OfferContext } from "../../runner/buyer/opening/offer.ts";
import { checkBudget, longestPass, tokensLeft } from "../../runner/buyer/session/budget.ts";
import { layoutModules } from "../../runner/protocol/layout.ts";
import { type Offer, offerHash } from "../../runner/protocol/typedData.ts";
import { encodePassRequest } from "../../runner/wire/passRequest.ts";
import { LIMITS } from "../../runner/wire/paths.ts";
import { failsWith } from "./serve.ts";
import {
  ADAPTER,
  CODE_HASH,
  contributor,
  DOMAIN,
  makeOffer,
  NOW,
  SHAPES,
  signOffer,
  stranger,
} from "./setting.ts";

const layout = layoutModules(
  SHAPES.map((shape, m) => ({ ...shape, name: `layer.${m}` })),
  14,
);

const context: OfferContext = {
  domain: DOMAIN,
  adapterId: ADAPTER,
  contributor: contributor.address,
  layout,
};

test("an offer is the contributor's, for this adapter, in time and of use", async () => {
  const { hash } = await checkOffer(await signOffer(makeOffer()), context);
  assert.equal(hash, offerHash(makeOffer()));
  await checkOffer(await signOffer(makeOffer({ expiry: NOW })), { ...context, now: NOW });

  const signed = await signOffer(makeOffer());
  const other = { chainId: 1n, escrow: DOMAIN.escrow };
  const cases: [string, Awaited<ReturnType<typeof signOffer>>, string?][] = [
    ["signature/wrong-signer", await signOffer(makeOffer(), stranger)],
    ["signature/wrong-signer", { ...signed, offer: makeOffer({ pricePerToken: 1n }) }],
    ["signature/wrong-signer", await signOffer(makeOffer(), contributor, other)],
    ["signature/malformed", { ...signed, signature: "0x00" }],
    ["offer/other-adapter", await signOffer(makeOffer({ adapterId: CODE_HASH })), "offer.adapterId"],
    ["offer/expired", await signOffer(makeOffer({ expiry: NOW - 1n })), "offer.expiry"],
    ["offer/unusable", await signOffer(makeOffer({ payout: `0x${"0".repeat(40)}` })), "offer.payout"],
    ["offer/unusable", await signOffer(makeOffer({ maxUnpaidTokens: 0n })), "offer.maxUnpaidTokens"],
    ["offer/unusable", await signOffer(makeOffer({ tokenCap: 0n })), "offer.tokenCap"],
    ["offer/unusable", await signOffer(makeOffer({ maxOpens: 0n })), "offer.maxOpens"],
    ["offer/unusable", await signOffer(makeOffer({ openingFee: 1n << 128n })), "offer.openingFee"],
  ];
  for (const [code, offer, field] of cases)
    await assert.rejects(checkOffer(offer, { ...context, now: NOW }), failsWith(code, field));
});

test("warnings name what either side risks", async () => {
  const warn = async (change: Partial<Offer>, amount?: bigint) =>
    checkOffer(await signOffer(makeOffer(change)), amount === undefined ? context : { ...context, amount });
  const modest = { openingFee: 0n, tokenCap: 2n, maxOpens: 1n, maxUnpaidTokens: 2n };
  assert.deepEqual((await warn(modest)).warnings, []);
  assert.match((await warn({ ...modest, openingFee: 5n })).warnings.join(), /opening fee is paid at once/);
  assert.match((await warn({ ...modest, closeWindow: 864000n })).warnings.join(), /10 days/);
  assert.match((await warn({ ...modest, minDuration: 8640000n })).warnings.join(), /100 days/);
  assert.match((await warn(modest, 9n)).warnings.join(), /does not pay for one token/);
  assert.match((await warn(modest, 21n)).warnings.join(), /only 20 of 21/);
  assert.deepEqual((await warn(modest, 20n)).warnings, []);

  const contributorSide = async (change: Partial<Offer>) => (await warn(change)).contributorWarnings;
  assert.deepEqual(await contributorSide({ ...modest, openingFee: 20n }), []);
  assert.match((await contributorSide({ ...modest, openingFee: 19n })).join(), /a buyer can leave 2 unpaid/);
  assert.match(
    (await contributorSide({ ...modest, openingFee: 20n, maxOpens: 2n })).join(),
    /3 tokens give the adapter away/,
  );
});

test("an opening fee is paid up to what the buyer may leave unpaid, what it pays in, or what it allows", async () => {
  const fee = async (openingFee: bigint, change: Partial<OfferContext> = {}) =>
    checkOffer(await signOffer(makeOffer({ openingFee })), { ...context, ...change });
  const tooHigh = failsWith("offer/fee-too-high", "openingFee");
  await fee(80n, { amount: 1000n });
  await assert.rejects(fee(81n, { amount: 1000n }), tooHigh);
  await fee(60n, { amount: 60n });
  await assert.rejects(fee(61n, { amount: 60n }), tooHigh);
  await fee(5000n, { amount: 60n, maxFee: 5000n });
  await assert.rejects(fee(5001n, { amount: 60n, maxFee: 5000n }), tooHigh);
  await assert.rejects(fee(1n, { maxFee: 0n }), tooHigh);
});

test("a pass whose widest module's activations do not travel at once is refused before it begins", () => {
  const wide = layoutModules(
    [6, 14_336].map((dIn, m) => ({ name: `layer.${m}`, dIn, dOut: 4, r: 2, group: m })),
    14,
  );
  const budget = { amount: 1n << 40n, offer: makeOffer({ maxUnpaidTokens: 65_536n, tokenCap: 65_536n }) };
  const longest = longestPass(budget, wide);
  const bytes = (tokens: number): number =>
    encodePassRequest({ modules: [0, 1], passSalt: new Uint8Array(32), tokens, X: new Int16Array() }).length +
    2 * 14_336 * tokens;
  assert.ok(bytes(longest) <= LIMITS.activationsBytes && bytes(longest + 1) > LIMITS.activationsBytes);
  checkBudget(budget, wide, 0, longest);
  assert.throws(() => checkBudget(budget, wide, 0, longest + 1), failsWith("budget/pass-too-long"));
});

test("the budget is the smaller of the cap and what is paid in", () => {
  const budget = (amount: bigint, change: Partial<Offer> = {}) => ({ amount, offer: makeOffer(change) });
  assert.equal(tokensLeft(budget(55n), 0), 5);
  assert.equal(tokensLeft(budget(55n), 5), 0);
  assert.equal(tokensLeft(budget(55n), 9), 0);
  assert.equal(tokensLeft(budget(10_000n), 40), 60);
  assert.equal(tokensLeft(budget(0n, { pricePerToken: 0n }), 1), 99);
  assert.equal(
    tokensLeft(budget(1n << 90n, { tokenCap: (1n << 64n) - 1n, pricePerToken: 1n }), 0),
    2 ** 53 - 1,
  );
  assert.equal(longestPass(budget(0n), layout), 8);
  assert.equal(longestPass(budget(0n, { maxUnpaidTokens: 1n << 40n }), layout), 65536);
  checkBudget(budget(55n), layout, 0, 5);
  assert.throws(() => checkBudget(budget(55n), layout, 0, 6), failsWith("budget/amount", "amount"));
  assert.throws(
    () => checkBudget(budget(10_000n), layout, 93, 8),
    failsWith("budget/token-cap", "offer.tokenCap"),
  );
  assert.throws(() => checkBudget(budget(10_000n), layout, 0, 9), failsWith("budget/pass-too-long"));
  for (const tokens of [0, -1, 1.5, Number.NaN])
    assert.throws(() => checkBudget(budget(55n), layout, 0, tokens), failsWith("budget/bad-pass"));
});
