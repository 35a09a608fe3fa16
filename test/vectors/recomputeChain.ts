/** What contracts see, from the inputs of its vectors and ethers alone. */
import { computeAddress, Interface, id, SigningKey, TypedDataEncoder, type TypedDataField } from "ethers";
import type { Plain } from "./book.ts";
import { text, vectorsByName } from "./read.ts";
import type { Recompute } from "./recomputeEncodings.ts";
import { bytes, integers, keccakAbi, P, tag } from "./second.ts";

const { vector } = vectorsByName();
type Fields = Record<string, Plain>;

const input = (name: string, ...path: string[]): string => text(vector(name).inputs, ...path);
const output = (name: string, ...path: (string | number)[]): string =>
  text({ out: vector(name).output }, "out", ...path);

/** The documented types; widths are part of the hash. */
const TYPES: Record<string, string> = {
  Offer:
    "Offer(bytes32 adapterId,address payout,address token,uint128 pricePerToken,uint256 openingFee,uint64 maxUnpaidTokens,uint64 tokenCap,uint64 minDuration,uint64 closeWindow,uint64 maxOpens,uint256 nonce,uint64 expiry)",
  Receipt: "Receipt(bytes32 agreementId,uint64 passes,uint64 tokens,bytes32 head,bytes32 statementsHash)",
  ServiceRecord: "ServiceRecord(bytes32 adapterId,string url,bytes32 tlsCertificate,uint64 expiry)",
  Liveness: "Liveness(bytes32 adapterId,bytes32 nonce,uint64 time)",
  Session: "Session(bytes32 agreementId,bytes32 clientNonce,bytes32 serverNonce)",
};

/** The ABI type of a struct with the same fields. */
const tuple = (type: string): string => `tuple${type.slice(type.indexOf("("))}`;

/** EIP-712 fields from `Name(type name,...)`. */
function parseType(type: string): Record<string, TypedDataField[]> {
  const [, name, list] = /^(\w+)\((.*)\)$/.exec(type)!;
  const fields = list!.split(",").map((field) => {
    const [kind, label] = field.split(" ");
    return { type: kind!, name: label! };
  });
  return { [name!]: fields };
}

function message(inputs: Plain, name: string): Plain {
  const domain = {
    name: "deltapay",
    version: "1",
    chainId: text(inputs, "chainId"),
    verifyingContract: text(inputs, "escrow"),
  };
  const type = TYPES[name]!;
  const types = parseType(type);
  const value = (inputs as { message: Fields }).message;
  const digest = TypedDataEncoder.hash(domain, types, value);
  const key = new SigningKey(text(inputs, "privateKey"));
  return {
    typeHash: id(type),
    structHash: TypedDataEncoder.hashStruct(name, types, value),
    domainSeparator: TypedDataEncoder.hashDomain(domain),
    digest,
    signer: computeAddress(key).toLowerCase(),
    signature: key.sign(digest).serialized,
  };
}

/** The ids are keccak256(abi.encode(tag, fields in order)). */
function idOf(tagText: string, types: string[], names: string[]): Recompute {
  return (inputs) =>
    keccakAbi(["bytes32", ...types], [tag(tagText), ...names.map((name) => text(inputs, name))]);
}

type Pair = [bigint, bigint];
const pair = (point: string): Pair => [BigInt(point.slice(0, 66)), BigInt(`0x${point.slice(66)}`)];

interface ClaimWords {
  group: number;
  a: bigint[];
  b: bigint[];
  c: bigint[];
}

/** Claims as the vectors hold them. */
export function claims(): ClaimWords[] {
  const list = vector("claims").output as { group: number; a: string; b: string; c: string }[];
  return list.map(({ group, a, b, c }) => ({ group, a: integers(a), b: integers(b), c: integers(c) }));
}

/** Statements as the vectors hold them. */
export function statements(): string[] {
  return [0, 1].map((g) => output(`statement/${g}`));
}

const CLAIM = "tuple(uint32 group,uint256[2] a,uint256[4] b,uint256[2] c)";
const CONTRACTS = new Interface([
  "function register(bytes32 manifestHash,string uri,address verifier,uint32 groups,bytes32 salt)",
  `function open(${tuple(TYPES["Offer"]!)} offer,bytes offerSignature,address signer,uint256 amount,uint64 deadline,uint256 nonce)`,
  `function settle(bytes32 agreementId,${tuple(TYPES["Receipt"]!)} receipt,bytes signature,uint256[2][] V,${CLAIM}[] claims)`,
]);

function call(name: string, ...fields: string[]): Recompute {
  return (inputs) =>
    CONTRACTS.encodeFunctionData(
      name,
      fields.map((field) => (inputs as Fields)[field]),
    );
}

function batchSeed(inputs: Plain): Plain {
  const names = ["agreementId", "receiptHash", "vkHash"];
  return keccakAbi(
    ["bytes32", "uint256", "address", "bytes32", "bytes32", "bytes32", "uint256[2][]", `${CLAIM}[]`],
    [
      tag("deltapay/1/batch"),
      text(inputs, "chainId"),
      text(inputs, "escrow"),
      ...names.map((name) => text(inputs, name)),
      statements().map(pair),
      claims(),
    ],
  );
}

/** The weight of each proof of a batch. */
export function batchWeights(): bigint[] {
  const seed = output("batch/seed");
  return claims().map((_, g) => BigInt(keccakAbi(["bytes32", "uint256"], [seed, g])) % P);
}

function bundle(): Plain {
  const receipt = (vector("eip712/Receipt").inputs as Fields)["message"]!;
  const decimal = (list: bigint[]): string[] => list.map(String);
  return JSON.stringify({
    protocol: 1,
    chainId: input("eip712/Receipt", "chainId"),
    escrow: input("eip712/Receipt", "escrow"),
    agreementId: output("agreement-id"),
    vkHash: output("key/vk-hash"),
    receipt,
    signature: output("eip712/Receipt", "signature"),
    V: statements().map((V) => decimal(pair(V))),
    claims: claims().map(({ group, a, b, c }) => ({ group, a: decimal(a), b: decimal(b), c: decimal(c) })),
  });
}

/** Handlers by the beginning of the names they know. */
export const CHAIN: Record<string, Recompute> = {
  "adapter-id": idOf(
    "deltapay/1/adapter",
    ["uint256", "address", "address", "bytes32", "address", "bytes32", "uint256", "bytes32"],
    ["chainId", "registry", "contributor", "manifestHash", "verifier", "verifierCodeHash", "groups", "salt"],
  ),
  "agreement-id": idOf(
    "deltapay/1/agreement",
    ["uint256", "address", "address", "bytes32", "address", "uint256", "uint256", "uint256"],
    ["chainId", "escrow", "buyer", "offerHash", "signer", "amount", "deadline", "nonce"],
  ),
  "offer-hash": (inputs) =>
    TypedDataEncoder.hashStruct("Offer", parseType(TYPES["Offer"]!), (inputs as { offer: Fields }).offer),
  "eip712/": message,
  "statements-hash": () =>
    keccakAbi(["bytes32", "uint256[2][]"], [tag("deltapay/1/statements"), statements().map(pair)]),
  "batch/seed": batchSeed,
  "batch/weights": () => batchWeights().join(" "),
  "call/register": call("register", "manifestHash", "uri", "verifier", "groups", "salt"),
  "call/open": call("open", "offer", "signature", "signer", "amount", "deadline", "nonce"),
  "call/settle": (inputs) =>
    CONTRACTS.encodeFunctionData("settle", [
      text(inputs, "agreementId"),
      (inputs as Fields)["receipt"],
      bytes(text(inputs, "signature")),
      statements().map(pair),
      claims(),
    ]),
  "wire/receipt-request": (inputs) => {
    const { receipt, signature } = inputs as Fields;
    return JSON.stringify({ receipt, signature });
  },
  "wire/bundle": bundle,
};
