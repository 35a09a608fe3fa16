/** `deltapay open`: verify an adapter, accept an offer, pay in. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { parsePeftConfig } from "../../adapter/peftConfig.ts";
import { buyerChain } from "../../buyer/chainView.ts";
import { checkLiveness, type Discovered, discover } from "../../buyer/client/discover.ts";
import { parseServiceUrl, sameOrigin } from "../../buyer/client/pinnedConnection.ts";
import { type AdapterUse, verifyServedAdapter } from "../../buyer/loadAdapter.ts";
import { chooseOffer, type OfferWish } from "../../buyer/opening/chooseOffer.ts";
import { checkFee, checkOffer, type OfferContext } from "../../buyer/opening/offer.ts";
import {
  completeOpening,
  type OpenOptions,
  openAgreement,
  prepareAgreement,
} from "../../buyer/opening/open.ts";
import { reviewOpening, unfinishedOpenings } from "../../buyer/opening/unfinishedOpening.ts";
import type { BuyerData } from "../../buyer/store/dataFolder.ts";
import type { AgreementTerms, StoredAgreement } from "../../buyer/store/storedRows.ts";
import { readOfferState } from "../../chain/agreements.ts";
import { type ChainContext, domainOf } from "../../chain/connect.ts";
import { readToken, type Token } from "../../chain/erc20.ts";
import { when } from "../../chain/errors.ts";
import { chainTime } from "../../chain/finality.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { type Address, offerHash } from "../../protocol/typedData.ts";
import { DEFAULT_APP_PORT } from "../../wire/admin.ts";
import type { SignedOffer } from "../../wire/messages.ts";
import { tellRecord } from "../adapterRecord.ts";
import { formatAmount, parseAmount } from "../amounts.ts";
import { type ChainFlags, gasOf, openChain, openSigningChain, withChain, withSigner } from "../connection.ts";
import { badValue } from "../failure.ts";
import { closing, type DataFlags, makeBuyer, withData } from "../folders.ts";
import { duration, Output, type OutputFlags, withOutput } from "../output.ts";
import { address, amountText, hash, httpUrl, seconds, tokenOption } from "../parsers.ts";
import { adapterUse, type ModelFlags, withModel } from "../remote.ts";
import { openingLink, preparedOpening } from "../walletOpening.ts";

interface Flags extends ChainFlags, DataFlags, ModelFlags, OutputFlags {
  contributor: string;
  amount: string;
  adapterConfig?: string;
  adapter?: Hex;
  offer?: Hex;
  token: Address;
  maxFee?: string;
  maxLock?: bigint;
  deadlineIn?: bigint;
  /** Account whose wallet pays in the browser; nothing is sent from here. */
  buyer?: Address;
  page: string;
}

/** Who pays: an account that signs here, or one whose wallet does in the browser. */
interface Payer {
  ctx: ChainContext;
  buyer: Address;
  byWallet: boolean;
}

async function findPayer(flags: Flags): Promise<Payer> {
  if (flags.buyer !== undefined) return { ctx: await openChain(flags), buyer: flags.buyer, byWallet: true };
  const ctx = await openSigningChain(flags);
  return { ctx, buyer: ctx.account.address, byWallet: false };
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

/** Whether an opening of an earlier run is what this command asks for. */
function isAsked({ offer, amount, record }: AgreementTerms, wish: OfferWish, flags: Flags): boolean {
  return (
    sameOrigin(parseServiceUrl(flags.contributor), parseServiceUrl(record.url)) &&
    amount === wish.amount &&
    BigInt(offer.token) === BigInt(wish.token) &&
    (flags.adapter === undefined || offer.adapterId === flags.adapter) &&
    (flags.offer === undefined || offerHash(offer) === flags.offer)
  );
}

/** Goes on with what an earlier run of the same command left unfinished; the money may have moved already. */
async function resume(
  out: Output,
  payer: Payer,
  { store }: BuyerData,
  wish: OfferWish,
  flags: Flags,
): Promise<StoredAgreement | undefined> {
  const chain = buyerChain(payer.ctx);
  for (const { terms } of unfinishedOpenings(store).filter(({ terms }) => isOfBuyer(payer, terms))) {
    const state = await reviewOpening(chain, store, terms.agreementId);
    if (state === "impossible" || state === "abandoned")
      out.note(`the opening of ${terms.agreementId} is ${state}: its offer can no longer be taken`);
    else if (isAsked(terms, wish, flags)) {
      if (state === "unsent") checkFee(terms.offer, terms.amount, wish.maxFee);
      out.note(`going on with agreement ${terms.agreementId}`);
      if (state === "unsent" && payer.byWallet) return store.agreement(terms.agreementId);
      return completeOpening(chain, store, terms.agreementId, { onProgress: (step) => out.note(step) });
    }
  }
  return undefined;
}

function isOfBuyer({ ctx: { chainId, deployment }, buyer }: Payer, terms: AgreementTerms): boolean {
  return (
    terms.chainId === BigInt(chainId) &&
    terms.escrow === deployment.escrow.toLowerCase() &&
    terms.buyer === buyer.toLowerCase()
  );
}

async function openOn(
  out: Output,
  { ctx, buyer, byWallet }: Payer,
  data: BuyerData,
  found: Discovered,
  signed: SignedOffer,
  { amount, maxFee }: OfferWish,
  flags: Flags,
): Promise<StoredAgreement> {
  const chain = buyerChain(ctx);
  const now = await chainTime(ctx);
  const options: OpenOptions = {
    chain,
    store: data.store,
    vault: data.vault,
    domain: domainOf(ctx),
    registry: ctx.deployment.registry,
    buyer,
    contributor: found.entry.contributor,
    manifestHash: found.entry.manifestHash,
    record: found.record,
    offer: signed,
    amount,
    ...(maxFee === undefined ? {} : { maxFee }),
    ...(flags.maxLock === undefined ? {} : { maxLock: flags.maxLock }),
    now,
    ...(flags.deadlineIn === undefined ? {} : { deadline: now + flags.deadlineIn }),
  };
  if (byWallet) return data.store.agreement(prepareAgreement(options));
  return openAgreement({ ...options, onProgress: (step) => out.note(step) });
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const payer = await findPayer(flags);
  const { ctx } = payer;
  const { wish, token } = await readWish(ctx, flags);
  await closing(await makeBuyer(flags), async (data) => {
    const earlier = await resume(out, payer, data, wish, flags);
    const { agreement, ...checks } =
      earlier === undefined ? await openNew(out, payer, data, wish, flags) : { agreement: earlier };
    const { terms, transactionHash } = agreement;
    const opening = agreement.phase === "opening" ? preparedOpening(terms) : null;
    const result = {
      agreementId: terms.agreementId,
      resumed: earlier !== undefined,
      adapterId: terms.offer.adapterId,
      contributor: terms.contributor,
      signer: terms.signer,
      offer: terms.offer,
      offerHash: offerHash(terms.offer),
      amount: terms.amount,
      openingFee: terms.offer.openingFee,
      deadline: terms.deadline,
      txHash: transactionHash,
      gasUsed: transactionHash === null ? null : await gasOf(ctx, transactionHash),
      ...checks,
      /** To be sent by the buyer's wallet; null once it is open. */
      opening,
      link: opening === null ? null : openingLink(flags.page, opening),
      warnings: out.warnings,
    };
    out.result(result, () => lines(result, token));
  });
}

/** Finds the contributor, verifies its adapter, and opens. */
async function openNew(out: Output, payer: Payer, data: BuyerData, wish: OfferWish, flags: Flags) {
  const { ctx } = payer;
  const domain = domainOf(ctx);
  const found = await discover({
    url: flags.contributor,
    domain,
    registry: ctx.deployment.registry,
    readAdapter: buyerChain(ctx).readAdapter,
    ...(flags.adapter === undefined ? {} : { adapterId: flags.adapter }),
  });
  const livenessMs = await checkLiveness(found, domain);
  out.note(`contributor ${found.entry.contributor} answers`);
  const record = await tellRecord(out, ctx, found.adapterId);

  const now = await chainTime(ctx);
  const signed = chooseOffer(await availableOffers(ctx, found.offers, now), wish);
  const started = performance.now();
  const use = { ...adapterUse(flags, out), ...(await expectedModules(flags)) };
  const { layout, manifest } = await verifyServedAdapter(ctx, data, found, use);
  const manifestCheckMs = performance.now() - started;
  const { adapterId, entry } = found;
  const context: OfferContext = { domain, adapterId, contributor: entry.contributor, layout, ...wish, now };
  for (const warning of (await checkOffer(signed, context)).warnings) out.warn(warning);
  return {
    agreement: await openOn(out, payer, data, found, signed, wish, flags),
    vkHash: manifest.vkHash,
    modules: manifest.modules.map(({ name, shape, group }) => ({ name, shape, group })),
    record,
    timings: { livenessMs, manifestCheckMs },
  };
}

/** What --adapter-config says the adapter should have. */
async function expectedModules({ adapterConfig }: Flags): Promise<Pick<AdapterUse, "expected">> {
  if (adapterConfig === undefined) return {};
  const text = await readFile(adapterConfig, "utf8").catch((cause: Error) => {
    throw badValue(
      "adapter-config",
      `it cannot be read: ${cause.message}`,
      "give the adapter's adapter_config.json",
    );
  });
  const { targetModules, layersToTransform } = parsePeftConfig(text);
  if (targetModules === null)
    throw badValue(
      "adapter-config",
      "its target_modules is no list of names",
      "leave the option out: there is nothing to compare",
    );
  return { expected: { targetModules, layersToTransform } };
}

function lines(
  result: {
    agreementId: Hex;
    amount: bigint;
    openingFee: bigint;
    offer: SignedOffer["offer"];
    deadline: bigint;
    modules?: unknown[];
    timings?: { manifestCheckMs: number };
    link: string | null;
  },
  token: Token,
): string[] {
  const { offer, modules, timings } = result;
  const amount = (value: bigint): string => formatAmount(value, token);
  const tokens = offer.pricePerToken === 0n ? offer.tokenCap : result.amount / offer.pricePerToken;
  return [
    ...(modules === undefined || timings === undefined
      ? []
      : [`verified ${modules.length} modules in ${duration(timings.manifestCheckMs)}`]),
    `${result.link === null ? "paid in" : "to pay in"} ${amount(result.amount)} (up to ${tokens < offer.tokenCap ? tokens : offer.tokenCap} tokens), fee ${amount(result.openingFee)}`,
    `runs until ${when(result.deadline)}`,
    `agreement ${result.agreementId}`,
    ...(result.link === null
      ? []
      : ["pay with the buyer's wallet at the page below; then this client goes on by itself", result.link]),
  ];
}

export function registerOpen(program: Command): void {
  const command = program
    .command("open")
    .description(
      "verify an adapter, accept an offer and pay in; the same command goes on where an earlier run broke off",
    )
    .requiredOption("--contributor <url>", "where the adapter is served")
    .requiredOption(
      "--amount <amount>",
      "to pay in besides the fee, like 0.001eth; what is not used comes back",
      amountText,
    );
  withOutput(withData(withSigner(withChain(withModel(command))), "buyer"))
    .option("--adapter <id>", "which adapter, when several are served", hash)
    .option("--offer <hash>", "which offer (default: the one whose tokens cost least, fee included)", hash)
    .option(
      "--adapter-config <file>",
      "the adapter's published adapter_config.json: refuse an adapter that lacks a layer it targets, or has another",
    )
    .addOption(tokenOption("--token <address>", "pay with this ERC-20"))
    .option(
      "--max-fee <amount>",
      "largest opening fee to pay (default: the smaller of --amount and the offer's maxUnpaidTokens x price)",
      amountText,
    )
    .option(
      "--max-lock <time>",
      "longest time the money may stay locked after close, until what is left comes back (default: 4w)",
      seconds,
    )
    .option(
      "--buyer <address>",
      "account whose wallet pays in the browser: prepares the opening and names the page, sends nothing",
      address,
    )
    .option("--page <url>", "where that page is served", httpUrl, `http://127.0.0.1:${DEFAULT_APP_PORT}/`)
    .option("--deadline-in <time>", "time to the deadline (default: the offer's least and an hour)", seconds)
    .action(run);
}
