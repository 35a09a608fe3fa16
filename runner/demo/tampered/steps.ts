/** The steps of a sale: paying in, answering, proving and settling. */
import { concat, type LocalAccount, pad } from "viem";
import { settleCall } from "../../chain/claims.ts";
import { type ChainContext, domainOf } from "../../chain/connect.ts";
import { openAgreement, setOperator } from "../../chain/escrow.ts";
import { chainTime } from "../../chain/finality.ts";
import { transact } from "../../chain/transact.ts";
import type { ServedAdapter } from "../../contributor/adapters.ts";
import { type Hex, pointWords, toHex } from "../../protocol/bytes.ts";
import { addPass, initialState, type Pass, type SessionState } from "../../protocol/fold.ts";
import { answer } from "../../protocol/quantise.ts";
import { type Address, type Offer, statementsHash, typedData } from "../../protocol/typedData.ts";
import { keepPass } from "../../storage/transcript.ts";
import { proveState } from "../attacks/settling.ts";

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
  { contributor, buyer }: Traders,
  adapterId: Hex,
  signer: LocalAccount,
  token: Address,
): Promise<Hex> {
  const now = await chainTime(buyer);
  const offer: Offer = {
    adapterId,
    payout: contributor.account.address,
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
  const { agreementId } = await openAgreement(buyer, {
    offer,
    signature: await contributor.account.signTypedData(typedData(domainOf(contributor), "Offer", offer)),
    signer: signer.address,
    amount: TOKENS_PAID_IN * PRICE,
    deadline: now + DAY,
    nonce: 0n,
  });
  return agreementId;
}

/** Proves the state with the adapter's weights and settles in two calls. @param through passes the calls on */
export async function settle(
  { contributor }: Traders,
  adapter: ServedAdapter,
  agreementId: Hex,
  signer: LocalAccount,
  state: SessionState,
  through: Address | undefined,
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
  if (through !== undefined) await setOperator(contributor, through, true);
  for (const part of [claims.slice(0, 1), claims.slice(1)]) {
    if (part.length === 0) continue;
    const call = settleCall(
      contributor,
      { agreementId, receipt, signature, V: V.map(pointWords), claims },
      part,
    );
    const passedOn = through && { to: through, data: concat([pad(call.to), call.data]) };
    await transact(contributor, passedOn ?? call);
  }
}

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
