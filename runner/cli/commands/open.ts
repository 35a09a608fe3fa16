/** `deltapay open`: verify an adapter, accept an offer, pay in. */
import type { Command } from "commander";
import { zeroAddress } from "viem";
import { type BuyerChain, buyerChain } from "../../buyer/chainView.ts";
import { chooseOffer, type OfferWish } from "../../buyer/chooseOffer.ts";
import { checkLiveness, type Discovered, discover } from "../../buyer/discover.ts";
import { checkOffer, type OfferContext } from "../../buyer/offer.ts";
import { completeOpening, type OpenOptions, openAgreement } from "../../buyer/open.ts";
import type { StoredAgreement } from "../../buyer/store.ts";
import { readOfferState } from "../../chain/agreements.ts";
import { type ChainContext, domainOf } from "../../chain/connect.ts";
import { readToken, type Token } from "../../chain/erc20.ts";
import { when } from "../../chain/errors.ts";
import { chainTime } from "../../chain/finality.ts";
import { adapterRecord } from "../../chain/history.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { type Address, offerHash } from "../../protocol/typedData.ts";
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
import { address, hash, seconds } from "../parsers.ts";
import { type ModelFlags, verifiedAdapter, withModel } from "../remote.ts";

interface Flags extends ChainFlags, DataFlags, ModelFlags, OutputFlags {
  contributor: string;
  amount: string;
  adapter?: Hex;
  offer?: Hex;
  token: Address;
  maxFee?: string;
  deadlineIn?: bigint;
}

/** Offers that can be taken now. */
async function availableOffers(
  ctx: ChainContext,
  offers: SignedOffer[],
  now: bigint,
): Promise<SignedOffer[]> {
  const available: SignedOffer[] = [];
  for (const signed of offers) {
    const { opens, cancelled } = await readOfferState(ctx, signed.offer);
    if (!cancelled && opens < signed.offer.maxOpens && signed.offer.expiry >= now) available.push(signed);
  }
  return available;
}

/** What the flags ask for, amounts in the smallest unit of their token. */
async function readWish(ctx: ChainContext, flags: Flags): Promise<{ wish: OfferWish; token: Token }> {
  const token = await readToken(ctx, flags.token);
  const wish: OfferWish = { token: flags.token, amount: parseAmount(flags.amount, token, "amount") };
  if (flags.maxFee !== undefined) wish.maxFee = parseAmount(flags.maxFee, token, "max-fee");
  if (flags.offer !== undefined) wish.offerHash = flags.offer;
  return { wish, token };
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
  { amount, maxFee }: OfferWish,
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
    ...(maxFee === undefined ? {} : { maxFee }),
    now,
    ...(flags.deadlineIn === undefined ? {} : { deadline: now + flags.deadlineIn }),
  };
  return openAgreement({ ...options, onProgress });
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  const { wish, token } = await readWish(ctx, flags);
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

    const now = await chainTime(ctx);
    const signed = chooseOffer(await availableOffers(ctx, found.offers, now), wish);
    const started = performance.now();
    const verified = await verifiedAdapter(ctx, data, found, flags, out);
    const manifestCheckMs = performance.now() - started;
    const { adapterId, entry } = found;
    const { layout } = verified;
    const { contributor } = entry;
    const context: OfferContext = { domain, adapterId, contributor, layout, ...wish, now };
    for (const warning of (await checkOffer(signed, context)).warnings) out.warn(warning);

    const { terms, transactionHash } = await openOn(out, ctx, data, found, signed, wish, flags);
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
    .option("--offer <hash>", "which offer (default: the one whose tokens cost least, fee included)", hash)
    .option("--token <address>", "pay with this ERC-20, not with ETH", address, zeroAddress)
    .option(
      "--max-fee <amount>",
      "largest opening fee to pay (default: the smaller of --amount and the offer's maxUnpaidTokens x price)",
    )
    .option("--deadline-in <time>", "time to the deadline (default: the offer's least and an hour)", seconds)
    .action(run);
}
