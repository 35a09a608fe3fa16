/** The little of ERC-20 that paying in needs. The zero address stands for ETH, as in the escrow. */
import { type Address, BaseError, encodeFunctionData, erc20Abi, zeroAddress } from "viem";
import type { ChainConnection } from "./connection.ts";
import { asChainError, onChain } from "./errors.ts";
import { requireSender, transact } from "./transact.ts";

/** A currency as people see it. */
export interface Token {
  address: Address;
  symbol: string;
  decimals: number;
}

export const ETH: Token = { address: zeroAddress, symbol: "ETH", decimals: 18 };

/** Whether an address stands for ETH. */
export function isEth(token: Address): boolean {
  return BigInt(token) === 0n;
}

/** ERC-20 gives decimals 8 bits; viem takes any number, and to write an amount in millions of them takes hours. */
const MOST_DECIMALS = 255;

/** viem's names of a contract's refusal or silence, and of what goes wrong before a contract is asked. */
const REFUSED = ["ContractFunctionRevertedError", "ContractFunctionZeroDataError"];
const NOT_ASKED = ["HttpRequestError", "TimeoutError", "RpcRequestError"];

/** Whether the token itself gave no usable answer; a node that gave none may give one later. */
function saysNothing(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  const is = (names: readonly string[]): boolean =>
    error.walk((inner) => names.includes((inner as Error).name)) !== null;
  return is(REFUSED) || !is(NOT_ASKED);
}

/**
 * Symbol and decimals of a token; what a token does not say, or cannot mean, is its address and 0.
 * @throws DeltapayError `chain/...` when the node does not answer: amounts in guessed decimals would be other amounts
 */
export async function readToken(chain: ChainConnection, address: Address): Promise<Token> {
  if (isEth(address)) return ETH;
  const read = async <Value>(request: Promise<Value>, otherwise: Value): Promise<Value> =>
    request.catch((error: unknown) => {
      if (saysNothing(error)) return otherwise;
      throw asChainError(error, chain);
    });
  const { publicClient } = chain;
  const symbol = await read(
    publicClient.readContract({ address, abi: erc20Abi, functionName: "symbol" }),
    address,
  );
  const decimals = await read(
    publicClient.readContract({ address, abi: erc20Abi, functionName: "decimals" }),
    0,
  );
  return { address, symbol, decimals: decimals > MOST_DECIMALS ? 0 : decimals };
}

/** What an account holds, in the smallest unit. */
export function balanceOf(chain: ChainConnection, token: Address, account: Address): Promise<bigint> {
  const { publicClient } = chain;
  return onChain(chain, () =>
    isEth(token)
      ? publicClient.getBalance({ address: account })
      : publicClient.readContract({
          address: token,
          abi: erc20Abi,
          functionName: "balanceOf",
          args: [account],
        }),
  );
}

/** Lets `spender` take exactly `amount` of a token from the sender: an allowance left over is a risk without use. */
export async function ensureAllowance(
  chain: ChainConnection,
  token: Address,
  spender: Address,
  amount: bigint,
): Promise<void> {
  const owner = requireSender(chain).account.address;
  const allowed = await onChain(chain, () =>
    chain.publicClient.readContract({
      address: token,
      abi: erc20Abi,
      functionName: "allowance",
      args: [owner, spender],
    }),
  );
  if (allowed === amount) return;
  const approve = (value: bigint) =>
    transact(chain, {
      to: token,
      data: encodeFunctionData({ abi: erc20Abi, functionName: "approve", args: [spender, value] }),
    });
  // Some tokens (USDT) refuse to change an allowance that is not zero.
  if (allowed > 0n) await approve(0n);
  if (amount > 0n) await approve(amount);
}
