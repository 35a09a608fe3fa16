/** The page's words and forms: routes, times, offers as typed and as read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contentSecurityPolicy, policyHeader } from "../../app/csp.ts";
import { NOT_GUARANTEED, offerSentences, tokensFor } from "../../app/src/buyer/offerWords.ts";
import { readTerms, usualHours } from "../../app/src/buyer/termsForm.ts";
import { parseConfig } from "../../app/src/config.ts";
import { DEFAULT_FIELDS, readOffer } from "../../app/src/contributor/offerForm.ts";
import { amountBeside } from "../../app/src/layout/amountBeside.ts";
import { readBytes, readText } from "../../app/src/layout/chosenFile.ts";
import { displaySymbol } from "../../app/src/layout/displaySymbol.ts";
import { roundUp } from "../../app/src/layout/roundUp.ts";
import { countdown, duration, localTime } from "../../app/src/layout/time.ts";
import { parseRoute, routeHash } from "../../app/src/routes.ts";
import { isRejection, walletError } from "../../app/src/wallet/errors.ts";
import { ETH } from "../../runner/chain/erc20.ts";

const ID = `0x${"ab".repeat(32)}` as const;

test("every page has an address, and any other address is no page", () => {
  for (const route of [
    { page: "adapters" },
    { page: "buyer" },
    { page: "contributor" },
    { page: "agreement" },
    { page: "agreement", agreementId: ID },
  ] as const)
    assert.deepEqual(parseRoute(routeHash(route)), route);
  assert.deepEqual(parseRoute(""), { page: "adapters" });
  assert.deepEqual(parseRoute("#/buyer?opening=abc"), { page: "buyer" });
  assert.deepEqual(parseRoute(`#/agreement/${ID.toUpperCase().replace("X", "x")}`).page, "agreement");
  for (const hash of [
    "#/nowhere",
    "#/agreement/0x12",
    "#/buyer/1",
    "#/agreement/<script>",
    `#/agreement/${ID}/x`,
  ])
    assert.deepEqual(parseRoute(hash), { page: "unknown" });
});

test("times are in words, and far ones do not break the page", () => {
  assert.equal(duration(93_784), "1 day 2 hours");
  assert.equal(duration(0), "0 seconds");
  assert.equal(countdown(3661), "01:01:01");
  assert.equal(countdown(-5), "00:00:00");
  assert.equal(countdown(2 * 86_400), "2 days");
  assert.equal(localTime(2n ** 64n - 1n), "18446744073709551615 s after 1970");
});

test("a bound is rounded up to three digits", () => {
  assert.equal(roundUp(535_470_969_593_646n), 536_000_000_000_000n);
  assert.deepEqual([roundUp(0n), roundUp(999n), roundUp(1001n)], [0n, 999n, 1010n]);
});

test("a token cannot call itself ETH, nor anything that is not a word", () => {
  const address = "0xAbCdEf0000000000000000000000000000000000";
  assert.equal(displaySymbol("USDC", address), "USDC");
  for (const symbol of ["ETH", "eth", "Wei", "", "E\u0422H", "a b", "<b>", "x".repeat(13), "1000"])
    assert.equal(displaySymbol(symbol, address), "TAbCdEf", symbol);
});

test("an offer is read as typed, amounts with their unit", () => {
  const offer = readOffer(
    { ...DEFAULT_FIELDS, payout: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" },
    ID,
    ETH,
    1000,
  );
  assert.equal(offer.pricePerToken, 10n ** 9n);
  assert.equal(offer.minDuration, 3600n);
  assert.equal(offer.expiry, 1000n + 30n * 86_400n);
  assert.equal(offer.payout, "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
});

test("a field that cannot be meant is named", () => {
  for (const [changes, field] of [
    [{ payout: "0x12" }, "payout"],
    [{ payout: `0x${"00".repeat(20)}` }, "payout"],
    [{ tokenCap: "0" }, "tokenCap"],
    [{ maxOpens: "1.5" }, "maxOpens"],
    [{ maxUnpaidTokens: "-1" }, "maxUnpaidTokens"],
    [{ minDurationHours: "soon" }, "minDurationHours"],
    [{ closeWindowHours: "0" }, "closeWindowHours"],
    [{ pricePerToken: "1 doge" }, "pricePerToken"],
    [{ openingFee: "0.5" }, "openingFee"],
    [{ pricePerToken: "1" }, "pricePerToken"],
    // the checksum of its last letter is wrong
    [{ payout: "0x70997970C51812dc3A010C7d01b50e0d17dc79c8" }, "payout"],
  ] as const)
    assert.throws(
      () => readOffer({ ...DEFAULT_FIELDS, payout: `0x${"11".repeat(20)}`, ...changes }, ID, ETH, 1000),
      { field },
      JSON.stringify(changes),
    );
});

test("an offer in words says what is lost and what comes back", () => {
  const offer = readOffer(
    { ...DEFAULT_FIELDS, payout: `0x${"11".repeat(20)}`, openingFee: "7 wei", pricePerToken: "5 wei" },
    ...([ID, ETH, 1000] as const),
  );
  const words = offerSentences(offer, (value) => `${value} wei`, String).join(" ");
  assert.match(words, /A token costs 5 wei; all 1\D?000 tokens cost 5000 wei/);
  assert.match(words, /Opening costs 7 wei at once.*without proof and never returned/);
  assert.match(words, /can be taken back/);
  assert.match(words, /It can be taken once/);
  assert.ok(NOT_GUARANTEED.some((point) => /any good/.test(point)));
  assert.equal(tokensFor(offer, 12n), 2n);
  assert.equal(tokensFor(offer, 10n ** 30n), 1000n);
  assert.equal(tokensFor({ pricePerToken: 0n, tokenCap: 9n }, 0n), 9n);
});

test("what a buyer types is read, or said to be wrong field by field", () => {
  const signer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
  const offer = { minDuration: 3600n };
  const good = { amount: "0.5 gwei", hours: "1.25", signer };
  assert.deepEqual(readTerms(good, offer, ETH), {
    amount: 5n * 10n ** 8n,
    seconds: 4500,
    signer,
    problems: {},
  });
  assert.equal(usualHours({ minDuration: 1800n }), "1.5");
  for (const [changes, field] of [
    // nobody who types 2 means 2 wei
    [{ amount: "2" }, "amount"],
    [{ amount: "" }, "amount"],
    // the block that opens it comes later than now
    [{ hours: "1" }, "hours"],
    [{ hours: "1e9" }, "hours"],
    [{ hours: "900000" }, "hours"],
    [{ signer: signer.replace("C8", "c8") }, "signer"],
    [{ signer: `0x${"00".repeat(20)}` }, "signer"],
  ] as const)
    assert.deepEqual(Object.keys(readTerms({ ...good, ...changes }, offer, ETH).problems), [field]);
});

test("amounts beside each other have one unit, and stay exact", () => {
  const whole = 2n * 10n ** 15n;
  assert.equal(amountBeside(28n * 10n ** 12n, whole, ETH), "0.000028 ETH");
  assert.equal(amountBeside(1n, whole, ETH), "0.000000000000000001 ETH");
  assert.equal(amountBeside(0n, 5n, ETH), "0 wei");
  assert.equal(amountBeside(5n * 10n ** 9n, 0n, ETH), "5 gwei");
  const token = { address: `0x${"11".repeat(20)}`, symbol: "USDC", decimals: 6 } as const;
  assert.equal(amountBeside(1n, 10n ** 9n, token), "0.000001 USDC");
});

test("a file that is too large to be what is asked for is not read", async () => {
  const file = Object.assign(new Blob(["{}"]), { name: "bundle.json" });
  assert.equal(await readText(file, 2), "{}");
  assert.deepEqual(await readBytes(file, 2), new TextEncoder().encode("{}"));
  for (const read of [readText, readBytes])
    await assert.rejects(async () => read(file, 1), {
      code: "file/too-large",
      message: /^the file bundle.json has 1 KB/,
    });
});

test("the policy lets the page talk to its own origin, its node and its service only", () => {
  const policy = contentSecurityPolicy(["http://127.0.0.1:8545"]);
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /connect-src 'self' http:\/\/127\.0\.0\.1:8545;/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')/);
  assert.match(policyHeader([]), /frame-ancestors 'none'$/);
});

test("a configuration that is not one is refused by field", () => {
  const good = { chainId: 31337, rpcUrl: "http://127.0.0.1:8545", deployment: {}, services: [] };
  assert.throws(() => parseConfig({ ...good, rpcUrl: "javascript:alert(1)" }), { code: "wire/malformed" });
  assert.throws(() => parseConfig(good), { code: "chain/bad-deployment" });
});

test("what a wallet answers is told apart, however deep it is wrapped", () => {
  const wrapped = new Error("outer", { cause: Object.assign(new Error("User rejected"), { code: 4001 }) });
  assert.ok(isRejection(wrapped));
  assert.equal(walletError(wrapped).code, "wallet/rejected");
  assert.equal(walletError(Object.assign(new Error("x"), { code: -32002 })).code, "wallet/busy");
  assert.equal(walletError(Object.assign(new Error("x"), { code: 4902 })).code, "wallet/unknown-chain");
  assert.equal(walletError(new Error("boom")).code, "wallet/failed");
});
