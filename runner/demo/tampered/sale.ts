/**
 * An honest sale on a chain of its own, up to the withdrawals: a real adapter registered, answers computed with its weights,
 * real proofs settled. No socket is in it: what an audit reads is what the two parties leave, on chain and on disk.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { loadPeftAdapter } from "../../adapter/peft.ts";
import { testAccount } from "../../chain/accounts.ts";
import { connect, connectChain, withAccount } from "../../chain/connect.ts";
import { deploy } from "../../chain/deploy.ts";
import { storeDeployment } from "../../chain/deployment.ts";
import { closeAgreement, refund, release, withdraw } from "../../chain/escrow.ts";
import type { LocalNode } from "../../chain/localNode.ts";
import { registerAdapter } from "../../chain/registry.ts";
import { loadServedAdapter, type ServedAdapter, writePublicFiles } from "../../contributor/adapters.ts";
import { contributorChain } from "../../contributor/chainAdapter.ts";
import { type ContributorData, openContributorData } from "../../contributor/dataFolder.ts";
import { registerPeftAdapter } from "../../contributor/register.ts";
import type { Hex } from "../../protocol/bytes.ts";
import type { ModulesPerProof } from "../../protocol/groups.ts";
import { encodeManifest, manifestHash } from "../../protocol/manifest.ts";
import { encodeOpening, openingOf } from "../../protocol/openingFile.ts";
import type { Address } from "../../protocol/typedData.ts";
import { withCommitments } from "../attacks/forgery.ts";
import { FIXTURES } from "../fixtures.ts";
import { startInProcessNode } from "./inProcessNode.ts";
import { open, serve, settle, type Trader, type Traders } from "./steps.ts";

const ETH: Address = "0x0000000000000000000000000000000000000000";

/** Files that an auditor is given. */
export interface SaleFiles {
  deployment: string;
  manifest: string;
  transcript: string;
  opening: string;
}

export interface SaleTerms {
  /** Default: a proof for every two modules. */
  modulesPerProof?: ModulesPerProof;
  /** Tokens of each pass. */
  passes?: readonly number[];
  /** Default ETH. */
  token?: Address;
  /** Goes on chain in place of the honest commitments. */
  forge?: (adapter: ServedAdapter) => Promise<Uint8Array>;
  /** Registered in place of the release's. */
  verifier?: (market: Market) => Promise<Address>;
  /** Opened and settled here in place of the release's escrow. */
  escrow?: (market: Market) => Promise<Address>;
  /** How the agreement ends. Default: the contributor releases what is left. */
  ending?: "release" | "refund";
  /** A `BATCH_CONTRACT` settles, as the contributor's operator. */
  settler?: (market: Market) => Promise<Address>;
  /** Default: the contributor. */
  payout?: Address;
  /** The settler is the payout, and takes its credit out in the transaction that settles last. */
  withdrawing?: boolean;
  /**
   * After the receipt that is paid another is settled, for the first pass of a session that was honest; the files are
   * of that one. Those of the session paid for lie in `paid`, beside the transcript.
   */
  secondHistory?: boolean;
  /** What answers and proofs are made with in place of the registered weights. */
  substitute?: (weights: ServedAdapter["weights"]) => ServedAdapter["weights"];
}

export interface Sale {
  agreementId: Hex;
  adapterId: Hex;
  files: SaleFiles;
}

/** A chain with the contracts, a contributor and a buyer. */
export class Market {
  readonly node: Pick<LocalNode, "rpcUrl" | "stop">;
  readonly directory: string;
  readonly deploymentFile: string;
  readonly contributor: Trader;
  readonly buyer: Trader;
  readonly #data: ContributorData;
  #sales = 0;

  private constructor(node: Market["node"], directory: string, traders: Trader[], data: ContributorData) {
    this.node = node;
    this.directory = directory;
    this.deploymentFile = join(directory, "deployment.json");
    [this.contributor, this.buyer] = traders as [Trader, Trader];
    this.#data = data;
  }

  /** @param chainId default: that of local chains */
  static async open(chainId?: number): Promise<Market> {
    const directory = mkdtempSync(join(tmpdir(), "deltapay-audit-"));
    const node = await startInProcessNode(chainId);
    const { rpcUrl } = node;
    const file = join(directory, "deployment.json");
    const deployer = withAccount(await connectChain({ rpcUrl }), testAccount(0));
    await deploy(deployer, { file, acceptForgeableDevKey: true });
    const traders: Trader[] = [];
    for (const index of [1, 2]) {
      const account = testAccount(index);
      traders.push({ ...(await connect({ rpcUrl, account, deploymentFile: file })), account });
    }
    return new Market(node, directory, traders, await openContributorData(join(directory, "contributor")));
  }

  /** An account that is nobody's here. */
  get stranger(): Trader {
    return withAccount(this.buyer, testAccount(3));
  }

  /** A call of the node's own methods. */
  request<Result>(method: string, params: readonly unknown[] = []): Promise<Result> {
    return this.buyer.publicClient.request({ method, params } as never) as Promise<Result>;
  }

  /** Registers, sells, settles in two calls, releases and withdraws. */
  async sell(terms: SaleTerms = {}): Promise<Sale> {
    const { passes = [2, 3], substitute = (weights) => weights, token = ETH, payout, withdrawing } = terms;
    const folder = join(this.directory, `sale-${this.#sales++}`);
    const { adapter, adapterId, manifest } = await this.#register(terms);
    const substituted = { ...adapter, weights: substitute(adapter.weights) };
    const traders = await this.#traders(terms);
    const signer = privateKeyToAccount(generatePrivateKey());
    const agreementId = await open(traders, adapterId, signer, { token, payout });
    const transcript = join(folder, "transcript");
    const paid = terms.secondHistory === true ? join(folder, "paid") : transcript;
    let state = serve(substituted, agreementId, passes, paid);
    const through = await terms.settler?.(this);
    await settle(traders, substituted, agreementId, signer, state, { through, withdrawing });
    if (terms.secondHistory === true) {
      state = serve(adapter, agreementId, passes.slice(0, 1), transcript);
      await settle(traders, adapter, agreementId, signer, state, {});
    }
    const files = { deployment: join(folder, "deployment.json"), opening: join(folder, "opening.bin") };
    storeDeployment(traders.contributor.deployment, files.deployment);
    const hash = manifestHash(manifest);
    writeFileSync(files.opening, encodeOpening(openingOf(agreementId, hash, adapter.layout.groups, state)));
    if (terms.ending === "refund") await this.#refund(traders, agreementId);
    else await release(traders.contributor, agreementId);
    const paidOut = payout === undefined ? [traders.contributor] : [];
    for (const trader of [...paidOut, traders.buyer]) await withdraw(trader, token);
    const publicFiles = this.#data.adapterDirectory(adapterId);
    return { agreementId, adapterId, files: { ...files, transcript, manifest: publicFiles } };
  }

  /** The buyer closes, and is refunded when the time to settle is over. */
  async #refund({ buyer }: Traders, agreementId: Hex): Promise<void> {
    const { deadline } = await closeAgreement(buyer, agreementId);
    await this.request("evm_setNextBlockTimestamp", [Number(deadline) + 1]);
    await this.request("evm_mine");
    await refund(buyer, agreementId);
  }

  async #traders({ escrow }: SaleTerms): Promise<Traders> {
    const address = await escrow?.(this);
    const at = (trader: Trader): Trader =>
      address === undefined ? trader : { ...trader, deployment: { ...trader.deployment, escrow: address } };
    return { contributor: at(this.contributor), buyer: at(this.buyer) };
  }

  async #register({ modulesPerProof = 2, forge, verifier }: SaleTerms) {
    const registered = await registerPeftAdapter({
      data: this.#data,
      chain: contributorChain(this.contributor),
      contributor: this.contributor.account.address,
      adapter: await loadPeftAdapter(FIXTURES.adapters["kjv-proj"]),
      modulesPerProof,
      acceptForgeableDevKey: true,
    });
    const adapter = loadServedAdapter(this.#data, registered.adapterId);
    if (forge === undefined && verifier === undefined)
      return { adapter, adapterId: registered.adapterId, manifest: encodeManifest(adapter.manifest) };
    const commitmentsFile = forge === undefined ? adapter.commitments : await forge(adapter);
    const manifest = encodeManifest(withCommitments(adapter.manifest, commitmentsFile));
    const released = this.contributor.deployment.verifiers[String(adapter.layout.keySize)]!.address;
    const { adapterId } = await registerAdapter(this.contributor, {
      manifestHash: manifestHash(manifest),
      uri: "",
      verifier: (await verifier?.(this)) ?? released,
      groups: adapter.layout.groups,
      salt: adapter.manifest.adapterSalt,
    });
    writePublicFiles(this.#data, adapterId, { manifestBytes: manifest, commitmentsFile });
    return { adapter, adapterId, manifest };
  }

  async close(): Promise<void> {
    this.#data.close();
    await this.node.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
