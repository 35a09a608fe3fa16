/** The steps of a sale: paying in, answering, proving and settling. */
import { encodeFunctionData, type LocalAccount, zeroAddress } from "viem";
import { isOperator } from "../../chain/agreements.ts";
import { settleCall } from "../../chain/claims.ts";
import { type ChainContext, domainOf } from "../../chain/connect.ts";
import { type AgreementToOpen, openAgreement, setOperator } from "../../chain/escrow.ts";
import { chainTime } from "../../chain/finality.ts";
import { loraEscrowAbi } from "../../chain/generated/abi.ts";
import { transact } from "../../chain/transact.ts";
import type { ServedAdapter } from "../../contributor/adapters.ts";
import { type Hex, pointWords, toHex } from "../../protocol/bytes.ts";
import { addPass, initialState, type Pass, type SessionState } from "../../protocol/fold.ts";
import { answer } from "../../protocol/quantise.ts";
import { type Address, type Offer, statementsHash, typedData } from "../../protocol/typedData.ts";
import { keepPass } from "../../storage/transcript.ts";
import { proveState } from "../attacks/settling.ts";
import { type BatchedCall, batched } from "./batchContract.ts";

const PRICE = 1_000_000_000n;
const FEE = 5_000_000_000n;
const DAY = 86_400n;
const TOKENS_PAID_IN = 100n;

export type Trader = ChainContext & { account: LocalAccount };

export interface Traders {
  contributor: Trader;
  buyer: Trader;
}

/** The contributor signs terms, the buyer pays in. */
export async function open(
  traders: Traders,
  adapterId: Hex,
  signer: LocalAccount,
  terms: Parameters<typeof agreed>[3],
): Promise<Hex> {
  const { agreementId } = await openAgreement(traders.buyer, await agreed(traders, adapterId, signer, terms));
  return agreementId;
}

/** Terms that the contributor signed, and the buyer's part. */
export async function agreed(
  { contributor, buyer }: Traders,
  adapterId: Hex,
  signer: LocalAccount,
  { token, payout = contributor.account.address }: { token: Address; payout?: Address | undefined },
): Promise<AgreementToOpen> {
  const now = await chainTime(buyer);
  const offer: Offer = {
    adapterId,
    payout,
    token,
    pricePerToken: PRICE,
    openingFee: FEE,
    maxUnpaidTokens: 64n,
    tokenCap: 1000n,
    minDuration: 3600n,
    closeWindow: 3600n,
    maxOpens: 1n,
    nonce: BigInt(toHex(crypto.getRandomValues(new Uint8Array(16)))),
    expiry: now + DAY,
  };
  return {
    offer,
    signature: await contributor.account.signTypedData(typedData(domainOf(contributor), "Offer", offer)),
    signer: signer.address,
    amount: TOKENS_PAID_IN * PRICE,
    deadline: now + DAY,
    nonce: 0n,
  };
}

/**
 * Proves the state with the adapter's weights and settles in two calls.
 * @param by the contract that makes them, the operator; and whether it takes its credit out with the last one
 */
export async function settle(
  { contributor }: Traders,
  adapter: ServedAdapter,
  agreementId: Hex,
  signer: LocalAccount,
  state: SessionState,
  { through, withdrawing = false }: { through?: Address | undefined; withdrawing?: boolean | undefined },
): Promise<void> {
  const { V, claims } = await proveState(adapter, state);
  const receipt = {
    agreementId,
    passes: BigInt(state.passes),
    tokens: BigInt(state.tokens),
    head: toHex(state.head),
    statementsHash: statementsHash(V),
  };
  const signature = await signer.signTypedData(typedData(domainOf(contributor), "Receipt", receipt));
  if (through !== undefined && !(await isOperator(contributor, contributor.account.address, through)))
    await setOperator(contributor, through, true);
  const parts = [claims.slice(0, 1), claims.slice(1)].filter(({ length }) => length > 0);
  for (const part of parts) {
    const call = settleCall(
      contributor,
      { agreementId, receipt, signature, V: V.map(pointWords), claims },
      part,
    );
    const last = withdrawing && part === parts.at(-1) ? [withdrawalTo(contributor)] : [];
    const passedOn = through && { to: through, data: batched([call, ...last]) };
    await transact(contributor, passedOn ?? call);
  }
}

/** The caller's credit of ETH, sent to the contributor. */
const withdrawalTo = ({ account, deployment }: Trader): BatchedCall => ({
  to: deployment.escrow,
  data: encodeFunctionData({
    abi: loraEscrowAbi,
    functionName: "withdraw",
    args: [zeroAddress, account.address],
  }),
});

/** Passes of made-up activations, answered with the adapter's weights and kept. */
export function serve(
  { layout, weights }: ServedAdapter,
  agreementId: Hex,
  passes: readonly number[],
  transcript: string,
): SessionState {
  let state = initialState(layout, Buffer.from(agreementId.slice(2), "hex"));
  for (const [p, tokens] of passes.entries()) {
    const X = layout.modules.map(({ dIn }, m) =>
      Int16Array.from({ length: tokens * dIn }, (_, i) => ((i * 7919 + m * 104_729 + p * 1299) % 1801) - 900),
    );
    const Y = layout.modules.map(({ dIn, dOut, r }, m) =>
      answer(weights[m]!.Aq, weights[m]!.Bq, X[m]!, tokens, dIn, dOut, r),
    );
    const pass: Pass = { passSalt: crypto.getRandomValues(new Uint8Array(32)), tokens, X, Y };
    keepPass(transcript, p + 1, pass);
    state = addPass(layout, state, pass);
  }
  return state;
}
