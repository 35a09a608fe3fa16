/** `deltapay offer`: the contributor's signed terms. */
import type { Command } from "commander";
import { checkOffer } from "../../buyer/opening/offer.ts";
import { readOfferState } from "../../chain/agreements.ts";
import { type ChainContext, domainOf } from "../../chain/connect.ts";
import { ETH, readToken, type Token } from "../../chain/erc20.ts";
import { when } from "../../chain/errors.ts";
import { cancelOffer } from "../../chain/escrow.ts";
import { readManifest } from "../../contributor/adapters.ts";
import type { ContributorData } from "../../contributor/dataFolder.ts";
import {
  findOffer,
  listOffers,
  makeOffer,
  markOfferCancelled,
  type StoredOffer,
} from "../../contributor/offers.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { manifestLayout } from "../../protocol/manifest.ts";
import type { Address, Offer } from "../../protocol/typedData.ts";
import { chooseAdapter } from "../adapters.ts";
import { formatAmount, parseAmount } from "../amounts.ts";
import { type ChainFlags, openChain, openSigningChain, withChain, withSigner } from "../connection.ts";
import { closing, type DataFlags, openContributor, withData } from "../folders.ts";
import { leakageLines, leakageReports } from "../leakage.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { address, amountText, hash, timeOption, wholeNumber } from "../parsers.ts";

interface CommonFlags extends ChainFlags, DataFlags, OutputFlags {
  adapter?: string;
}

interface MakeFlags extends CommonFlags {
  price: string;
  fee?: string;
  maxUnpaid: number;
  cap: number;
  minDuration: bigint;
  closeWindow: bigint;
  maxOpens: number;
  expiresIn: bigint;
  payout?: Address;
  token?: Address;
}

async function tokenOf(ctx: ChainContext, token: Address | undefined): Promise<Token> {
  return token === undefined ? ETH : readToken(ctx, token);
}

async function make(flags: MakeFlags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  const token = await tokenOf(ctx, flags.token);
  const pricePerToken = parseAmount(flags.price, token, "price");
  const maxUnpaidTokens = BigInt(flags.maxUnpaid);
  const fee =
    flags.fee === undefined ? maxUnpaidTokens * pricePerToken : parseAmount(flags.fee, token, "fee");
  await closing(await openContributor(flags), async (data) => {
    const { adapterId } = await chooseAdapter(data, ctx, flags.adapter);
    const made = await makeOffer(data, domainOf(ctx), ctx.account, {
      adapterId,
      token: token.address,
      pricePerToken,
      openingFee: fee,
      maxUnpaidTokens,
      tokenCap: BigInt(flags.cap),
      minDuration: flags.minDuration,
      closeWindow: flags.closeWindow,
      maxOpens: BigInt(flags.maxOpens),
      expiry: BigInt(Math.floor(Date.now() / 1000)) + flags.expiresIn,
      ...(flags.payout === undefined ? {} : { payout: flags.payout }),
    });
    await warnContributor(out, ctx, data, made);
    const [leakage] = leakageReports(data, (record) => record.adapterId === adapterId);
    out.result({ ...made, leakage, warnings: out.warnings }, () => [
      ...describe(made, token),
      "what its answers give away:",
      ...leakageLines(leakage!).map((line) => `  ${line}`),
    ]);
  });
}

/** Terms the contributor may come to regret, before anybody takes them. */
async function warnContributor(
  out: Output,
  ctx: ChainContext,
  data: ContributorData,
  made: StoredOffer,
): Promise<void> {
  const { adapterId } = made.offer;
  const { contributorWarnings } = await checkOffer(made, {
    domain: domainOf(ctx),
    adapterId,
    contributor: readManifest(data, adapterId).contributor,
    layout: manifestLayout(readManifest(data, adapterId)),
  });
  for (const warning of contributorWarnings) out.warn(warning);
}

function describe({ offer, offerHash }: { offer: Offer; offerHash: Hex }, token: Token): string[] {
  const amount = (value: bigint): string => formatAmount(value, token);
  return [
    `offer ${offerHash}`,
    `  adapter ${offer.adapterId}`,
    `  ${amount(offer.pricePerToken)} a token, ${amount(offer.openingFee)} to open, paid to ${offer.payout}`,
    `  at most ${offer.maxUnpaidTokens} tokens ahead of a receipt, ${offer.tokenCap} in all`,
    `  runs for at least ${offer.minDuration} s, ${offer.closeWindow} s to settle after close`,
    `  can be taken ${offer.maxOpens === 1n ? "once" : `${offer.maxOpens} times`} until ${when(offer.expiry)}`,
  ];
}

async function cancel(offerHash: Hex, flags: CommonFlags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  await closing(await openContributor(flags), async (data) => {
    const found = findOffer(data, offerHash);
    if (found === undefined)
      throw new DeltapayError("offer/unknown", `offer ${offerHash} was not made in this folder`, {
        field: "offerHash",
        hint: "deltapay offer show lists them",
      });
    // A run that was killed may have cancelled it on chain and not yet here.
    const { cancelled } = await readOfferState(ctx, found.offer);
    const { txHash, gasUsed } = cancelled
      ? { txHash: null, gasUsed: null }
      : await cancelOffer(ctx, found.offer);
    markOfferCancelled(data, offerHash);
    out.result({ offerHash, cancelled: true, txHash, gasUsed }, () => [
      `offer ${offerHash} is cancelled for good`,
    ]);
  });
}

async function show(flags: CommonFlags): Promise<void> {
  const ctx = await openChain(flags);
  await closing(await openContributor(flags), async (data) => {
    const adapterId =
      flags.adapter === undefined ? undefined : (await chooseAdapter(data, ctx, flags.adapter)).adapterId;
    const shown: (StoredOffer & { opens: bigint; token: Token })[] = [];
    for (const stored of listOffers(data, adapterId)) {
      const { opens, cancelled } = await readOfferState(ctx, stored.offer);
      shown.push({
        ...stored,
        cancelled: cancelled || stored.cancelled,
        opens,
        token: await readToken(ctx, stored.offer.token),
      });
    }
    new Output(flags).result(shown, () =>
      shown.length === 0
        ? ["no offers: make one with deltapay offer make"]
        : shown.flatMap((stored) => [
            ...describe(stored, stored.token),
            `  taken ${stored.opens} times${stored.cancelled ? ", cancelled" : ""}`,
          ]),
    );
  });
}

export function registerOffer(program: Command): void {
  const offer = program.command("offer").description("the terms an adapter is offered under");
  const common = (command: Command): Command =>
    withOutput(withData(withSigner(withChain(command)), "contributor"));
  common(offer.command("make").description("sign an offer; the service shows it at once"))
    .requiredOption("--price <amount>", "for each token, like 100gwei", amountText)
    .option("--adapter <id|dir>", "which adapter (default: the only one)")
    .option("--fee <amount>", "kept at opening, whatever follows (default: price x max-unpaid)", amountText)
    .option("--max-unpaid <tokens>", "served ahead of a receipt", wholeNumber(1), 256)
    .option("--cap <tokens>", "served in one agreement", wholeNumber(1), 4096)
    .addOption(timeOption("--min-duration <time>", "least time to the deadline", "1h"))
    .addOption(timeOption("--close-window <time>", "time to prove and settle after the buyer closes", "1h"))
    .option("--max-opens <n>", "how often the offer can be taken", wholeNumber(1), 1)
    .addOption(timeOption("--expires-in <time>", "how long it can be taken", "30d"))
    .option("--payout <address>", "whom it pays (default: the account)", address)
    .option("--token <address>", "ERC-20 to be paid in (default: ETH)", address)
    .action(make);
  common(
    offer
      .command("cancel")
      .description("end an offer for good; agreements go on")
      .argument("<hash>", "offer", hash),
  ).action(cancel);
  common(offer.command("show").description("offers made, how often taken"))
    .option("--adapter <id|dir>", "of one adapter only")
    .action(show);
}
