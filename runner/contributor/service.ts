/** The contributor's service as one running thing: sessions over HTTP, and proving and settling by itself. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { LocalAccount } from "viem";
import { isLocalChain } from "../chain/localChain.ts";
import { loadCommitKey, loadProvingKey } from "../keys/load.ts";
import { pinnedTrust } from "../keys/pinned.ts";
import type { Hex } from "../protocol/bytes.ts";
import { decodeKeyPoints, type KeyPoints } from "../protocol/commitment.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { type CommitKey, vkHash } from "../protocol/key.ts";
import { refuseDevKey } from "../protocol/keyTrust.ts";
import { Prover, type ProverKey } from "../prover/prove.ts";
import { hasCode } from "../storage/files.ts";
import {
  type AdapterRecord,
  getAdapter,
  listAdapters,
  loadServedAdapter,
  type ServedAdapter,
} from "./adapters.ts";
import { Authentication, type AuthenticationOptions } from "./authentication.ts";
import type { ContributorChain } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";
import type { OnEvent } from "./events.ts";
import { asDeltapayError, Lifecycle } from "./lifecycle.ts";
import { type ListenOptions, type Transport, transport } from "./listen.ts";
import { type Loop, repeat } from "./loops.ts";
import { defaultMaxAgeMs, queueSeconds, receiptGrace, settlementMargin } from "./margin.ts";
import { ServiceContent } from "./publicContent.ts";
import type { RateLimit } from "./rateLimit.ts";
import { reviewSettlements } from "./review.ts";
import { buildServer } from "./server.ts";
import type { SessionAdapter } from "./session/liveSessions.ts";
import { Sessions } from "./sessions.ts";
import { Settlement } from "./settlement.ts";
import type { AgreementRecord } from "./store/agreements.ts";
import { ProofStore } from "./store/proofs.ts";
import { Withdrawals, type WithdrawalTerms } from "./withdrawals.ts";

/** Keys by size; the default is those this version pins, built when missing. */
export interface KeySource {
  commitKey(size: number): Promise<CommitKey>;
  provingKey(size: number): Promise<ProverKey>;
}

export const PINNED_KEYS: KeySource = { commitKey: loadCommitKey, provingKey: loadProvingKey };

export interface ServeOptions extends ListenOptions {
  data: ContributorData;
  chain: ContributorChain;
  /** The contributor: signs record and liveness. */
  account: LocalAccount;
  /** Adapters to serve; default all of this account registered on this chain. */
  adapters?: readonly Hex[];
  /** Where clients reach the service, when that is not where it listens. */
  publicUrl?: string;
  /** Prove and settle when a session ends. Default true. */
  settle?: boolean;
  /** Take out what was earned, by itself. */
  withdraw?: WithdrawalTerms;
  keepTranscript?: boolean;
  /** Seconds kept free before a deadline when nothing else is settled; default measured, see `settlementMargin`. */
  marginSeconds?: number;
  keys?: KeySource;
  /** Serves under a key whose secrets are public where money has value. */
  acceptForgeableDevKey?: boolean;
  onEvent?: OnEvent;
  /** Milliseconds between looks at the agreements. Default 250 on a local chain, else 10 s. */
  pollMs?: number;
  /** How old the chain's word on an agreement may be. Default 1 s on a local chain, else 5 s. */
  maxAgeMs?: number;
  authentication?: AuthenticationOptions;
  rateLimit?: RateLimit;
}

export interface ContributorService {
  url: string;
  adapters: AdapterRecord[];
  sessions: Sessions;
  settlement: Settlement;
  /** Stops taking requests, waits for what is under way. */
  close(): Promise<void>;
}

/**
 * Starts the service.
 * @throws DeltapayError `key/dev-key`, `serve/no-adapter`, `serve/not-registered`, `serve/other-account`, `serve/other-key`,
 * `serve/tls-...`, `serve/public-url-needed`, `serve/port-in-use`, `serve/cannot-listen`, `vault/...`
 */
export async function serve(options: ServeOptions): Promise<ContributorService> {
  const { data, chain, account } = options;
  const keys = options.keys ?? PINNED_KEYS;
  const isLocal = isLocalChain(chain.chainId);
  const onEvent = options.onEvent ?? (() => {});
  const where = transport(options);
  const adapters = await loadAdapters(options, keys);
  const authentication = new Authentication(options.authentication);
  const proofs = new ProofStore(data.database);
  const sessions = new Sessions({
    data,
    chain,
    adapters,
    authentication,
    onEvent,
    keepTranscript: options.keepTranscript ?? false,
    maxAgeMs: options.maxAgeMs ?? defaultMaxAgeMs(isLocal),
    margin: ({ layout }, queue) => {
      const slowestMs = proofs.slowest();
      const own =
        options.marginSeconds === undefined
          ? settlementMargin(isLocal, layout.groups, slowestMs)
          : BigInt(options.marginSeconds);
      return own + queueSeconds(isLocal, queue, slowestMs);
    },
  });
  const settlement = new Settlement({
    data,
    chain,
    adapter: (adapterId) => adapters.get(adapterId)!,
    prover: keptProvers(keys),
    onEvent,
  });
  const content = new ServiceContent({
    data,
    domain: { chainId: chain.chainId, escrow: chain.escrow },
    account,
    adapters,
    tlsCertificate: where.tlsCertificate,
  });
  const app = buildServer({
    transport: where,
    sessions,
    authentication,
    content,
    onError: (error) =>
      onEvent({ type: "failed", agreementId: null, doing: "answering", error: asDeltapayError(error) }),
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
  });
  const url = await listen(app, where, options.publicUrl);
  await content.publish(url);
  const running = await startLoops(options, sessions, settlement, adapters, content);
  onEvent({ type: "listening", url });
  return {
    url,
    adapters: [...adapters.values()].map(({ record }) => record),
    sessions,
    settlement,
    close: async () => {
      await Promise.all([closeServer(app), running.stop()]);
    },
  };
}

/** Milliseconds that requests under way have to end. */
const CLOSING_GRACE = 5000;

/** Takes no more requests and lets those under way end; one half sent for ever does not keep the service from stopping. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const impatience = setTimeout(() => app.server.closeAllConnections(), CLOSING_GRACE);
  try {
    await app.close();
  } finally {
    clearTimeout(impatience);
  }
}

/** Binds the port; the URL clients use. */
async function listen(
  app: FastifyInstance,
  { host, port, scheme }: Transport,
  publicUrl: string | undefined,
): Promise<string> {
  if (publicUrl === undefined && /^(0\.0\.0\.0|::)$/.test(host))
    throw new DeltapayError("serve/public-url-needed", `clients cannot reach a service at ${host}`, {
      field: "publicUrl",
      hint: "say under which URL they do",
    });
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const inUse = hasCode(cause, "EADDRINUSE");
    throw new DeltapayError(
      inUse ? "serve/port-in-use" : "serve/cannot-listen",
      `the service cannot listen on ${host}:${port}`,
      { field: "port", ...(inUse ? { hint: "another service has this port: choose another" } : {}), cause },
    );
  }
  const bound = (app.server.address() as AddressInfo).port;
  return publicUrl ?? `${scheme}://${host.includes(":") ? `[${host}]` : host}:${bound}`;
}

/** The adapters to serve, seen to be what the registry holds, with the bases their statements are computed over. */
async function loadAdapters(
  { data, chain, account, adapters, acceptForgeableDevKey }: ServeOptions,
  keys: KeySource,
): Promise<Map<Hex, SessionAdapter>> {
  const chosen =
    adapters?.map((adapterId) => getAdapter(data, adapterId)) ?? (await ownAdapters(data, chain, account));
  if (chosen.length === 0)
    throw new DeltapayError("serve/no-adapter", "no adapter of this account is registered from this folder", {
      field: "adapter",
      hint: "register one: deltapay adapter register",
    });
  const points = new Map<Hex, KeyPoints>();
  const loaded = new Map<Hex, SessionAdapter>();
  for (const record of chosen) {
    await checkRegistered(chain, account, record);
    const adapter = loadServedAdapter(data, record.adapterId);
    const { vkHash } = adapter.manifest;
    refuseDevKey(pinnedTrust(vkHash), chain.chainId, acceptForgeableDevKey);
    const key = points.get(vkHash) ?? (await keyPoints(keys, adapter));
    points.set(vkHash, key);
    loaded.set(record.adapterId, { ...adapter, key });
  }
  return loaded;
}

/** What this account registered from this folder and the registry (a local chain forgets) still holds. */
async function ownAdapters(
  data: ContributorData,
  chain: ContributorChain,
  account: LocalAccount,
): Promise<AdapterRecord[]> {
  const own: AdapterRecord[] = [];
  for (const record of listAdapters(data))
    if (
      record.chainId === chain.chainId &&
      record.registry === chain.registry.toLowerCase() &&
      record.contributor === account.address.toLowerCase() &&
      (await chain.readAdapter(record.adapterId, "newest")) !== undefined
    )
      own.push(record);
  return own;
}

async function checkRegistered(
  chain: ContributorChain,
  account: LocalAccount,
  record: AdapterRecord,
): Promise<void> {
  if (record.contributor !== account.address.toLowerCase())
    throw new DeltapayError("serve/other-account", `${record.contributor} registered ${record.adapterId}`, {
      field: "account",
      hint: "serve with the account that registered the adapter",
    });
  const found = await chain.readAdapter(record.adapterId, "newest");
  if (found?.manifestHash !== record.manifestHash)
    throw new DeltapayError("serve/not-registered", `the registry does not hold ${record.adapterId}`, {
      field: "adapter",
      hint: "run `deltapay adapter register` again; a local chain forgets everything when it stops",
    });
}

async function keyPoints(keys: KeySource, { layout, manifest }: ServedAdapter): Promise<KeyPoints> {
  const key = await keys.commitKey(layout.keySize);
  if (vkHash(key) !== manifest.vkHash)
    throw new DeltapayError("serve/other-key", "the adapter was committed to with another key", {
      field: "vkHash",
      hint: "use the version of this software that registered it, or register it again",
    });
  return decodeKeyPoints(await loadCurve(), key);
}

/** Provers by key size; keys stay in memory between proofs. */
export function keptProvers(keys: Pick<KeySource, "provingKey">): (size: number) => Promise<Prover> {
  const kept = new Map<number, Promise<Prover>>();
  return (size) => {
    const known = kept.get(size);
    if (known !== undefined) return known;
    const made = keys.provingKey(size).then((key) => new Prover(key));
    kept.set(size, made);
    // a failure is tried again by the next call
    made.catch(() => kept.delete(size));
    return made;
  };
}

/** Watching, settling, and reading offers, until stopped; `stop` waits for what is under way. */
async function startLoops(
  options: ServeOptions,
  sessions: Sessions,
  settlement: Settlement,
  adapters: ReadonlyMap<Hex, SessionAdapter>,
  content: ServiceContent,
): Promise<Loop> {
  const { onEvent = () => {} } = options;
  const isLocal = isLocalChain(options.chain.chainId);
  const pollMs = options.pollMs ?? (isLocal ? 250 : 10_000);
  const isServed = ({ adapterId }: AgreementRecord): boolean => adapters.has(adapterId);
  const watched = { sessions, settlement, isServed, onEvent };
  const lifecycle = new Lifecycle({ ...watched, receiptGrace: receiptGrace(isLocal) });
  const repeated = (doing: string, work: () => Promise<void>, pause: number): Loop =>
    repeat(work, pause, (error) =>
      onEvent({ type: "failed", agreementId: null, doing, error: asDeltapayError(error) }),
    );
  const loops = [
    repeated("watching agreements", () => lifecycle.watchServing(), pollMs),
    // offers made meanwhile by the command line
    repeated("reading offers", async () => content.refresh(), 1000),
  ];
  if (options.settle !== false) {
    await lifecycle.tellNotServed();
    loops.push(
      repeated("settling agreements", () => lifecycle.settleEnded(), pollMs),
      repeated("reviewing settlements", () => reviewSettlements(watched), isLocal ? 1000 : 600_000),
    );
  }
  if (options.withdraw !== undefined) {
    const withdrawals = new Withdrawals({ ...options, terms: options.withdraw, onEvent });
    loops.push(repeated("withdrawing", () => withdrawals.run(), isLocal ? 1000 : 60_000));
  }
  return {
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
      await lifecycle.idle();
    },
  };
}
