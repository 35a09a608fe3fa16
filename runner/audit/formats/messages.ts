/** Identifiers, EIP-712 messages and seeds (docs/protocol.md 5, 9, 10). */
import { recoverAddress, TypedDataEncoder } from "ethers";
import type { Hex } from "../primitives/bytes.ts";
import { modulo } from "../primitives/curve.ts";
import { keccakOf, taggedKeccak } from "../primitives/hashes.ts";
import { demand, Wrong } from "../problem.ts";

export interface Offer {
  adapterId: Hex;
  payout: Hex;
  token: Hex;
  pricePerToken: bigint;
  openingFee: bigint;
  maxUnpaidTokens: bigint;
  tokenCap: bigint;
  minDuration: bigint;
  closeWindow: bigint;
  maxOpens: bigint;
  nonce: bigint;
  expiry: bigint;
}

export interface Receipt {
  agreementId: Hex;
  passes: bigint;
  tokens: bigint;
  head: Hex;
  statementsHash: Hex;
}

/** A statement: x and y. */
export type Statement = readonly [bigint, bigint];

export interface Claim {
  group: bigint;
  a: readonly bigint[];
  b: readonly bigint[];
  c: readonly bigint[];
}

export interface Domain {
  chainId: bigint;
  escrow: Hex;
}

const OFFER_FIELDS = [
  ["adapterId", "bytes32"],
  ["payout", "address"],
  ["token", "address"],
  ["pricePerToken", "uint128"],
  ["openingFee", "uint256"],
  ["maxUnpaidTokens", "uint64"],
  ["tokenCap", "uint64"],
  ["minDuration", "uint64"],
  ["closeWindow", "uint64"],
  ["maxOpens", "uint64"],
  ["nonce", "uint256"],
  ["expiry", "uint64"],
] as const;

const RECEIPT_FIELDS = [
  ["agreementId", "bytes32"],
  ["passes", "uint64"],
  ["tokens", "uint64"],
  ["head", "bytes32"],
  ["statementsHash", "bytes32"],
] as const;

type Fields = readonly (readonly [string, string])[];

const typesOf = (name: string, fields: Fields) => ({
  [name]: fields.map(([field, type]) => ({ name: field, type })),
});

const domainOf = ({ chainId, escrow }: Domain) => ({
  name: "deltapay",
  version: "1",
  chainId,
  verifyingContract: escrow,
});

/** EIP-712 struct hash, without the domain. */
export const offerHash = (offer: Offer): Hex =>
  TypedDataEncoder.hashStruct("Offer", typesOf("Offer", OFFER_FIELDS), offer);

/** EIP-712 digest of the contributor's offer. */
export const offerDigest = (domain: Domain, offer: Offer): Hex =>
  TypedDataEncoder.hash(domainOf(domain), typesOf("Offer", OFFER_FIELDS), offer);

/** receiptHash: the EIP-712 digest. */
export const receiptDigest = (domain: Domain, receipt: Receipt): Hex =>
  TypedDataEncoder.hash(domainOf(domain), typesOf("Receipt", RECEIPT_FIELDS), receipt);

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Who signed a digest. @throws Wrong for other spellings than r, s (low), v in 65 bytes */
export function signerOf(digest: Hex, signature: Hex): Hex {
  demand(/^0x[0-9a-fA-F]{128}(1b|1c)$/i.test(signature), "the signature is not 65 bytes with v 27 or 28");
  demand(BigInt(`0x${signature.slice(66, 130)}`) <= HALF_ORDER, "the signature's s is not the lower one");
  try {
    return recoverAddress(digest, signature).toLowerCase();
  } catch {
    throw new Wrong("the signature is nobody's");
  }
}

/** docs/protocol.md 5. */
export function adapterId(parts: {
  chainId: bigint;
  registry: Hex;
  contributor: Hex;
  manifestHash: Hex;
  verifier: Hex;
  verifierCodeHash: Hex;
  groups: bigint;
  salt: Hex;
}): Hex {
  const { chainId, registry, contributor, manifestHash, verifier, verifierCodeHash, groups, salt } = parts;
  return taggedKeccak(
    "adapter",
    ["uint256", "address", "address", "bytes32", "address", "bytes32", "uint256", "bytes32"],
    [chainId, registry, contributor, manifestHash, verifier, verifierCodeHash, groups, salt],
  );
}

/** docs/protocol.md 9. */
export function agreementId(parts: {
  chainId: bigint;
  escrow: Hex;
  buyer: Hex;
  offerHash: Hex;
  signer: Hex;
  amount: bigint;
  deadline: bigint;
  nonce: bigint;
}): Hex {
  const { chainId, escrow, buyer, offerHash: hash, signer, amount, deadline, nonce } = parts;
  return taggedKeccak(
    "agreement",
    ["uint256", "address", "address", "bytes32", "address", "uint256", "uint256", "uint256"],
    [chainId, escrow, buyer, hash, signer, amount, deadline, nonce],
  );
}

export const statementsHash = (V: readonly Statement[]): Hex =>
  taggedKeccak("statements", ["uint256[2][]"], [V]);

const CLAIM = "tuple(uint32 group, uint256[2] a, uint256[4] b, uint256[2] c)";

/** Seed of the random weights of one settle call (docs/protocol.md 10). */
export function batchSeed(parts: {
  domain: Domain;
  agreementId: Hex;
  receiptHash: Hex;
  vkHash: Hex;
  V: readonly Statement[];
  claims: readonly Claim[];
}): Hex {
  const { domain, agreementId: id, receiptHash, vkHash, V, claims } = parts;
  return taggedKeccak(
    "batch",
    ["uint256", "address", "bytes32", "bytes32", "bytes32", "uint256[2][]", `${CLAIM}[]`],
    [domain.chainId, domain.escrow, id, receiptHash, vkHash, V, claims],
  );
}

/** r_i of the i-th claim, never zero. */
export function batchWeight(seed: Hex, i: number): bigint {
  const weight = modulo(BigInt(keccakOf(["bytes32", "uint256"], [seed, i])));
  return weight === 0n ? 1n : weight;
}
