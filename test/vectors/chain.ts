/** Vectors of what contracts see: EIP-712 messages, ids, claims, calls, the seed of a batch. */
import {
  domainSeparator,
  encodeAbiParameters,
  encodeFunctionData,
  hashStruct,
  keccak256,
  toBytes,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { adapterRegistryAbi, loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { type Hex, pointWords, tag, toHex } from "../../runner/protocol/bytes.ts";
import { P } from "../../runner/protocol/field.ts";
import { PROTOCOL_VERSION, TAGS } from "../../runner/protocol/tags.ts";
import {
  agreementId,
  type Domain,
  type Liveness,
  messageDigest,
  type Offer,
  offerHash,
  type Receipt,
  type ServiceRecord,
  type SessionProof,
  TYPES,
  typedData,
} from "../../runner/protocol/typedData.ts";
import type { Claim } from "../../runner/wire/messages.ts";
import { stringifyMessage } from "../../runner/wire/messages.ts";
import type { VectorAdapter } from "./adapter.ts";
import type { Book } from "./book.ts";
import {
  ADAPTER_SALT,
  BUYER,
  CHAIN_ID,
  CONTRIBUTOR_KEY,
  ESCROW,
  LAYOUT,
  REGISTRY,
  SIGNER,
  SIGNER_KEY,
  salt,
  VERIFIER,
} from "./inputs.ts";
import type { VectorSession } from "./session.ts";

export const DOMAIN: Domain = { chainId: BigInt(CHAIN_ID), escrow: ESCROW };

/** An opened agreement. */
export interface VectorAgreement {
  offer: Offer;
  offerSignature: Hex;
  agreementId: Hex;
}

interface Messages {
  Offer: Offer;
  Receipt: Receipt;
  ServiceRecord: ServiceRecord;
  Liveness: Liveness;
  Session: SessionProof;
}

function typeString(name: keyof typeof TYPES): string {
  return `${name}(${TYPES[name].map((field) => `${field.type} ${field.name}`).join(",")})`;
}

async function addMessage<Name extends keyof Messages>(
  book: Book,
  name: Name,
  message: Messages[Name],
  privateKey: Hex,
): Promise<Hex> {
  const data = typedData(DOMAIN, name, message);
  const account = privateKeyToAccount(privateKey);
  const signature = await account.signTypedData(data);
  book.add(
    `eip712/${name}`,
    { chainId: DOMAIN.chainId, escrow: DOMAIN.escrow, type: typeString(name), message, privateKey },
    {
      typeHash: keccak256(toBytes(typeString(name))),
      structHash: hashStruct({ types: data.types, primaryType: name, data: data.message }),
      domainSeparator: domainSeparator({ domain: data.domain }),
      digest: messageDigest(DOMAIN, name, message),
      signer: account.address.toLowerCase(),
      signature,
    },
  );
  return signature;
}

/** Adds the contributor's messages and the agreement opened on its offer. */
export async function addAgreement(book: Book, adapter: VectorAdapter): Promise<VectorAgreement> {
  const offer: Offer = {
    adapterId: adapter.adapterId,
    payout: "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
    token: "0x0000000000000000000000000000000000000000",
    pricePerToken: 1_000_000_000n,
    openingFee: 77n,
    maxUnpaidTokens: 64n,
    tokenCap: 4096n,
    minDuration: 3600n,
    closeWindow: 600n,
    maxOpens: 5n,
    nonce: (1n << 255n) + 3n,
    expiry: 2_000_000_000n,
  };
  const offerSignature = await addMessage(book, "Offer", offer, CONTRIBUTOR_KEY);
  book.add("offer-hash", { offer }, offerHash(offer));
  const { adapterId } = adapter;
  const url = "https://contributor.example:8443";
  const record = { adapterId, url, tlsCertificate: toHex(salt(0xe0)), expiry: 1_900_000_000n };
  await addMessage(book, "ServiceRecord", record, CONTRIBUTOR_KEY);
  const liveness = { adapterId, nonce: toHex(salt(0x20)), time: 1_800_000_000n };
  await addMessage(book, "Liveness", liveness, CONTRIBUTOR_KEY);
  const terms = {
    chainId: BigInt(CHAIN_ID),
    escrow: ESCROW,
    buyer: BUYER,
    offerHash: offerHash(offer),
    signer: SIGNER,
    amount: 4_096_000_000_000n,
    deadline: 1_800_010_000n,
    nonce: 9n,
  };
  const id = agreementId(terms);
  book.add("agreement-id", terms, id);
  const proof = { agreementId: id, clientNonce: toHex(salt(0x30)), serverNonce: toHex(salt(0x50)) };
  await addMessage(book, "Session", proof, SIGNER_KEY);
  addOpeningCalls(book, adapter, offer, offerSignature, terms);
  return { offer, offerSignature, agreementId: id };
}

function addOpeningCalls(
  book: Book,
  adapter: VectorAdapter,
  offer: Offer,
  signature: Hex,
  terms: { amount: bigint; deadline: bigint; nonce: bigint },
): void {
  const uri = "https://contributor.example:8443/v1/adapters";
  const adapterSalt = toHex(ADAPTER_SALT);
  book.add(
    "call/register",
    {
      to: REGISTRY,
      manifestHash: adapter.manifestHash,
      uri,
      verifier: VERIFIER,
      groups: LAYOUT.groups,
      salt: adapterSalt,
    },
    encodeFunctionData({
      abi: adapterRegistryAbi,
      functionName: "register",
      args: [adapter.manifestHash, uri, VERIFIER, LAYOUT.groups, adapterSalt],
    }),
  );
  const { amount, deadline, nonce } = terms;
  book.add(
    "call/open",
    {
      to: ESCROW,
      value: offer.openingFee + amount,
      offer,
      signature,
      signer: SIGNER,
      amount,
      deadline,
      nonce,
    },
    encodeFunctionData({
      abi: loraEscrowAbi,
      functionName: "open",
      args: [offer, signature, SIGNER, amount, deadline, nonce],
    }),
  );
}

const CLAIM = {
  type: "tuple[]",
  components: [
    { name: "group", type: "uint32" },
    { name: "a", type: "uint256[2]" },
    { name: "b", type: "uint256[4]" },
    { name: "c", type: "uint256[2]" },
  ],
} as const;

function addBatch(
  book: Book,
  id: Hex,
  receiptHash: Hex,
  vkHash: Hex,
  V: readonly Uint8Array[],
  claims: Claim[],
): void {
  const seed = keccak256(
    encodeAbiParameters(
      [
        { type: "bytes32" },
        { type: "uint256" },
        { type: "address" },
        { type: "bytes32" },
        { type: "bytes32" },
        { type: "bytes32" },
        { type: "uint256[2][]" },
        CLAIM,
      ],
      [toHex(tag(TAGS.batch)), BigInt(CHAIN_ID), ESCROW, id, receiptHash, vkHash, V.map(pointWords), claims],
    ),
  );
  book.add(
    "batch/seed",
    { chainId: CHAIN_ID, escrow: ESCROW, agreementId: id, receiptHash, vkHash, V, claims },
    seed,
  );
  const weights = claims.map(
    (_, position) =>
      BigInt(
        keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "uint256" }], [seed, BigInt(position)])),
      ) % P,
  );
  book.add("batch/weights", { seed, count: claims.length }, weights);
}

/** Adds the receipt of the session and its settlement. */
export async function addSettlement(
  book: Book,
  agreement: VectorAgreement,
  session: VectorSession,
  vkHash: Hex,
  claims: Claim[],
): Promise<void> {
  const { agreementId: id } = agreement;
  const receipt: Receipt = {
    agreementId: id,
    passes: BigInt(session.state.passes),
    tokens: BigInt(session.state.tokens),
    head: toHex(session.state.head),
    statementsHash: session.statementsHash,
  };
  const signature = await addMessage(book, "Receipt", receipt, SIGNER_KEY);
  book.add("wire/receipt-request", { receipt, signature }, stringifyMessage({ receipt, signature }));
  const V = session.V.map(pointWords);
  addBatch(book, id, messageDigest(DOMAIN, "Receipt", receipt), vkHash, session.V, claims);
  const bundle = {
    protocol: PROTOCOL_VERSION,
    chainId: BigInt(CHAIN_ID),
    escrow: ESCROW,
    agreementId: id,
    vkHash,
    receipt,
    signature,
    V,
    claims,
  };
  book.add(
    "wire/bundle",
    { receipt: "eip712/Receipt", V: "statement/g", claims: "claims" },
    stringifyMessage(bundle),
  );
  book.add(
    "call/settle",
    { to: ESCROW, agreementId: id, receipt, signature, V: session.V, claims },
    encodeFunctionData({
      abi: loraEscrowAbi,
      functionName: "settle",
      args: [id, receipt, signature, V, claims],
    }),
  );
}
