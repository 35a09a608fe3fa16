/**
 * An honest sale on a chain of its own, up to the withdrawals: a real adapter registered, answers computed with its weights,
 * real proofs settled. No socket is in it: what an audit reads is what the two parties leave, on chain and on disk.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concat, type LocalAccount, pad } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { loadPeftAdapter } from "../../adapter/peft.ts";
import { testAccount } from "../../chain/accounts.ts";
import { settleCall } from "../../chain/claims.ts";
import { type ChainContext, connect, connectChain, domainOf, withAccount } from "../../chain/connect.ts";
import { deploy } from "../../chain/deploy.ts";
import { storeDeployment } from "../../chain/deployment.ts";
import { openAgreement, release, setOperator, withdraw } from "../../chain/escrow.ts";
import { chainTime } from "../../chain/finality.ts";
import type { LocalNode } from "../../chain/localNode.ts";
import { registerAdapter } from "../../chain/registry.ts";
import { transact } from "../../chain/transact.ts";
import { loadServedAdapter, type ServedAdapter, writePublicFiles } from "../../contributor/adapters.ts";
import { contributorChain } from "../../contributor/chainAdapter.ts";
import { type ContributorData, openContributorData } from "../../contributor/dataFolder.ts";
import { registerPeftAdapter } from "../../contributor/register.ts";
import { type Hex, pointWords, toHex } from "../../protocol/bytes.ts";
import { addPass, initialState, type Pass, type SessionState } from "../../protocol/fold.ts";
import type { ModulesPerProof } from "../../protocol/groups.ts";
import { encodeManifest, manifestHash } from "../../protocol/manifest.ts";
import { encodeOpening, openingOf } from "../../protocol/openingFile.ts";
import { answer } from "../../protocol/quantise.ts";
import { type Address, type Offer, statementsHash, typedData } from "../../protocol/typedData.ts";
import { keepPass } from "../../storage/transcript.ts";
import { withCommitments } from "../attacks/forgery.ts";
import { proveState } from "../attacks/settling.ts";
import { FIXTURES } from "../fixtures.ts";
import { startInProcessNode } from "./inProcessNode.ts";

const ETH: Address = "0x0000000000000000000000000000000000000000";
const PRICE = 1_000_000_000n;
const FEE = 5_000_000_000n;
const DAY = 86_400n;
const TOKENS_PAID_IN = 100n;

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
  /** A contract that passes calls on settles, as the contributor's operator. */
  settler?: (market: Market) => Promise<Address>;
  /** What answers and proofs are made with in place of the registered weights. */
  substitute?: (weights: ServedAdapter["weights"]) => ServedAdapter["weights"];
}

export interface Sale {
  agreementId: Hex;
  adapterId: Hex;
  files: SaleFiles;
}

type Trader = ChainContext & { account: LocalAccount };

interface Traders {
  contributor: Trader;
  buyer: Trader;
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
    const { passes = [2, 3], substitute = (weights) => weights, token = ETH } = terms;
    const folder = join(this.directory, `sale-${this.#sales++}`);
    const { adapter, adapterId, manifest } = await this.#register(terms);
    const substituted = { ...adapter, weights: substitute(adapter.weights) };
    const traders = await this.#traders(terms);
    const signer = privateKeyToAccount(generatePrivateKey());
    const agreementId = await open(traders, adapterId, signer, token);
    const transcript = join(folder, "transcript");
    const state = serve(substituted, agreementId, passes, transcript);
    const files = { deployment: join(folder, "deployment.json"), opening: join(folder, "opening.bin") };
    storeDeployment(traders.contributor.deployment, files.deployment);
    const hash = manifestHash(manifest);
    writeFileSync(files.opening, encodeOpening(openingOf(agreementId, hash, adapter.layout.groups, state)));
    await settle(traders, substituted, agreementId, signer, state, await terms.settler?.(this));
    await release(traders.contributor, agreementId);
    for (const trader of [traders.contributor, traders.buyer]) await withdraw(trader, token);
    const publicFiles = this.#data.adapterDirectory(adapterId);
    return { agreementId, adapterId, files: { ...files, transcript, manifest: publicFiles } };
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

async function open(
  { contributor, buyer }: Traders,
  adapterId: Hex,
  signer: LocalAccount,
  token: Address,
): Promise<Hex> {
  const now = await chainTime(buyer);
  const offer: Offer = {
    adapterId,
    payout: contributor.account.address,
    token,
    pricePerToken: PRICE,
    openingFee: FEE,
    maxUnpaidTokens: 64n,
    tokenCap: 1000n,
    minDuration: 3600n,
    closeWindow: 3600n,
    maxOpens: 1n,
    nonce: BigInt(toHex(crypto.getRandomValues(new Uint8Array(16)))),
    expiry: now + DAY,
  };
  const { agreementId } = await openAgreement(buyer, {
    offer,
    signature: await contributor.account.signTypedData(typedData(domainOf(contributor), "Offer", offer)),
    signer: signer.address,
    amount: TOKENS_PAID_IN * PRICE,
    deadline: now + DAY,
    nonce: 0n,
  });
  return agreementId;
}

/** Proves the state with the adapter's weights and settles in two calls. @param through passes the calls on */
async function settle(
  { contributor }: Traders,
  adapter: ServedAdapter,
  agreementId: Hex,
  signer: LocalAccount,
  state: SessionState,
  through: Address | undefined,
): Promise<void> {
  const { V, claims } = await proveState(adapter, state);
  const receipt = {
    agreementId,
    passes: BigInt(state.passes),
    tokens: BigInt(state.tokens),
    head: toHex(state.head),
    statementsHash: statementsHash(V),
  };
  const signature = await signer.signTypedData(typedData(domainOf(contributor), "Receipt", receipt));
  if (through !== undefined) await setOperator(contributor, through, true);
  for (const part of [claims.slice(0, 1), claims.slice(1)]) {
    if (part.length === 0) continue;
    const call = settleCall(
      contributor,
      { agreementId, receipt, signature, V: V.map(pointWords), claims },
      part,
    );
    const passedOn = through && { to: through, data: concat([pad(call.to), call.data]) };
    await transact(contributor, passedOn ?? call);
  }
}

/** Passes of made-up activations, answered with the adapter's weights and kept. */
function serve(
  { layout, weights }: ServedAdapter,
  agreementId: Hex,
  passes: readonly number[],
  transcript: string,
): SessionState {
  let state = initialState(layout, Buffer.from(agreementId.slice(2), "hex"));
  for (const [p, tokens] of passes.entries()) {
    const X = layout.modules.map(({ dIn }, m) =>
      Int16Array.from({ length: tokens * dIn }, (_, i) => ((i * 7919 + m * 104_729 + p * 1299) % 1801) - 900),
    );
    const Y = layout.modules.map(({ dIn, dOut, r }, m) =>
      answer(weights[m]!.Aq, weights[m]!.Bq, X[m]!, tokens, dIn, dOut, r),
    );
    const pass: Pass = { passSalt: crypto.getRandomValues(new Uint8Array(32)), tokens, X, Y };
    keepPass(transcript, p + 1, pass);
    state = addPass(layout, state, pass);
  }
  return state;
}
