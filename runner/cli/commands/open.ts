/** `deltapay open`: verify an adapter, accept an offer, pay in. */
import type { Command } from "commander";
import { type BuyerChain, buyerChain } from "../../buyer/chainView.ts";
import { checkLiveness, type Discovered, discover } from "../../buyer/discover.ts";
import { checkOffer } from "../../buyer/offer.ts";
import { completeOpening, type OpenOptions, openAgreement } from "../../buyer/open.ts";
import type { StoredAgreement } from "../../buyer/store.ts";
import { readOfferState } from "../../chain/agreements.ts";
import { type ChainContext, domainOf } from "../../chain/connect.ts";
import { readToken, type Token } from "../../chain/erc20.ts";
import { when } from "../../chain/errors.ts";
import { chainTime } from "../../chain/finality.ts";
import { adapterRecord } from "../../chain/history.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { offerHash } from "../../protocol/typedData.ts";
import type { SignedOffer } from "../../wire/messages.ts";
import { formatAmount, parseAmount } from "../amounts.ts";
import {
  type ChainFlags,
  gasOf,
  openSigningChain,
  type Signing,
  withChain,
  withSigner,
} from "../connection.ts";
import { type BuyerData, closing, type DataFlags, openBuyer, withData } from "../folders.ts";
import { duration, Output, type OutputFlags, withOutput } from "../output.ts";
import { hash, seconds } from "../parsers.ts";
import { type ModelFlags, verifiedAdapter, withModel } from "../remote.ts";

interface Flags extends ChainFlags, DataFlags, ModelFlags, OutputFlags {
  contributor: string;
  amount: string;
  adapter?: Hex;
  offer?: Hex;
  deadlineIn?: bigint;
}

/** The offer named, or the cheapest one that can still be taken. */
async function chooseOffer(
  ctx: ChainContext,
  offers: SignedOffer[],
  wanted: Hex | undefined,
): Promise<SignedOffer> {
  const available: SignedOffer[] = [];
  for (const signed of offers) {
    if (wanted !== undefined && offerHash(signed.offer) !== wanted) continue;
    const { opens, cancelled } = await readOfferState(ctx, signed.offer);
    if (!cancelled && opens < signed.offer.maxOpens) available.push(signed);
  }
  const [cheapest] = available.sort((a, b) => Number(a.offer.pricePerToken - b.offer.pricePerToken));
  if (cheapest === undefined)
    throw new DeltapayError("offer/none", "the contributor has no offer that can be taken", {
      field: "offer",
      hint: wanted === undefined ? "ask it for one" : "leave --offer out to take another",
    });
  return cheapest;
}

/** An opening of an earlier run that did not get to its end, on the same terms. */
function unfinished(
  { store }: BuyerData,
  ctx: Signing<ChainContext>,
  adapterId: Hex,
  flags: Flags,
  amount: bigint,
) {
  return store
    .agreements()
    .find(
      ({ phase, terms }) =>
        phase === "opening" &&
        terms.chainId === BigInt(ctx.chainId) &&
        terms.offer.adapterId === adapterId &&
        terms.buyer === ctx.account.address.toLowerCase() &&
        terms.amount === amount &&
        (flags.offer === undefined || offerHash(terms.offer) === flags.offer),
    );
}

async function openOn(
  out: Output,
  ctx: Signing<ChainContext>,
  data: BuyerData,
  found: Discovered,
  signed: SignedOffer,
  amount: bigint,
  flags: Flags,
): Promise<StoredAgreement> {
  const chain: BuyerChain = buyerChain(ctx);
  const onProgress = (step: string): void => out.note(step);
  const earlier = unfinished(data, ctx, found.adapterId, flags, amount);
  if (earlier !== undefined) {
    out.note(`going on with agreement ${earlier.terms.agreementId}`);
    return completeOpening(chain, data.store, earlier.terms.agreementId, { onProgress });
  }
  const now = await chainTime(ctx);
  const options: OpenOptions = {
    chain,
    store: data.store,
    vault: data.vault,
    domain: domainOf(ctx),
    registry: ctx.deployment.registry,
    buyer: ctx.account.address,
    contributor: found.entry.contributor,
    manifestHash: found.entry.manifestHash,
    record: found.record,
    offer: signed,
    amount,
    now,
    ...(flags.deadlineIn === undefined ? {} : { deadline: now + flags.deadlineIn }),
  };
  return openAgreement({ ...options, onProgress });
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  await closing(await openBuyer(flags), async (data) => {
    const domain = domainOf(ctx);
    const { readAdapter } = buyerChain(ctx);
    const found = await discover({
      url: flags.contributor,
      domain,
      registry: ctx.deployment.registry,
      readAdapter,
      ...(flags.adapter === undefined ? {} : { adapterId: flags.adapter }),
    });
    const livenessMs = await checkLiveness(found, domain);
    const record = await adapterRecord(ctx, found.adapterId);
    out.note(`contributor ${found.entry.contributor} answers; its adapter: ${recordLine(record)}`);

    const started = performance.now();
    const verified = await verifiedAdapter(ctx, data, found, flags, out);
    const manifestCheckMs = performance.now() - started;
    const signed = await chooseOffer(ctx, found.offers, flags.offer);
    const token = await readToken(ctx, signed.offer.token);
    const amount = parseAmount(flags.amount, token, "amount");
    const { adapterId, entry } = found;
    const { layout } = verified;
    const context = {
      domain,
      adapterId,
      contributor: entry.contributor,
      layout,
      amount,
      now: await chainTime(ctx),
    };
    for (const warning of (await checkOffer(signed, context)).warnings) out.warn(warning);

    const { terms, transactionHash } = await openOn(out, ctx, data, found, signed, amount, flags);
    const result = {
      agreementId: terms.agreementId,
      adapterId,
      contributor: terms.contributor,
      signer: terms.signer,
      offer: terms.offer,
      offerHash: offerHash(terms.offer),
      amount: terms.amount,
      openingFee: terms.offer.openingFee,
      deadline: terms.deadline,
      txHash: transactionHash,
      gasUsed: transactionHash === null ? null : await gasOf(ctx, transactionHash),
      vkHash: verified.manifest.vkHash,
      modules: verified.manifest.modules.map(({ name, shape, group }) => ({ name, shape, group })),
      record,
      timings: { livenessMs, manifestCheckMs },
      warnings: out.warnings,
    };
    out.result(result, () => lines(result, token));
  });
}

function recordLine({
  opened,
  settled,
  refunded,
  released,
}: Awaited<ReturnType<typeof adapterRecord>>): string {
  return `${opened} agreements opened, ${settled} settled, ${refunded} refunded, ${released} released`;
}

function lines(
  result: {
    agreementId: Hex;
    amount: bigint;
    openingFee: bigint;
    offer: SignedOffer["offer"];
    deadline: bigint;
    modules: unknown[];
    timings: { manifestCheckMs: number };
  },
  token: Token,
): string[] {
  const { offer, modules, timings } = result;
  const amount = (value: bigint): string => formatAmount(value, token);
  const tokens = offer.pricePerToken === 0n ? offer.tokenCap : result.amount / offer.pricePerToken;
  return [
    `verified ${modules.length} modules in ${duration(timings.manifestCheckMs)}`,
    `paid in ${amount(result.amount)} (up to ${tokens < offer.tokenCap ? tokens : offer.tokenCap} tokens), fee ${amount(result.openingFee)}`,
    `runs until ${when(result.deadline)}`,
    `agreement ${result.agreementId}`,
  ];
}

export function registerOpen(program: Command): void {
  const command = program
    .command("open")
    .description("verify an adapter, accept an offer and pay in")
    .requiredOption("--contributor <url>", "where the adapter is served")
    .requiredOption(
      "--amount <amount>",
      "to pay in besides the fee, like 0.001eth; what is not used comes back",
    );
  withOutput(withData(withSigner(withChain(withModel(command))), "buyer"))
    .option("--adapter <id>", "which adapter, when several are served", hash)
    .option("--offer <hash>", "which offer (default: the cheapest that can be taken)", hash)
    .option("--deadline-in <time>", "time to the deadline (default: the offer's least and an hour)", seconds)
    .action(run);
}
