import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseOffer } from "../../runner/buyer/opening/chooseOffer.ts";
import { type Offer, offerHash } from "../../runner/protocol/typedData.ts";
import { failsWith } from "./serve.ts";
import { makeOffer } from "./setting.ts";

const ETH = `0x${"0".repeat(40)}` as const;
const USD = `0x${"aa".repeat(20)}` as const;

/** Choosing asks for no signature: `checkOffer` does. */
const signed = (changes: Partial<Offer>[]) =>
  changes.map((change, nonce) => ({
    offer: makeOffer({ openingFee: 0n, ...change, nonce: BigInt(nonce) }),
    signature: "0x00" as const,
  }));

function chosen(
  changes: Partial<Offer>[],
  amount = 1000n,
  more: { token?: typeof USD; maxFee?: bigint } = {},
) {
  return chooseOffer(signed(changes), { amount, token: ETH, ...more }).offer.nonce;
}

test("what a token costs decides, with the opening fee spread over what the amount buys", () => {
  assert.equal(chosen([{ pricePerToken: 11n }, { pricePerToken: 10n }]), 1n);
  // 100 tokens at 1 and a fee of 800 cost 9 each; at 10 without a fee they cost 10.
  const dear = { pricePerToken: 1n, openingFee: 800n };
  assert.equal(chosen([{ pricePerToken: 10n }, dear], 1000n, { maxFee: 800n }), 1n);
  assert.equal(chosen([{ pricePerToken: 8n }, dear], 1000n, { maxFee: 800n }), 0n);
  // Half the money buys half the tokens: the same fee weighs more.
  assert.equal(chosen([{ pricePerToken: 10n }, dear], 50n, { maxFee: 800n }), 0n);
  // Cheap tokens it will not sell are none.
  assert.equal(chosen([{ pricePerToken: 1n, openingFee: 20n, tokenCap: 1n }, { pricePerToken: 10n }]), 1n);
  assert.equal(chosen([{ pricePerToken: 2000n }, { pricePerToken: 0n }, { pricePerToken: 1n }]), 1n);
});

test("amounts of two tokens are never compared", () => {
  const offers = [{ token: USD, pricePerToken: 1n }, { pricePerToken: 10n }];
  assert.equal(chosen(offers), 1n);
  assert.equal(chosen(offers, 1000n, { token: USD }), 0n);
  assert.throws(() => chosen([{ token: USD }]), failsWith("offer/other-token", "token"));
});

test("a fee above what was agreed to is refused with the figure, another offer is taken where there is one", () => {
  const greedy = { pricePerToken: 1n, openingFee: 5000n * 10n ** 18n };
  assert.equal(chosen([greedy, { pricePerToken: 10n }]), 1n);
  assert.throws(
    () => chosen([greedy]),
    (error: Error & { hint?: string }) =>
      failsWith("offer/fee-too-high", "openingFee")(error) &&
      error.message.includes(String(greedy.openingFee)) &&
      error.hint!.includes(`--max-fee ${greedy.openingFee}`),
  );
  assert.equal(chosen([greedy], 1000n, { maxFee: greedy.openingFee }), 0n);
  assert.throws(() => chosen([{ openingFee: 1n }], 1000n, { maxFee: 0n }), failsWith("offer/fee-too-high"));
});

test("an offer named is the only one looked at", () => {
  const offers = signed([{ pricePerToken: 1n }, { pricePerToken: 10n, openingFee: 81n }]);
  const wish = { amount: 1000n, token: ETH, offerHash: offerHash(offers[1]!.offer) };
  assert.throws(() => chooseOffer(offers, wish), failsWith("offer/fee-too-high"));
  assert.equal(chooseOffer(offers, { ...wish, maxFee: 81n }), offers[1]);
  assert.throws(() => chooseOffer([], wish), failsWith("offer/none", "offer"));
});
