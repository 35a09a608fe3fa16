/** The proofs that were sent, read from a transaction's calldata and held against the event of the escrow. */
import { decodeFunctionData } from "viem";
import { loraEscrowAbi } from "../../../runner/chain/generated/abi.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import { type Address, type Domain, messageDigest } from "../../../runner/protocol/typedData.ts";
import type { SettleCall } from "./facts.ts";

interface Sent {
  to: Address | null;
  input: Hex;
}

const sameAddress = (left: Address | null, right: Address): boolean =>
  left !== null && left.toLowerCase() === right.toLowerCase();

/** The escrow function a transaction calls itself. @throws DeltapayError `audit/indirect-call`, `audit/other-call` */
function decodeEscrowCall(escrow: Address, { to, input }: Sent) {
  ensure(
    sameAddress(to, escrow),
    "audit/indirect-call",
    `the transaction calls ${to ?? "nothing"}, which called the escrow`,
    { field: "to", hint: "what it said to the escrow is not in the calldata; a node with traces could tell" },
  );
  try {
    return decodeFunctionData({ abi: loraEscrowAbi, data: input });
  } catch (cause) {
    throw new DeltapayError("audit/other-call", "the calldata is of no function of the escrow", {
      field: "input",
      cause,
    });
  }
}

/**
 * The arguments of `settle`.
 * @param receiptHash as the escrow's event names it
 * @throws DeltapayError `audit/indirect-call`, `audit/other-call`, `audit/other-receipt`
 */
export function decodeSettleCall(domain: Domain, sent: Sent, receiptHash: Hex): SettleCall {
  const { functionName, args } = decodeEscrowCall(domain.escrow, sent);
  ensure(functionName === "settle", "audit/other-call", `the transaction calls ${functionName}`, {
    field: "input",
  });
  const [, receipt, signature, V, claims] = args;
  const digest = messageDigest(domain, "Receipt", receipt);
  ensure(
    digest === receiptHash,
    "audit/other-receipt",
    `the receipt in the calldata is ${digest}, the event names ${receiptHash}`,
    { field: "receipt", hint: "this node's answers contradict each other: ask another" },
  );
  return {
    receipt,
    signature,
    V: V.map(([x, y]) => [x, y]),
    claims: claims.map(({ group, a, b, c }) => ({ group, a: [...a], b: [...b], c: [...c] })),
  };
}

/** The contributor's signature of the offer, from the calldata of `open`; null when it is not there. */
export function decodeOfferSignature(escrow: Address, sent: Sent): Hex | null {
  try {
    const { functionName, args } = decodeEscrowCall(escrow, sent);
    return functionName === "open" ? args[1] : null;
  } catch {
    return null;
  }
}
