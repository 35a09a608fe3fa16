import assert from "node:assert/strict";
import { test } from "node:test";
import { type Abi, type Hex, keccak256 } from "viem";
import { contractCode } from "../../runner/chain/bytecode.ts";
import { adapterRegistryAbi, loraEscrowAbi, loraVerifierAbi } from "../../runner/chain/generated/abi.ts";
import { pinnedKey } from "../../runner/keys/pinned.ts";
import { pointWords } from "../../runner/protocol/bytes.ts";
import { KEY_SIZES } from "../../runner/protocol/key.ts";
import {
  adapterId,
  agreementId,
  messageDigest,
  type Offer,
  offerHash,
  type Receipt,
  statementsHash,
} from "../../runner/protocol/typedData.ts";
import { AMOUNT, buyer, contributor, domainOf, open, register, signer, startSetting } from "./setting.ts";

const setting = await startSetting("LoraVerifier14");

/** What a pure or view function of the escrow answers. */
async function escrow(
  functionName: "hashOffer" | "offerDigest" | "receiptDigest" | "hashStatements",
  argument: unknown,
): Promise<unknown> {
  return setting.public.readContract({
    address: setting.escrow,
    abi: loraEscrowAbi as Abi,
    functionName,
    args: [argument],
  });
}

const U64 = 2n ** 64n - 1n;
const U128 = 2n ** 128n - 1n;
const U256 = 2n ** 256n - 1n;

function offerOf(adapter: Hex, fill: (largest: bigint, index: bigint) => bigint, expiry: bigint): Offer {
  return {
    adapterId: adapter,
    payout: contributor.address,
    token: "0x0000000000000000000000000000000000000000",
    pricePerToken: fill(U128, 1n),
    openingFee: fill(U256, 2n),
    maxUnpaidTokens: fill(U64, 3n),
    tokenCap: fill(U64, 4n),
    minDuration: fill(U64, 5n),
    closeWindow: fill(U64, 6n),
    maxOpens: fill(U64, 7n),
    nonce: fill(U256, 8n),
    expiry,
  };
}

test("offers hash to the same struct hash and digest, at both ends of every width", async () => {
  const adapter: Hex = `0x${"ad".repeat(32)}`;
  for (const fill of [() => 0n, (_: bigint, index: bigint) => index, (largest: bigint) => largest]) {
    const offer = offerOf(adapter, fill, fill(U64, 9n));
    assert.equal(await escrow("hashOffer", offer), offerHash(offer));
    assert.equal(await escrow("offerDigest", offer), messageDigest(domainOf(setting), "Offer", offer));
  }
});

test("receipts hash to the same digest, at both ends of every width", async () => {
  for (const value of [0n, 1n, U64]) {
    const receipt: Receipt = {
      agreementId: `0x${"a9".repeat(32)}`,
      passes: value,
      tokens: value,
      head: `0x${"4e".repeat(32)}`,
      statementsHash: `0x${"57".repeat(32)}`,
    };
    assert.equal(
      await escrow("receiptDigest", receipt),
      messageDigest(domainOf(setting), "Receipt", receipt),
    );
  }
});

test("statements hash to the same value", async () => {
  for (const count of [0, 1, 2, 5]) {
    const V = Array.from({ length: count }, (_, i) => new Uint8Array(64).fill(i + 1));
    assert.equal(await escrow("hashStatements", V.map(pointWords)), statementsHash(V));
  }
});

test("adapters and agreements get the ids that the library computes", async () => {
  const { adapterId: registered } = await register(setting, 3);
  const code = await setting.public.getCode({ address: setting.verifier });
  const expected = adapterId({
    chainId: domainOf(setting).chainId,
    registry: setting.registry,
    contributor: contributor.address,
    manifestHash: `0x${"4d".repeat(32)}`,
    verifier: setting.verifier,
    verifierCodeHash: keccak256(code!),
    groups: 3,
    salt: `0x${"5a".repeat(32)}`,
  });
  assert.equal(registered, expected);
  const adapter = await setting.public.readContract({
    address: setting.registry,
    abi: adapterRegistryAbi,
    functionName: "adapters",
    args: [registered],
  });
  assert.equal(adapter.verifierCodeHash, contractCode("LoraVerifier14").runtimeCodeHash);

  const offer = { ...offerOf(registered, (_, index) => index, U64), maxOpens: 1n };
  const { agreementId: opened, deadline } = await open(setting, offer, 11n);
  assert.equal(
    opened,
    agreementId({
      ...domainOf(setting),
      buyer: buyer.address,
      offerHash: offerHash(offer),
      signer: signer.address,
      amount: AMOUNT,
      deadline,
      nonce: 11n,
    }),
  );
});

test("every verifier carries the pinned key", async () => {
  for (const size of KEY_SIZES) {
    const name = `LoraVerifier${size}`;
    const address = await setting.deploy(name);
    const code = await setting.public.getCode({ address });
    assert.equal(keccak256(code!), contractCode(name).runtimeCodeHash);
    const vkHash = await setting.public.readContract({
      address,
      abi: loraVerifierAbi,
      functionName: "vkHash",
    });
    assert.equal(vkHash, pinnedKey(size).vkHash);
  }
});
