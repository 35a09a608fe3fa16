/** Real parts for the attacks: a Hardhat node, the contracts, both parties' data folders, the fixtures, real sockets. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalAccount } from "viem";
import { loadPeftAdapter } from "../adapter/peft.ts";
import { type BuyerChain, buyerChain } from "../buyer/chainView.ts";
import { connectRecorded, type Discovered, discover } from "../buyer/client/discover.ts";
import { targetsOfModel } from "../buyer/model/modelTargets.ts";
import { AdapterCache } from "../buyer/opening/adapterCache.ts";
import { checkOffer } from "../buyer/opening/offer.ts";
import { openAgreement } from "../buyer/opening/open.ts";
import type { Release } from "../buyer/opening/release.ts";
import { type VerifiedAdapter, verifyAdapter } from "../buyer/opening/verifyAdapter.ts";
import { RemoteAdapter } from "../buyer/session/remoteAdapter.ts";
import { loadSigner } from "../buyer/store/signerKey.ts";
import { BuyerStore } from "../buyer/store/store.ts";
import { BUYER_MIGRATIONS } from "../buyer/store/storedRows.ts";
import { testAccount } from "../chain/accounts.ts";
import { credits } from "../chain/agreements.ts";
import { type ChainContext, connect, connectChain, domainOf, withAccount } from "../chain/connect.ts";
import { deploy } from "../chain/deploy.ts";
import { ETH } from "../chain/erc20.ts";
import { withdraw } from "../chain/escrow.ts";
import { type LocalNode, startLocalNode } from "../chain/localNode.ts";
import { contributorChain } from "../contributor/chainAdapter.ts";
import { type ContributorData, openContributorData } from "../contributor/dataFolder.ts";
import {
  listOffers,
  makeOffer,
  markOfferCancelled,
  type OfferTerms,
  type StoredOffer,
} from "../contributor/offers.ts";
import { type RegisteredAdapter, registerPeftAdapter } from "../contributor/register.ts";
import { type ContributorService, type ServeOptions, serve } from "../contributor/service.ts";
import { pinnedKey } from "../keys/pinned.ts";
import type { Hex } from "../protocol/bytes.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { ModulesPerProof } from "../protocol/groups.ts";
import { keyTrust } from "../protocol/keyTrust.ts";
import { openDatabase } from "../storage/database.ts";
import { Vault } from "../storage/vault.ts";
import { FIXTURES } from "./fixtures.ts";

/** An account with a connection that signs with it. */
export interface Party {
  account: LocalAccount;
  ctx: ChainContext;
}

/** A buyer's agreement, ready for passes. */
export interface Purchase {
  agreementId: Hex;
  verified: VerifiedAdapter;
  remote: RemoteAdapter;
  store: BuyerStore;
  vault: Vault;
}

/** One gwei a token: amounts stay readable. */
export const PRICE = 1_000_000_000n;

const DEFAULT_TERMS = {
  pricePerToken: PRICE,
  openingFee: 0n,
  maxUnpaidTokens: 64n,
  tokenCap: 1000n,
  maxOpens: 10n,
} as const;

export class World {
  readonly node: LocalNode;
  readonly directory: string;
  readonly contributor: Party;
  readonly buyer: Party;
  /** Neither of them. */
  readonly stranger: Party;
  readonly data: ContributorData;
  readonly #closers: (() => Promise<unknown> | unknown)[] = [];
  #purchases = 0;

  private constructor(node: LocalNode, directory: string, parties: Party[], data: ContributorData) {
    this.node = node;
    this.directory = directory;
    [this.contributor, this.buyer, this.stranger] = parties as [Party, Party, Party];
    this.data = data;
  }

  /** A fresh chain with the contracts deployed, and empty data folders under the system's temporary folder. */
  static async open(): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), "deltapay-"));
    const node = await startLocalNode();
    const { rpcUrl } = node;
    const deploymentFile = join(directory, "deployment.json");
    await deploy(withAccount(await connectChain({ rpcUrl }), testAccount(0)), { file: deploymentFile });
    const parties: Party[] = [];
    for (const index of [1, 2, 3]) {
      const account = testAccount(index);
      parties.push({ account, ctx: await connect({ rpcUrl, account, deploymentFile }) });
    }
    return new World(node, directory, parties, await openContributorData(join(directory, "contributor")));
  }

  get domain() {
    return domainOf(this.buyer.ctx);
  }

  /** What the buyer's release vouches for: the verifiers deployed here, with the state of their keys. */
  get release(): Release {
    return {
      verifiers: Object.entries(this.buyer.ctx.deployment.verifiers).map(([size, verifier]) => ({
        ...verifier,
        size: Number(size),
        ...keyTrust(pinnedKey(Number(size))),
      })),
    };
  }

  get buyerChain(): BuyerChain {
    return buyerChain(this.buyer.ctx);
  }

  /** Registers a fixture adapter. */
  async register(
    adapter: keyof typeof FIXTURES.adapters = "kjv-attn",
    modulesPerProof: ModulesPerProof = 1,
  ): Promise<RegisteredAdapter> {
    return registerPeftAdapter({
      data: this.data,
      chain: contributorChain(this.contributor.ctx),
      contributor: this.contributor.account.address,
      adapter: await loadPeftAdapter(FIXTURES.adapters[adapter]),
      modulesPerProof,
    });
  }

  /** Signs and stores an offer of the adapter. */
  makeOffer(adapterId: Hex, terms: Partial<OfferTerms> = {}): Promise<StoredOffer> {
    return makeOffer(this.data, this.domain, this.contributor.account, {
      adapterId,
      ...DEFAULT_TERMS,
      ...terms,
    });
  }

  /** The honest service; it does not settle by itself. */
  async serve(options: Partial<ServeOptions> = {}): Promise<ContributorService> {
    const service = await serve({
      data: this.data,
      chain: contributorChain(this.contributor.ctx),
      account: this.contributor.account,
      settle: false,
      ...options,
    });
    this.onClose(() => service.close());
    return service;
  }

  /** The buyer's first contact with a service. */
  discover(url: string): Promise<Discovered> {
    return discover({
      url,
      domain: this.domain,
      registry: this.buyer.ctx.deployment.registry,
      readAdapter: this.buyerChain.readAdapter,
    });
  }

  /** The buyer's downloads and notes of what it verified. */
  async adapterCache(): Promise<AdapterCache> {
    return new AdapterCache(
      join(this.directory, "cache"),
      await Vault.open(join(this.directory, "cache-vault")),
    );
  }

  /** Every check the buyer makes before paying in. */
  async verify({ client, adapterId, entry }: Discovered, release = this.release): Promise<VerifiedAdapter> {
    return verifyAdapter({
      curve: await loadCurve(),
      client,
      adapterId,
      entry,
      chainId: this.domain.chainId,
      registry: this.buyer.ctx.deployment.registry,
      release,
      cache: await this.adapterCache(),
      findTargets: targetsOfModel(FIXTURES.model),
    });
  }

  /** Verifies, opens an agreement over `tokens` tokens and prepares the session. */
  async buy(url: string, tokens = 500n): Promise<Purchase> {
    const found = await this.discover(url);
    const verified = await this.verify(found);
    const offer = found.offers[0];
    if (offer === undefined) throw new DeltapayError("demo/no-offer", "the service makes no offer");
    const { chain, store, vault } = await this.#buyerData();
    const contributor = found.entry.contributor;
    await checkOffer(offer, {
      domain: this.domain,
      adapterId: found.adapterId,
      contributor,
      layout: verified.layout,
    });
    const { terms } = await openAgreement({
      chain,
      store,
      vault,
      domain: this.domain,
      registry: this.buyer.ctx.deployment.registry,
      buyer: this.buyer.account.address,
      contributor,
      manifestHash: found.entry.manifestHash,
      record: found.record,
      offer,
      amount: tokens * offer.offer.pricePerToken,
      now: await chain.time(),
      pollMs: 20,
    });
    const remote = new RemoteAdapter({
      curve: await loadCurve(),
      adapter: verified,
      terms,
      client: connectRecorded(terms.record),
      store,
      signer: loadSigner(vault, terms.signer),
    });
    return { agreementId: terms.agreementId, verified, remote, store, vault };
  }

  async #buyerData() {
    const folder = join(this.directory, `buyer-${this.#purchases++}`);
    const vault = await Vault.open(join(folder, "vault"));
    const database = openDatabase(join(folder, "buyer.db"), BUYER_MIGRATIONS);
    this.onClose(() => database.close());
    return { chain: this.buyerChain, store: new BuyerStore(database), vault };
  }

  /** What the escrow owes an account, ETH. */
  credit(party: Party): Promise<bigint> {
    return credits(this.buyer.ctx, ETH.address, party.account.address);
  }

  /** Moves the chain's clock. */
  async passTime(seconds: number): Promise<void> {
    for (const [method, params] of [
      ["evm_increaseTime", [seconds]],
      ["evm_mine", []],
    ] as const)
      await this.buyer.ctx.publicClient.request({ method, params } as never);
  }

  /** Runs when the world closes, last added first. */
  onClose(close: () => Promise<unknown> | unknown): void {
    this.#closers.push(close);
  }

  /** Ends what ran here, cancels the offers and pays out all credits: the next attack finds nothing of the last. */
  async clear(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    for (const { offerHash } of listOffers(this.data)) markOfferCancelled(this.data, offerHash);
    for (const party of [this.contributor, this.buyer, this.stranger])
      if ((await this.credit(party)) > 0n) await withdraw(party.ctx, ETH.address);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    this.data.close();
    await this.node.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
