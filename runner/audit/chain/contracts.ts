/** What the contracts take and tell, written from contracts/interfaces, decoded by ethers. */
import { AbiCoder, dataSlice, Interface, type ParamType, type Result } from "ethers";
import type { Hex } from "../primitives/bytes.ts";

const OFFER =
  "tuple(bytes32 adapterId,address payout,address token,uint128 pricePerToken,uint256 openingFee,uint64 maxUnpaidTokens,uint64 tokenCap,uint64 minDuration,uint64 closeWindow,uint64 maxOpens,uint256 nonce,uint64 expiry)";
const RECEIPT = "tuple(bytes32 agreementId,uint64 passes,uint64 tokens,bytes32 head,bytes32 statementsHash)";
const CLAIM = "tuple(uint32 group,uint256[2] a,uint256[4] b,uint256[2] c)";

export const ESCROW = new Interface([
  `function open(${OFFER} offer,bytes offerSignature,address signer,uint256 amount,uint64 deadline,uint256 nonce) payable returns (bytes32)`,
  `function settle(bytes32 agreementId,${RECEIPT} receipt,bytes signature,uint256[2][] V,${CLAIM}[] claims)`,
  "function close(bytes32 agreementId)",
  "function refund(bytes32 agreementId)",
  "function release(bytes32 agreementId)",
  `function cancelOffer(${OFFER} offer)`,
  "function setOperator(address operator,bool allowed)",
  "function withdraw(address token,address to)",
  "function credits(address token,address account) view returns (uint256)",
  "function settledGroups(bytes32 agreementId,bytes32 receiptHash,uint256 word) view returns (uint256)",
  "function agreements(bytes32 agreementId) view returns (tuple(address buyer,uint64 deadline,uint8 status,address signer,uint64 closeWindow,address payout,address token,uint128 amount,uint128 paid,uint128 pricePerToken,bytes32 adapterId))",
  `event AgreementOpened(bytes32 indexed agreementId,bytes32 indexed adapterId,address indexed buyer,bytes32 offerHash,${OFFER} offer,address signer,uint256 amount,uint64 deadline,uint256 nonce)`,
  "event GroupsSettled(bytes32 indexed agreementId,bytes32 indexed receiptHash,address indexed settler,uint256 word,uint256 bits)",
  "event ReceiptSettled(bytes32 indexed agreementId,bytes32 indexed receiptHash,uint64 passes,uint64 tokens,bytes32 head,bytes32 statementsHash,uint256 credited,uint256 paid)",
  "event AgreementClosing(bytes32 indexed agreementId,uint64 deadline)",
  "event AgreementRefunded(bytes32 indexed agreementId,address indexed buyer,uint256 amount)",
  "event AgreementReleased(bytes32 indexed agreementId,address indexed buyer,uint256 amount)",
  "event OfferCancelled(bytes32 indexed offerHash,bytes32 indexed adapterId,address indexed contributor)",
  "event OperatorSet(address indexed contributor,address indexed operator,bool allowed)",
  "event Withdrawn(address indexed account,address indexed token,address indexed to,uint256 amount)",
]);

export const REGISTRY = new Interface([
  "function register(bytes32 manifestHash,string uri,address verifier,uint32 groups,bytes32 salt) returns (bytes32)",
  "function adapters(bytes32 adapterId) view returns (tuple(address contributor,uint32 groups,address verifier,bytes32 verifierCodeHash,bytes32 manifestHash))",
  "event AdapterRegistered(bytes32 indexed adapterId,address indexed contributor,address indexed verifier,bytes32 verifierCodeHash,bytes32 vkHash,bytes32 manifestHash,uint32 groups,bytes32 salt,string uri)",
]);

export const VERIFIER = new Interface([
  "function vkHash() view returns (bytes32)",
  "function verifyBatch(bytes32 seed,uint256[2][] V,tuple(uint256[2] a,uint256[4] b,uint256[2] c)[] proofs) view returns (bool)",
]);

/** Statuses of an agreement by their number on chain. */
export const STATUSES = ["none", "open", "closing", "refunded", "released"] as const;
export type Status = (typeof STATUSES)[number];

/** Values by name; addresses in lower case, lists as lists. */
export type Values = Record<string, unknown>;

/** Decoded values of these parameters by name, structs and lists within them as plain values. */
export function plain(parameters: readonly ParamType[], values: Result): Values {
  return Object.fromEntries(
    parameters.map((parameter, i) => [
      parameter.name,
      parameter.type === "string" ? textAt(values, i) : plainValue(parameter, values[i]),
    ]),
  );
}

/** The contracts take any bytes for a text. Those that are none must not end the audits of all who share the registry. */
function textAt(values: Result, i: number): string {
  try {
    return values[i] as string;
  } catch {
    return "\uFFFD";
  }
}

function plainValue(type: ParamType, value: unknown): unknown {
  if (type.baseType === "array")
    return Array.from(value as Result, (part) => plainValue(type.arrayChildren!, part));
  if (type.baseType === "tuple") return plain(type.components!, value as Result);
  return type.baseType === "address" ? (value as string).toLowerCase() : value;
}

/** An event of one of the contracts; undefined when it is none of theirs. */
export function decodeEvent(
  contract: Interface,
  log: { topics: readonly string[]; data: Hex },
): { name: string; args: Values } | undefined {
  try {
    const found = contract.parseLog({ topics: [...log.topics], data: log.data });
    return found === null ? undefined : { name: found.name, args: plain(found.fragment.inputs, found.args) };
  } catch {
    return undefined;
  }
}

/**
 * A call of one of the contracts; undefined when the data is none. As the contracts do, it takes bytes whose last word is
 * not filled up with zeros.
 */
export function decodeCall(contract: Interface, data: Hex): { name: string; args: Values } | undefined {
  try {
    const found = contract.getFunction(dataSlice(data, 0, 4));
    if (found === null) return undefined;
    const args = AbiCoder.defaultAbiCoder().decode(found.inputs, dataSlice(data, 4), true);
    return { name: found.name, args: plain(found.inputs, args) };
  } catch {
    return undefined;
  }
}

/** The one result of a view function. */
export function decodeResult(contract: Interface, name: string, answer: Hex): unknown {
  const { outputs } = contract.getFunction(name)!;
  return plainValue(outputs[0]!, contract.decodeFunctionResult(name, answer)[0]);
}
