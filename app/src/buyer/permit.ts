/** EIP-2612: an allowance by signature, for the tokens that take one. */
import { domainSeparator, encodeFunctionData, keccak256, parseAbi, parseSignature, stringToHex } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import type { Call } from "../../../runner/chain/transact.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import type { TypedData } from "../wallet/typedData.ts";

const permitAbi = parseAbi([
  "function name() view returns (string)",
  "function version() view returns (string)",
  "function nonces(address owner) view returns (uint256)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
  "function PERMIT_TYPEHASH() view returns (bytes32)",
  "function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)",
]);

const PERMIT = [
  { name: "owner", type: "address" },
  { name: "spender", type: "address" },
  { name: "value", type: "uint256" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint256" },
] as const;

const PERMIT_TYPEHASH = keccak256(
  stringToHex(`Permit(${PERMIT.map(({ type, name }) => `${type} ${name}`).join(",")})`),
);

/** What a permit of a token is signed over; its domain was seen to be the token's own. */
export interface PermitTerms {
  domain: TypedData["domain"];
  nonce: bigint;
}

/** Undefined when the token takes no permit that this page can make. */
export async function readPermit(
  ctx: ChainContext,
  token: Address,
  owner: Address,
): Promise<PermitTerms | undefined> {
  const read = <Name extends "name" | "version" | "DOMAIN_SEPARATOR" | "PERMIT_TYPEHASH">(
    functionName: Name,
  ) => ctx.publicClient.readContract({ address: token, abi: permitAbi, functionName });
  try {
    const [name, separator, nonce] = await Promise.all([
      read("name"),
      read("DOMAIN_SEPARATOR"),
      ctx.publicClient.readContract({
        address: token,
        abi: permitAbi,
        functionName: "nonces",
        args: [owner],
      }),
    ]);
    const version = await read("version").catch(() => "1");
    // Permits older than EIP-2612, DAI's for one, have such a domain too, but other fields.
    const typeHash = await read("PERMIT_TYPEHASH").catch(() => PERMIT_TYPEHASH);
    if (typeHash !== PERMIT_TYPEHASH) return undefined;
    const domain = { name, version, chainId: BigInt(ctx.chainId), verifyingContract: token };
    return domainSeparator({ domain }) === separator ? { domain, nonce } : undefined;
  } catch {
    return undefined;
  }
}

/** What the wallet signs. @param deadline Unix seconds until which the permit can be submitted */
export function permitData(
  { domain, nonce }: PermitTerms,
  permit: { owner: Address; spender: Address; value: bigint; deadline: bigint },
): TypedData {
  return { domain, types: { Permit: PERMIT }, primaryType: "Permit", message: { ...permit, nonce } };
}

/** The call that turns a signed permit into an allowance. */
export function permitCall(
  token: Address,
  permit: { owner: Address; spender: Address; value: bigint; deadline: bigint },
  signature: Hex,
): Call {
  const { owner, spender, value, deadline } = permit;
  const { r, s, yParity } = parseSignature(signature);
  const args = [owner, spender, value, deadline, 27 + yParity, r, s] as const;
  return { to: token, data: encodeFunctionData({ abi: permitAbi, functionName: "permit", args }) };
}
