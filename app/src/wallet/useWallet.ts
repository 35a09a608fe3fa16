/** The connected wallet as the page's own code uses it, or why there is none to use. */
import { useMemo } from "react";
import { useConfig, useConnection } from "wagmi";
import { getWalletClient, signTypedData } from "wagmi/actions";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { pollingInterval } from "../chain/chain.ts";
import type { Sending, Wallet } from "../transactions/send.ts";
import { TransactionStore } from "../transactions/store.ts";
import { walletError } from "./errors.ts";
import type { TypedData } from "./typedData.ts";

/** The connected account; undefined when none is. */
export function useAccount(): Address | undefined {
  const { address, status } = useConnection();
  return status === "connected" ? address : undefined;
}

/** Why nothing can be signed now; undefined when it can. */
export function useWalletProblem(): DeltapayError | undefined {
  const { chainId: expected } = useChain();
  const { address, chainId, status } = useConnection();
  if (status !== "connected" || address === undefined)
    return new DeltapayError("wallet/none", "no wallet is connected", {
      hint: "connect one at the top of the page",
    });
  if (chainId !== expected)
    return new DeltapayError("wallet/wrong-chain", `the wallet is on chain ${chainId}, not on ${expected}`, {
      hint: "switch the chain at the top of the page",
    });
  return undefined;
}

/** Asks the wallet to sign typed data. @throws DeltapayError `wallet/...` */
export function useSignTypedData(): (data: TypedData) => Promise<Hex> {
  const wagmi = useConfig();
  const account = useAccount();
  return async (data) => {
    try {
      return await signTypedData(wagmi, { ...data, ...(account === undefined ? {} : { account }) });
    } catch (error) {
      throw walletError(error);
    }
  };
}

/** Everything sending needs; undefined while no account is connected. */
export function useSending(): Sending | undefined {
  const wagmi = useConfig();
  const ctx = useChain();
  const address = useAccount();
  return useMemo(() => {
    if (address === undefined) return undefined;
    const wallet: Wallet = {
      address,
      send: async ({ to, data, value, gas }) => {
        // Asked anew each time: the person may have switched account or chain meanwhile, which this refuses.
        const client = await getWalletClient(wagmi, { chainId: ctx.chainId, account: address });
        return client.sendTransaction({ to, data, gas, ...(value === undefined ? {} : { value }) });
      },
    };
    return {
      ctx,
      wallet,
      store: storeOf(ctx.chainId, ctx.deployment.escrow, address),
      locks: "locks" in navigator ? (navigator.locks as unknown as Sending["locks"]) : undefined,
      pollMs: pollingInterval(ctx.chainId),
    };
  }, [wagmi, ctx, address]);
}

const stores = new Map<string, TransactionStore>();

/** One store for each account, so that all parts of the page hear of its changes. */
function storeOf(chainId: number, escrow: Address, account: Address): TransactionStore {
  const scope = `${chainId}:${escrow}:${account}`.toLowerCase();
  const store = stores.get(scope) ?? new TransactionStore(window.localStorage, scope);
  stores.set(scope, store);
  return store;
}
