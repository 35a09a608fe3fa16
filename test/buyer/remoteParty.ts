/** The real contributor's service with a real adapter, and a buyer that finds it, verifies it and opens an agreement. */
import * as path from "node:path";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { loadPeftAdapter } from "../../runner/adapter/peft.ts";
import { discover } from "../../runner/buyer/client/discover.ts";
import { targetsOfModel } from "../../runner/buyer/model/modelTargets.ts";
import { AdapterCache } from "../../runner/buyer/opening/adapterCache.ts";
import { checkOffer } from "../../runner/buyer/opening/offer.ts";
import { openAgreement } from "../../runner/buyer/opening/open.ts";
import { verifyAdapter } from "../../runner/buyer/opening/verifyAdapter.ts";
import type { BuyerSessionOptions } from "../../runner/buyer/session/buyerSession.ts";
import { RemoteAdapter } from "../../runner/buyer/session/remoteAdapter.ts";
import { loadSigner } from "../../runner/buyer/store/signerKey.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import type { OfferTerms } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import type { ModulesPerProof } from "../../runner/protocol/groups.ts";
import { type Offer, offerHash } from "../../runner/protocol/typedData.ts";
import { adapterDir, modelPath } from "../adapter/fixtures.ts";
import { DOMAIN, MemoryChain, REGISTRY } from "../contributor/memoryChain.ts";
import { type Contributor, type Served, served } from "../contributor/setting.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { openDisk, type Test, TestChain } from "./agreement.ts";
import { buyer } from "./setting.ts";

export interface RemoteParty extends Served {
  remote: RemoteAdapter;
  /** A remote adapter as a fresh process makes it. */
  restart: (change?: Partial<BuyerSessionOptions>) => Promise<RemoteAdapter>;
}

/** Registers a fixture adapter with the real contributor. */
async function registerFixture(
  t: Test,
  name: string,
  modulesPerProof: ModulesPerProof,
): Promise<Contributor> {
  const data = await openContributorData(path.join(temporaryDirectory(t), "data"));
  const account = privateKeyToAccount(generatePrivateKey());
  const chain = new MemoryChain();
  chain.sender = account.address;
  const adapter = await loadPeftAdapter(adapterDir(name));
  const contributor = account.address;
  const { adapterId } = await registerPeftAdapter({ data, chain, contributor, adapter, modulesPerProof });
  return { data, chain, account, adapterId };
}

/** The escrow's `open` on the chain that the contributor reads. */
class OpeningChain extends TestChain {
  readonly #memory: MemoryChain;

  constructor(memory: MemoryChain) {
    super();
    this.#memory = memory;
    const open = this.openAgreement;
    this.openAgreement = async (args) => {
      const opened = await open(args);
      const [id] = [...this.agreements.keys()].slice(-1);
      this.#memory.agreements.set(id!, agreementView(args.offer, args));
      return opened;
    };
  }
}

function agreementView(
  offer: Offer,
  { signer, amount, deadline }: Pick<Agreed, "signer" | "amount" | "deadline">,
) {
  const { adapterId, payout, token, pricePerToken } = offer;
  return {
    status: "open" as const,
    buyer: buyer.address,
    signer,
    adapterId,
    offerHash: offerHash(offer),
    payout,
    token,
    pricePerToken,
    amount,
    paid: 0n,
    deadline,
  };
}

type Agreed = Parameters<TestChain["openAgreement"]>[0];

/** From a folder of weights to a connected buyer. */
export async function remoteParty(
  t: Test,
  name: string,
  options: { model?: string; terms?: Partial<OfferTerms>; modulesPerProof?: ModulesPerProof } = {},
): Promise<RemoteParty> {
  const { model = "model_with_past.onnx", terms, modulesPerProof = 1 } = options;
  const by = await registerFixture(t, name, modulesPerProof);
  const party = await served(t, {
    by,
    terms: { maxUnpaidTokens: 256n, tokenCap: 100_000n, minDuration: 60n, ...terms },
  });
  const { url } = party.service;
  const verifierOf = by.chain.verifier(14)!;
  const found = await discover({
    url,
    domain: DOMAIN,
    registry: REGISTRY,
    readAdapter: (id) => by.chain.readAdapter(id),
  });
  t.after(() => void found.client.http.close());
  const curve = await loadCurve();
  const disk = await openDisk(t);
  const verified = await verifyAdapter({
    ...found,
    curve,
    registry: REGISTRY,
    release: { verifiers: [{ ...verifierOf, size: 14, state: "dev" }] },
    cache: new AdapterCache(path.join(disk.directory, "adapters"), disk.vault),
    findTargets: targetsOfModel(modelPath(model)),
  });
  const [offer] = found.offers;
  const { contributor, manifestHash } = found.entry;
  await checkOffer(offer!, {
    domain: DOMAIN,
    adapterId: found.adapterId,
    contributor,
    layout: verified.layout,
  });
  const { terms: agreed } = await openAgreement({
    ...disk,
    chain: new OpeningChain(by.chain).asBuyerChain,
    domain: DOMAIN,
    registry: REGISTRY,
    buyer: buyer.address,
    contributor,
    manifestHash,
    record: found.record,
    offer: offer!,
    amount: 10n ** 9n,
  });
  const restart = async (change: Partial<BuyerSessionOptions> = {}): Promise<RemoteAdapter> => {
    const { store, vault } = await openDisk(t, disk.directory);
    const signer = loadSigner(vault, agreed.signer);
    return new RemoteAdapter({
      curve,
      adapter: verified,
      terms: agreed,
      client: found.client,
      store,
      signer,
      ...change,
    });
  };
  return { ...party, remote: await restart(), restart };
}
