/** The last step of a verified bundle: what sending takes, and the button. */
import type { Agreement } from "../../../runner/chain/agreements.ts";
import { ETH } from "../../../runner/chain/erc20.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { failureOf } from "../failure.ts";
import { Amount } from "../layout/Amount.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Notice } from "../layout/Panel.tsx";
import { roundUp } from "../layout/roundUp.ts";
import type { Action } from "../transactions/useAction.ts";
import { usePlan } from "./useSettlement.ts";
import { isLoss, worthOf } from "./worth.ts";

/** @param plans false while something is under way: what is left is not known then */
export function SubmitStep({
  bundle,
  agreement,
  action,
  plans,
}: {
  bundle: ProofBundle;
  agreement: Agreement;
  action: Action;
  plans: boolean;
}) {
  const plan = usePlan(bundle, plans);
  const { data, error } = plan;
  const worth = worthOf(bundle.receipt, agreement);
  const loses = data?.next != null && isLoss(worth, agreement, data.wei);
  const blocked = plans && error !== null && failureOf(error).code !== "chain/unreachable";
  return (
    <div className="stack">
      {data?.next != null && plans && (
        <p className="fine">
          {data.left.length} {data.left.length === 1 ? "proof" : "proofs"} in {data.transactions}{" "}
          {data.transactions === 1 ? "transaction" : "transactions"}, about {data.gas.toLocaleString()} gas:
          at most <Amount value={roundUp(data.wei)} token={ETH.address} /> at today's fees.
        </p>
      )}
      {loses && plans && (
        <Notice kind="warn" title="Sending may cost more than it brings">
          <p>
            The receipt brings <Amount value={worth.more} token={agreement.token} whole={data.wei} />, its
            proofs cost up to <Amount value={roundUp(data.wei)} token={ETH.address} />. While the session goes
            on, a later receipt covers these tokens too.
          </p>
        </Notice>
      )}
      {error !== null && plans && (
        <Failure title="It cannot be settled now" error={error} onRetry={() => void plan.refetch()} />
      )}
      <div className="row">
        <button
          type="button"
          className="primary"
          disabled={action.busy || action.problem !== undefined || blocked}
          onClick={action.run}
        >
          {action.busy ? "Submitting…" : "Submit proofs"}
        </button>
        {action.problem !== undefined && <span className="fine">First: {action.problem.hint}.</span>}
      </div>
    </div>
  );
}
