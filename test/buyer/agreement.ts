/** An opened agreement with its buyer's disk and a contributor that serves it, for one test. */
import * as path from "node:path";
import type { BlockChoice, ChainAgreement } from "../../runner/buyer/chainView.ts";
import { connectRecorded } from "../../runner/buyer/client/discover.ts";
import { openAgreement } from "../../runner/buyer/opening/open.ts";
import type { VerifiedAdapter } from "../../runner/buyer/opening/verifyAdapter.ts";
import type { BuyerSessionOptions } from "../../runner/buyer/session/buyerSession.ts";
import { RemoteAdapter } from "../../runner/buyer/session/remoteAdapter.ts";
import { loadSigner } from "../../runner/buyer/store/signerKey.ts";
import { BuyerStore } from "../../runner/buyer/store/store.ts";
import { BUYER_MIGRATIONS } from "../../runner/buyer/store/storedRows.ts";
import { loadCommitKey } from "../../runner/keys/load.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { checkManifest } from "../../runner/protocol/commitmentsFile.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { columnSums } from "../../runner/protocol/statement.ts";
import { agreementId, type Offer, offerHash } from "../../runner/protocol/typedData.ts";
import { openDatabase } from "../../runner/storage/database.ts";
import { Vault } from "../../runner/storage/vault.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { serveAgreement, type TestContributor } from "./contributor.ts";
import {
  ADAPTER,
  type Adapter,
  buyer,
  DOMAIN,
  makeAdapter,
  makeOffer,
  NO_CERTIFICATE,
  NOW,
  REGISTRY,
  signOffer,
} from "./setting.ts";

export type Test = Parameters<typeof temporaryDirectory>[0] & { after(work: () => void): void };

/** A chain of one escrow call, where every block is final. */
export class TestChain {
  readonly agreements = new Map<Hex, ChainAgreement>();
  /** Transactions sent. */
  sent = 0;
  /** Runs before and after the escrow takes the money. */
  before: () => void = () => {};
  after: () => void = () => {};
  /** The clock, uses of every offer and its cancellation, by block. */
  readonly at = {
    newest: { now: NOW, opens: 0n, cancelled: false },
    final: { now: NOW, opens: 0n, cancelled: false },
  };
  /** Looks at the final block that still see nothing. */
  blocksToFinal = 0;

  openAgreement = async (args: {
    offer: Offer;
    signer: Hex;
    amount: bigint;
    deadline: bigint;
    nonce: bigint;
  }): Promise<{ txHash: Hex }> => {
    this.sent++;
    this.before();
    const { signer, amount, deadline, nonce } = args;
    const id = agreementId({
      ...DOMAIN,
      buyer: buyer.address,
      offerHash: offerHash(args.offer),
      signer,
      amount,
      deadline,
      nonce,
    });
    if (this.agreements.has(id)) throw new Error("AgreementExists");
    this.agreements.set(id, { status: "open", signer, amount, paid: 0n, deadline });
    this.after();
    return { txHash: `0x${"77".repeat(32)}` };
  };

  readAgreement = async (id: Hex, block: "newest" | "final"): Promise<ChainAgreement> => {
    const found = this.agreements.get(id);
    const none = {
      status: "none",
      signer: `0x${"0".repeat(40)}`,
      amount: 0n,
      paid: 0n,
      deadline: 0n,
    } as const;
    if (block === "final" && this.blocksToFinal > 0) {
      this.blocksToFinal--;
      return none;
    }
    return found ?? none;
  };

  readOffer = async (_: Offer, block: BlockChoice) => this.at[block];

  time = async (block: BlockChoice = "newest"): Promise<bigint> => this.at[block].now;

  /** What of the chain these tests do not touch. */
  get rest() {
    const unused = async (): Promise<never> => {
      throw new Error("not part of this test");
    };
    return { readAdapter: unused, closeAgreement: unused, refund: unused };
  }

  get asBuyerChain() {
    const { openAgreement, readAgreement, readOffer, time } = this;
    return { ...this.rest, openAgreement, readAgreement, readOffer, time };
  }
}

export interface Disk {
  directory: string;
  store: BuyerStore;
  vault: Vault;
}

/** A buyer's data folder; opened again it is what a restarted process sees. */
export async function openDisk(t: Test, directory = temporaryDirectory(t)): Promise<Disk> {
  const database = openDatabase(path.join(directory, "buyer.db"), BUYER_MIGRATIONS);
  t.after(() => database.close());
  return {
    directory,
    store: new BuyerStore(database),
    vault: await Vault.open(path.join(directory, "vault")),
  };
}

let made: Promise<{ adapter: Adapter; verified: VerifiedAdapter }> | undefined;

/** One adapter for all tests of a file, with what a buyer verified of it. */
export function sharedAdapter(): Promise<{ adapter: Adapter; verified: VerifiedAdapter }> {
  made ??= (async () => {
    const curve = await loadCurve();
    const adapter = await makeAdapter();
    const key = await decodeKeyPoints(curve, await loadCommitKey(14));
    const { manifest, commitmentsFile } = adapter.registration;
    const checked = await checkManifest(curve, key, manifest, commitmentsFile);
    const verified = {
      ...checked,
      adapterId: ADAPTER,
      entry: adapter.entry,
      verifier: adapter.release.verifiers[0]!,
      key,
      sums: await columnSums(curve, checked.commitments),
      warnings: [],
      fromCache: false,
    };
    return { adapter, verified };
  })();
  return made;
}

export interface Opened {
  contributor: TestContributor;
  disk: Disk;
  id: Hex;
  /** A remote adapter as a fresh process makes it. */
  start: (change?: Partial<BuyerSessionOptions>) => Promise<RemoteAdapter>;
}

/** Opens an agreement on the test chain and serves it. */
export async function openAndServe(t: Test, offer: Partial<Offer> = {}, amount = 1000n): Promise<Opened> {
  const { adapter, verified } = await sharedAdapter();
  const disk = await openDisk(t);
  const { terms } = await openAgreement({
    chain: new TestChain().asBuyerChain,
    ...disk,
    domain: DOMAIN,
    registry: REGISTRY,
    buyer: buyer.address,
    contributor: adapter.entry.contributor,
    manifestHash: adapter.entry.manifestHash,
    record: { adapterId: ADAPTER, url: "http://127.0.0.1:1", tlsCertificate: NO_CERTIFICATE, expiry: NOW },
    offer: await signOffer(makeOffer(offer)),
    amount,
  });
  const contributor = await serveAgreement(t, adapter, verified.key, terms);
  const start = async (change: Partial<BuyerSessionOptions> = {}): Promise<RemoteAdapter> => {
    const { store, vault } = await openDisk(t, disk.directory);
    const client = connectRecorded({ ...terms.record, url: contributor.url }, { backoffMs: 2, attempts: 3 });
    t.after(() => void client.http.close());
    return new RemoteAdapter({
      curve: await loadCurve(),
      adapter: verified,
      terms,
      client,
      store,
      signer: loadSigner(vault, terms.signer),
      ...change,
    });
  };
  return { contributor, disk, id: terms.agreementId, start };
}

/** A scattered number of [-32767, 32767]. */
function mixed(n: number): number {
  const x = Math.imul(n + 1, 0x9e3779b1);
  return ((Math.imul(x ^ (x >>> 15), 0x85ebca6b) >>> 8) % 65535) - 32767;
}

/** Activations of a pass by request: q and k read the first, v the second. */
export function activations(tokens: number, seed: number): [Int16Array, Int16Array] {
  const make = (width: number): Int16Array =>
    Int16Array.from({ length: tokens * width }, (_, i) => mixed(i + 1000 * seed));
  return [make(6), make(7)];
}

/** One whole pass. */
export async function runPass(remote: RemoteAdapter, tokens: number, seed: number): Promise<void> {
  const [qk, v] = activations(tokens, seed);
  await remote.beginPass(tokens);
  await remote.answer([0, 1], qk);
  await remote.answer([2], v);
  await remote.finishPass();
}
