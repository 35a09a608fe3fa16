import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccess } from "../../runner/gateway/access.ts";
import { type PaidAdapter, Purse } from "../../runner/gateway/purse.ts";

const hosts = ["127.0.0.1", "localhost"];
const status = (expected: number) => (error: unknown) => (error as { status: number }).status === expected;

test("a web page's origin is refused", () => {
  checkAccess({ host: "127.0.0.1:7430" }, { apiKey: undefined, hosts });
  const page = { host: "127.0.0.1:7430", origin: "http://127.0.0.1:7430" };
  assert.throws(() => checkAccess(page, { apiKey: undefined, hosts }), status(403));
});

test("a name rebound to the gateway's address is refused", () => {
  checkAccess({ host: "LOCALHOST:7430" }, { apiKey: undefined, hosts });
  for (const host of ["evil.example:7430", "evil.example", "127.0.0.1.evil.example", ""])
    assert.throws(() => checkAccess({ host }, { apiKey: undefined, hosts }), status(403));
});

test("without the key nobody gets in", () => {
  const access = { apiKey: "a-long-random-key", hosts: undefined };
  checkAccess({ authorization: "Bearer a-long-random-key" }, access);
  for (const authorization of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer a-long-random-ke",
    "a-long-random-key",
  ])
    assert.throws(
      () => checkAccess({ ...(authorization !== undefined && { authorization }) }, access),
      status(401),
    );
});

test("two agreements share one budget: a pass costs both prices", () => {
  const adapter = (pricePerToken: bigint): { progress: { tokens: number } } & PaidAdapter =>
    ({
      agreementId: "0x",
      terms: { offer: { pricePerToken, adapterId: "0x", token: "0x" } },
      progress: { passes: 0, tokens: 5, tokensLeft: 100 },
    }) as never;
  const adapters = [adapter(2n), adapter(3n)];
  const purse = new Purse(adapters, 50n);
  purse.require(10);
  assert.throws(() => purse.require(11), status(402));
  for (const one of adapters) one.progress.tokens += 4;
  assert.equal(purse.left, 30n);
  purse.require(6);
  assert.throws(() => purse.require(7), status(402));
  assert.deepEqual(
    purse.accounts().map(({ tokensPaid, spent, owed }) => [tokensPaid, spent, owed]),
    [
      [4, "8", "18"],
      [4, "12", "27"],
    ],
  );
});
