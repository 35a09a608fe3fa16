/** EIP-712 messages (protocol 5, 6, 8). The domain binds the live chain id and the escrow. */
import { encodeAbiParameters, hashStruct, hashTypedData, keccak256, recoverTypedDataAddress } from "viem";
import { type Hex, pointWords, tag, toHex } from "./bytes.ts";
import { DeltapayError } from "./errors.ts";
import { TAGS } from "./tags.ts";

export type Address = Hex;

export const TYPES = {
  Offer: [
    { name: "adapterId", type: "bytes32" },
    { name: "payout", type: "address" },
    { name: "token", type: "address" },
    { name: "pricePerToken", type: "uint128" },
    { name: "openingFee", type: "uint256" },
    { name: "maxUnpaidTokens", type: "uint64" },
    { name: "tokenCap", type: "uint64" },
    { name: "minDuration", type: "uint64" },
    { name: "closeWindow", type: "uint64" },
    { name: "maxOpens", type: "uint64" },
    { name: "nonce", type: "uint256" },
    { name: "expiry", type: "uint64" },
  ],
  Receipt: [
    { name: "agreementId", type: "bytes32" },
    { name: "passes", type: "uint64" },
    { name: "tokens", type: "uint64" },
    { name: "head", type: "bytes32" },
    { name: "statementsHash", type: "bytes32" },
  ],
  ServiceRecord: [
    { name: "adapterId", type: "bytes32" },
    { name: "url", type: "string" },
    { name: "tlsCertificate", type: "bytes32" },
    { name: "expiry", type: "uint64" },
  ],
  Liveness: [
    { name: "adapterId", type: "bytes32" },
    { name: "nonce", type: "bytes32" },
    { name: "time", type: "uint64" },
  ],
  Session: [
    { name: "agreementId", type: "bytes32" },
    { name: "clientNonce", type: "bytes32" },
    { name: "serverNonce", type: "bytes32" },
  ],
} as const;

/** Terms a contributor signs. Amounts in the token's smallest unit, times in seconds. token 0x0 is ETH. */
export interface Offer {
  adapterId: Hex;
  payout: Address;
  token: Address;
  pricePerToken: bigint;
  openingFee: bigint;
  maxUnpaidTokens: bigint;
  tokenCap: bigint;
  minDuration: bigint;
  closeWindow: bigint;
  maxOpens: bigint;
  nonce: bigint;
  /** Unix seconds, inclusive. */
  expiry: bigint;
}

/** Cumulative acknowledgement of everything served so far, signed by the agreement's signer. */
export interface Receipt {
  agreementId: Hex;
  passes: bigint;
  tokens: bigint;
  head: Hex;
  statementsHash: Hex;
}

/** Where an adapter is served; tlsCertificate is the SHA-256 of the DER certificate, zero on loopback. */
export interface ServiceRecord {
  adapterId: Hex;
  url: string;
  tlsCertificate: Hex;
  expiry: bigint;
}

/** Fresh answer that the contributor's key is live. */
export interface Liveness {
  adapterId: Hex;
  nonce: Hex;
  time: bigint;
}

/** Proof that the client holds the agreement's signer key. */
export interface SessionProof {
  agreementId: Hex;
  clientNonce: Hex;
  serverNonce: Hex;
}

interface Messages {
  Offer: Offer;
  Receipt: Receipt;
  ServiceRecord: ServiceRecord;
  Liveness: Liveness;
  Session: SessionProof;
}

/** EIP-712 domain of a deployment. */
export interface Domain {
  chainId: bigint;
  escrow: Address;
}

/** The arguments viem's signTypedData, hashTypedData and recoverTypedDataAddress take for a message of this protocol. */
export function typedData<Name extends keyof Messages>(domain: Domain, name: Name, message: Messages[Name]) {
  return {
    domain: { name: "deltapay", version: "1", chainId: domain.chainId, verifyingContract: domain.escrow },
    types: { [name]: TYPES[name] } as Record<string, readonly { name: string; type: string }[]>,
    primaryType: name as string,
    message: message as unknown as Record<string, unknown>,
  };
}

/** EIP-712 digest: what is signed. Of a receipt it is the receiptHash. */
export function messageDigest<Name extends keyof Messages>(
  domain: Domain,
  name: Name,
  message: Messages[Name],
): Hex {
  return hashTypedData(typedData(domain, name, message));
}

/** offerHash = EIP-712 struct hash of the offer, independent of chain and escrow. */
export function offerHash(offer: Offer): Hex {
  return hashStruct({
    types: { Offer: TYPES.Offer } as Record<string, readonly { name: string; type: string }[]>,
    primaryType: "Offer",
    data: offer as unknown as Record<string, unknown>,
  });
}

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Checks that `signer` signed the message with a plain, low-s, 65-byte signature (what the contracts accept).
 * @throws DeltapayError `signature/malformed`, `signature/wrong-signer` naming the message
 */
export async function checkSignature<Name extends keyof Messages>(
  domain: Domain,
  name: Name,
  message: Messages[Name],
  signature: Hex,
  signer: Address,
): Promise<void> {
  // The contracts take v = 27 and 28 alone: another spelling would be accepted here and fail there.
  const wellFormed = /^0x[0-9a-fA-F]{128}1[bcBC]$/.test(signature);
  if (!wellFormed || BigInt(`0x${signature.slice(66, 130)}`) > HALF_ORDER)
    throw new DeltapayError(
      "signature/malformed",
      `${name}: not a 65-byte low-s signature with v = 27 or 28`,
      {
        field: "signature",
      },
    );
  let recovered: Address;
  try {
    recovered = await recoverTypedDataAddress({ ...typedData(domain, name, message), signature });
  } catch (cause) {
    throw new DeltapayError("signature/malformed", `${name}: no key made this signature`, {
      field: "signature",
      cause,
    });
  }
  if (recovered.toLowerCase() !== signer.toLowerCase())
    throw new DeltapayError("signature/wrong-signer", `${name}: signed by ${recovered}, not by ${signer}`, {
      field: "signature",
    });
}

/** keccak256(abi.encode(tag, uint256[2][] V)) over 64-byte big-endian points. */
export function statementsHash(statements: readonly Uint8Array[]): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: "bytes32" }, { type: "uint256[2][]" }],
      [toHex(tag(TAGS.statements)), statements.map(pointWords)],
    ),
  );
}

/** Identity of a registered adapter; the registry computes the same. */
export function adapterId(adapter: {
  chainId: bigint;
  registry: Address;
  contributor: Address;
  manifestHash: Hex;
  verifier: Address;
  verifierCodeHash: Hex;
  groups: number;
  salt: Hex;
}): Hex {
  return keccak256(
    encodeAbiParameters(
      [
        { type: "bytes32" },
        { type: "uint256" },
        { type: "address" },
        { type: "address" },
        { type: "bytes32" },
        { type: "address" },
        { type: "bytes32" },
        { type: "uint256" },
        { type: "bytes32" },
      ],
      [
        toHex(tag(TAGS.adapter)),
        adapter.chainId,
        adapter.registry,
        adapter.contributor,
        adapter.manifestHash,
        adapter.verifier,
        adapter.verifierCodeHash,
        BigInt(adapter.groups),
        adapter.salt,
      ],
    ),
  );
}

/** Identity of an agreement; the escrow computes the same. */
export function agreementId(agreement: {
  chainId: bigint;
  escrow: Address;
  buyer: Address;
  offerHash: Hex;
  signer: Address;
  amount: bigint;
  deadline: bigint;
  nonce: bigint;
}): Hex {
  return keccak256(
    encodeAbiParameters(
      [
        { type: "bytes32" },
        { type: "uint256" },
        { type: "address" },
        { type: "address" },
        { type: "bytes32" },
        { type: "address" },
        { type: "uint256" },
        { type: "uint256" },
        { type: "uint256" },
      ],
      [
        toHex(tag(TAGS.agreement)),
        agreement.chainId,
        agreement.escrow,
        agreement.buyer,
        agreement.offerHash,
        agreement.signer,
        agreement.amount,
        agreement.deadline,
        agreement.nonce,
      ],
    ),
  );
}
