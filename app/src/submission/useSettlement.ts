/** Where a receipt's settlement stands on chain, and what sending the rest would take. */
import { useQuery } from "@tanstack/react-query";
import { type ReceiptToSettle, receiptHash } from "../../../runner/chain/claims.ts";
import { onChain } from "../../../runner/chain/errors.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { pollingInterval } from "../chain/chain.ts";
import { useAccount } from "../wallet/useWallet.ts";
import { readProven } from "./proven.ts";
import { planSettlement } from "./submit.ts";

/** A bundle as the escrow takes it. */
export function settlementOf({ agreementId, receipt, signature, V, claims }: ProofBundle): ReceiptToSettle {
  return { agreementId, receipt, signature, V, claims };
}

/** Groups proven so far, by which transactions. */
export function useProven(bundle: ProofBundle) {
  const ctx = useChain();
  const hash = receiptHash(ctx, bundle.receipt);
  return useQuery({
    queryKey: ["proven", ctx.rpcUrl, bundle.agreementId, hash],
    queryFn: () => readProven(ctx, bundle.agreementId, hash),
    refetchInterval: 2 * pollingInterval(ctx.chainId),
  });
}

/** What is left to send, its gas, and what that costs now. @param enabled verified before */
export function usePlan(bundle: ProofBundle, enabled: boolean) {
  const ctx = useChain();
  const from = useAccount();
  return useQuery({
    queryKey: ["plan", ctx.rpcUrl, from, receiptHash(ctx, bundle.receipt)],
    queryFn: async () => {
      const plan = await planSettlement(ctx, from!, settlementOf(bundle));
      const { maxFeePerGas } = await onChain(ctx, () => ctx.publicClient.estimateFeesPerGas());
      return { ...plan, wei: plan.gas * maxFeePerGas };
    },
    enabled: enabled && from !== undefined,
    retry: false,
  });
}
