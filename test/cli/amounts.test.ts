import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ETH, type Token } from "../../runner/chain/erc20.ts";
import { formatAmount, parseAmount } from "../../runner/cli/amounts.ts";

const USDC: Token = { address: "0x00000000000000000000000000000000000000c0", symbol: "USDC", decimals: 6 };

test("amounts are read with their unit, and without one in the smallest", () => {
  const read = (text: string, token = ETH): bigint => parseAmount(text, token, "amount");
  assert.equal(read("1000"), 1000n);
  assert.equal(read("0"), 0n);
  assert.equal(read("1000wei"), 1000n);
  assert.equal(read("20gwei"), 20_000_000_000n);
  assert.equal(read(" 0.5 ETH "), 5n * 10n ** 17n);
  assert.equal(read("1ether"), 10n ** 18n);
  assert.equal(read("0.000000000000000001eth"), 1n);
  assert.equal(read("1.50gwei"), 1_500_000_000n);
  assert.equal(read("3.5usdc", USDC), 3_500_000n);
  assert.equal(read("7", USDC), 7n);
});

test("an amount that cannot be meant is wrong use, and names the field", () => {
  const refused = (text: string, token = ETH): void => {
    assert.throws(() => parseAmount(text, token, "price"), { code: "usage/bad-value", field: "price" });
  };
  for (const text of [
    "",
    "eth",
    "-1",
    "1e18",
    "0.5",
    "1,5eth",
    "1 2",
    "0x10",
    "1finney",
    "1.5wei",
    ".5eth",
    "1eth x",
  ])
    refused(text);
  refused("0.0000000000000000001eth");
  refused("1.0000001usdc", USDC);
  // Units of ETH say nothing of a token.
  refused("1gwei", USDC);
  refused("1eth", USDC);
});

test("amounts are shown in the unit that reads best", () => {
  assert.equal(formatAmount(0n, ETH), "0 ETH");
  assert.equal(formatAmount(5000n, ETH), "5000 wei");
  assert.equal(formatAmount(2_300_000_000_000n, ETH), "2300 gwei");
  assert.equal(formatAmount(5n * 10n ** 14n, ETH), "0.0005 ETH");
  assert.equal(formatAmount(3_500_000n, USDC), "3.5 USDC");
});

test("what is shown can be read again without loss", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 128n), fc.constantFrom(ETH, USDC), (value, token) => {
      assert.equal(parseAmount(formatAmount(value, token), token, "amount"), value);
    }),
  );
});
