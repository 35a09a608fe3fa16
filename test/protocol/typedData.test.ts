import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { privateKeyToAccount } from "viem/accounts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { checkSignature, type Receipt, typedData } from "../../runner/protocol/typedData.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const DOMAIN = { chainId: 31337n, escrow: "0x00000000000000000000000000000000000000e5" } as const;
const RECEIPT: Receipt = {
  agreementId: `0x${"11".repeat(32)}`,
  passes: 1n,
  tokens: 5n,
  head: `0x${"22".repeat(32)}`,
  statementsHash: `0x${"33".repeat(32)}`,
};
const signer = privateKeyToAccount(`0x${"44".repeat(32)}`);

describe("a signature", () => {
  const sign = (): Promise<Hex> => signer.signTypedData(typedData(DOMAIN, "Receipt", RECEIPT));
  const check = (
    signature: Hex,
    receipt = RECEIPT,
    domain: typeof DOMAIN | { chainId: bigint; escrow: Hex } = DOMAIN,
  ) => checkSignature(domain, "Receipt", receipt, signature, signer.address);

  test("is accepted as it was made", async () => {
    await check(await sign());
  });

  test("is refused in spellings that the contracts refuse: v = 0 or 1, high s, 64 bytes", async () => {
    const signature = await sign();
    const v = Number.parseInt(signature.slice(130), 16);
    const r = signature.slice(0, 66);
    const highS = (ORDER - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, "0");
    for (const other of [
      `${signature.slice(0, 130)}0${v - 27}`,
      `${r}${highS}${v === 27 ? "1c" : "1b"}`,
      signature.slice(0, 130),
      `${signature}00`,
    ])
      await assert.rejects(check(other as Hex), { code: "signature/malformed", field: "signature" }, other);
  });

  test("is of this message, on this chain, for this escrow, by this signer", async () => {
    const signature = await sign();
    const wrong = { code: "signature/wrong-signer" };
    await assert.rejects(check(signature, { ...RECEIPT, tokens: 6n }), wrong);
    await assert.rejects(check(signature, { ...RECEIPT, head: RECEIPT.agreementId }), wrong);
    await assert.rejects(check(signature, RECEIPT, { ...DOMAIN, chainId: 1n }), wrong);
    await assert.rejects(check(signature, RECEIPT, { ...DOMAIN, escrow: signer.address }), wrong);
    const stranger = privateKeyToAccount(`0x${"55".repeat(32)}`);
    await assert.rejects(checkSignature(DOMAIN, "Receipt", RECEIPT, signature, stranger.address), wrong);
  });
});
