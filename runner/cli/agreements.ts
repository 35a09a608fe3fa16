/** Which agreements a command is about: brought to where their openings and contributors are by now. */
import { buyerChain } from "../buyer/chainView.ts";
import { parseServiceUrl, sameOrigin } from "../buyer/client/pinnedConnection.ts";
import { refreshRecord } from "../buyer/client/refreshRecord.ts";
import { stillOpen } from "../buyer/follow.ts";
import { completeOpening } from "../buyer/opening/open.ts";
import { reviewOpening, unfinishedOpenings } from "../buyer/opening/unfinishedOpening.ts";
import type { BuyerData } from "../buyer/store/dataFolder.ts";
import type { BuyerStore } from "../buyer/store/store.ts";
import type { AgreementTerms, StoredAgreement } from "../buyer/store/storedRows.ts";
import { type ChainContext, domainOf } from "../chain/connect.ts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { badValue } from "./failure.ts";
import type { Output } from "./output.ts";

export interface AgreementFlags {
  agreement?: Hex[];
  contributor?: string[];
}

const sameUrl = (a: string, b: string): boolean => sameOrigin(parseServiceUrl(a), parseServiceUrl(b));

/** Waits for openings that an earlier run left, where they are among those meant; nothing is sent here. */
export async function finishOpenings(
  ctx: ChainContext,
  { store }: BuyerData,
  { agreement, contributor }: AgreementFlags,
  out: Output,
): Promise<void> {
  const isMeant = ({ agreementId, record }: AgreementTerms): boolean =>
    (agreement === undefined && contributor === undefined) ||
    agreement?.includes(agreementId) === true ||
    contributor?.some((url) => sameUrl(url, record.url)) === true;
  const chain = buyerChain(ctx);
  for (const { terms } of unfinishedOpenings(store)) {
    if (!isOnChain(ctx, terms) || !isMeant(terms)) continue;
    const state = await reviewOpening(chain, store, terms.agreementId);
    if (state === "mined") {
      out.note(
        `agreement ${terms.agreementId} was opened by a run that broke off: waiting until it is final`,
      );
      await completeOpening(chain, store, terms.agreementId);
    } else if (state === "unsent")
      out.note(`agreement ${terms.agreementId} was never sent: run the same 'deltapay open' again`);
    else out.note(`the opening of ${terms.agreementId} is ${state}: its offer can no longer be taken`);
  }
}

/** Whether an agreement is of this chain's contracts. */
function isOnChain({ chainId, deployment }: ChainContext, { chainId: own, escrow }: AgreementTerms): boolean {
  return own === BigInt(chainId) && escrow === deployment.escrow.toLowerCase();
}

/** @throws DeltapayError `agreement/not-open` */
function requireOpened(agreement: StoredAgreement): StoredAgreement {
  const { phase, terms } = agreement;
  if (phase !== "opening" && phase !== "abandoned") return agreement;
  throw new DeltapayError("agreement/not-open", `agreement ${terms.agreementId} is not open: ${phase}`, {
    field: "agreement",
    hint:
      phase === "opening"
        ? "run the same 'deltapay open' again"
        : "open one: deltapay open --contributor URL",
  });
}

/**
 * Open agreements over adapters served at `url`, the newest last. Where their contributor has renewed its certificate or
 * moved, the record it signed for that is stored.
 * @throws DeltapayError `agreement/none`, `service/...`, `signature/...`, `http/...`
 */
export async function followContributor(
  ctx: ChainContext,
  { store }: BuyerData,
  url: string,
  out: Output,
): Promise<Hex[]> {
  const where = {
    url,
    domain: domainOf(ctx),
    registry: ctx.deployment.registry,
    readAdapter: buyerChain(ctx).readAdapter,
  };
  const served: Hex[] = [];
  for (const { terms } of await openAgreements(ctx, store)) {
    const { agreementId, record } = terms;
    try {
      await refreshRecord(store, agreementId, where);
    } catch (error) {
      if (error instanceof DeltapayError && error.code === "service/unknown-adapter") continue;
      throw error;
    }
    const now = store.agreement(agreementId).terms.record;
    if (now.url !== record.url || now.tlsCertificate !== record.tlsCertificate)
      out.note(`agreement ${agreementId}: its contributor now serves at ${now.url} and signed for that`);
    served.push(agreementId);
  }
  if (served.length === 0)
    throw new DeltapayError("agreement/none", `no agreement with ${url} is open`, {
      field: "contributor",
      hint: "open one: deltapay open --contributor URL",
    });
  return served;
}

function openAgreements(ctx: ChainContext, store: BuyerStore): Promise<StoredAgreement[]> {
  const here = store.agreements().filter(({ phase, terms }) => phase === "open" && isOnChain(ctx, terms));
  return stillOpen(buyerChain(ctx), store, here);
}

/**
 * The agreements named, or the only one that is open.
 * @throws DeltapayError `agreement/unknown`, `agreement/not-open`, `agreement/none`, `usage/bad-value`, `chain/...`, as `followContributor`
 */
export async function chosenAgreements(
  ctx: ChainContext,
  data: BuyerData,
  flags: AgreementFlags,
  out: Output,
): Promise<StoredAgreement[]> {
  const { store } = data;
  const chosen = new Set(flags.agreement);
  for (const url of flags.contributor ?? []) {
    const served = await followContributor(ctx, data, url, out);
    if (!served.some((id) => chosen.has(id))) chosen.add(served.at(-1)!);
  }
  if (chosen.size > 0) return [...chosen].map((id) => requireOpened(store.agreement(id)));
  const open = await openAgreements(ctx, store);
  if (open.length === 0)
    throw new DeltapayError("agreement/none", "no agreement is open", {
      field: "agreement",
      hint: "open one: deltapay open --contributor URL",
    });
  if (open.length > 1)
    throw badValue(
      "agreement",
      `${open.length} agreements are open`,
      "name those to use: --agreement ID (deltapay status)",
    );
  return open;
}
