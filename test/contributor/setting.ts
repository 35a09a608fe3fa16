/** A contributor with a small random adapter, registered and served over HTTP on loopback. */
import { randomBytes } from "node:crypto";
import * as path from "node:path";
import type { LocalAccount } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { PeftAdapter } from "../../runner/adapter/peft.ts";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import type { AgreementView } from "../../runner/contributor/chainView.ts";
import { type ContributorData, openContributorData } from "../../runner/contributor/dataFolder.ts";
import type { ContributorEvent } from "../../runner/contributor/events.ts";
import { makeOffer, type OfferTerms, type StoredOffer } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { type ContributorService, type ServeOptions, serve } from "../../runner/contributor/service.ts";
import { loadCommitKey } from "../../runner/keys/load.ts";
import { type Hex, toHex } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints, type KeyPoints } from "../../runner/protocol/commitment.ts";
import { checkManifest } from "../../runner/protocol/commitmentsFile.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import type { Address } from "../../runner/protocol/typedData.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { type BuyerSetting, TestBuyer } from "./buyer.ts";
import { DOMAIN, MemoryChain } from "./memoryChain.ts";

interface Context {
  after(work: () => void | Promise<void>): void;
}

/** q and k read one x, v another. */
export const SHAPES = [
  { path: "layer.q", dIn: 6, dOut: 5, r: 3 },
  { path: "layer.k", dIn: 6, dOut: 4, r: 2 },
  { path: "layer.v", dIn: 7, dOut: 3, r: 2 },
];

export function randomAdapter(shapes = SHAPES): PeftAdapter {
  const random = (length: number): Float64Array => Float64Array.from({ length }, () => Math.random() - 0.5);
  return {
    name: "random",
    config: {
      r: 3,
      rankPattern: {},
      alpha: 16,
      alphaPattern: {},
      useRslora: false,
      targetModules: null,
      layersToTransform: null,
      baseModel: null,
      peftVersion: null,
    },
    modules: shapes.map((shape) => ({
      ...shape,
      alpha: 16,
      scale: 16 / shape.r,
      A: random(shape.r * shape.dIn),
      B: random(shape.dOut * shape.r),
    })),
  };
}

export interface Contributor {
  data: ContributorData;
  chain: MemoryChain;
  account: LocalAccount;
  adapterId: Hex;
}

let keyPoints: Promise<KeyPoints> | undefined;
export function smallKey(): Promise<KeyPoints> {
  keyPoints ??= (async () => decodeKeyPoints(await loadCurve(), await loadCommitKey(14)))();
  return keyPoints;
}

/** Registers an adapter over the key of 14 slots: two modules in one proof, the third in another. */
export async function registered(context: Context, adapter = randomAdapter()): Promise<Contributor> {
  const data = await openContributorData(path.join(temporaryDirectory(context), "data"));
  const account = privateKeyToAccount(generatePrivateKey());
  const chain = new MemoryChain();
  chain.sender = account.address;
  const { adapterId } = await registerPeftAdapter({
    data,
    chain,
    contributor: account.address,
    adapter,
    modulesPerProof: 2,
  });
  return { data, chain, account, adapterId };
}

export const TERMS: Omit<OfferTerms, "adapterId"> = {
  pricePerToken: 10n,
  openingFee: 5n,
  maxUnpaidTokens: 8n,
  tokenCap: 30n,
  maxOpens: 10n,
};

export interface Served extends Contributor {
  service: ContributorService;
  offer: StoredOffer;
  events: ContributorEvent[];
  /** An agreement opened on chain, and its buyer. */
  buyer(change?: Partial<AgreementView>, signer?: Hex): Promise<TestBuyer>;
}

/** Serves a registered adapter; nothing of it settles unless told. */
export async function served(
  context: Context,
  options: { terms?: Partial<OfferTerms>; serve?: Partial<ServeOptions>; by?: Contributor } = {},
): Promise<Served> {
  const contributor = options.by ?? (await registered(context));
  const { data, chain, account, adapterId } = contributor;
  const offer = await makeOffer(data, DOMAIN, account, { adapterId, ...TERMS, ...options.terms });
  const events: ContributorEvent[] = [];
  const service = await serve({
    data,
    chain,
    account,
    settle: false,
    maxAgeMs: 0,
    pollMs: 20,
    rateLimit: { perSecond: 1000, burst: 1000 },
    onEvent: (event) => events.push(event),
    ...options.serve,
  });
  context.after(() => service.close());
  const setting = await buyerSetting(service.url, contributor);
  return {
    ...contributor,
    service,
    offer,
    events,
    buyer: async (change = {}, signer) => {
      const buyer = new TestBuyer(setting, toHex(randomBytes(32)), signer);
      chain.agreements.set(buyer.agreementId, agreementOn(offer, buyer.signer.address, change));
      return buyer;
    },
  };
}

/** What the buyer's side computes with, checked as it would check it. */
export async function buyerSetting(
  url: string,
  { data, adapterId }: Pick<Contributor, "data" | "adapterId">,
): Promise<BuyerSetting> {
  const adapter = loadServedAdapter(data, adapterId);
  const key = await smallKey();
  const checked = await checkManifest(await loadCurve(), key, adapter.manifest, adapter.commitments);
  return { url, domain: DOMAIN, layout: checked.layout, key, commitments: checked.commitments };
}

function agreementOn(
  { offer, offerHash }: StoredOffer,
  signer: Address,
  change: Partial<AgreementView>,
): AgreementView {
  return {
    status: "open",
    buyer: "0x00000000000000000000000000000000000000b0",
    signer,
    adapterId: offer.adapterId,
    offerHash,
    payout: offer.payout,
    token: offer.token,
    pricePerToken: offer.pricePerToken,
    amount: 1000n,
    paid: 0n,
    deadline: BigInt(Math.floor(Date.now() / 1000) + 3600),
    ...change,
  };
}

/** Waits until something holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  seconds = 10,
): Promise<void> {
  for (let i = 0; i < 50 * seconds; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never came: ${what}`);
}
