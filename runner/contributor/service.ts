/** The contributor's service as one running thing: sessions over HTTP, and proving and settling by itself. */
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { isLocalChain } from "../chain/localChain.ts";
import { asDeltapayError, DeltapayError } from "../protocol/errors.ts";
import { hasCode } from "../storage/files.ts";
import type { AdapterRecord } from "./adapters.ts";
import { Authentication, type AuthenticationOptions } from "./authentication.ts";
import { type LoopOptions, startLoops } from "./background.ts";
import { Drain } from "./drain.ts";
import { heardSafely } from "./events.ts";
import { type ListenOptions, type Transport, transport } from "./listen.ts";
import {
  type AdaptersToServe,
  type KeySource,
  keptProvers,
  loadAdapters,
  PINNED_KEYS,
} from "./loadAdapters.ts";
import { repeat } from "./loops.ts";
import { defaultMaxAgeMs, queueSeconds, settlementMargin } from "./margin.ts";
import { type Health, HealthMonitor } from "./operations/health.ts";
import type { Answered } from "./operations/metrics.ts";
import { ServiceContent } from "./publicContent.ts";
import type { RateLimit } from "./rateLimit.ts";
import { buildServer } from "./server.ts";
import { Sessions } from "./sessions.ts";
import { Settlement } from "./settlement.ts";
import { ProofStore } from "./store/proofs.ts";

/** `account` is the contributor: it signs record and liveness. */
export interface ServeOptions extends ListenOptions, AdaptersToServe, LoopOptions {
  /** Where clients reach the service, when that is not where it listens. */
  publicUrl?: string;
  keepTranscript?: boolean;
  /** Seconds kept free before a deadline when nothing else is settled; default measured, see `settlementMargin`. */
  marginSeconds?: number;
  keys?: KeySource;
  /** How old the chain's word on an agreement may be. Default 1 s on a local chain, else 5 s. */
  maxAgeMs?: number;
  authentication?: AuthenticationOptions;
  rateLimit?: RateLimit;
  /** Hears of every request once it is answered. */
  onAnswer?: (answered: Answered) => void;
  /** Milliseconds between looks at chain and disk. Default 5 s. */
  healthMs?: number;
  /** Milliseconds that what is under way has to end when the service closes. Default 20 s. */
  stopMs?: number;
}

export interface ContributorService {
  url: string;
  adapters: AdapterRecord[];
  sessions: Sessions;
  settlement: Settlement;
  /** As of the last look, some seconds ago. */
  health(): Health;
  /**
   * Takes no more requests, finishes answers and the proof under way, and waits for what was sent to the chain; in bounded
   * time. What is not done by then goes on at the next start: every step is on disk.
   */
  close(): Promise<void>;
}

/**
 * Starts the service.
 * @throws DeltapayError `key/dev-key`, `serve/no-adapter`, `serve/not-registered`, `serve/other-account`, `serve/other-key`,
 * `serve/tls-...`, `serve/public-url-needed`, `serve/port-in-use`, `serve/cannot-listen`, `vault/...`
 */
export async function serve(given: ServeOptions): Promise<ContributorService> {
  const onEvent = heardSafely(given.onEvent);
  const options = { ...given, onEvent };
  const { data, chain, account } = options;
  const keys = options.keys ?? PINNED_KEYS;
  const isLocal = isLocalChain(chain.chainId);
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
  const monitor = new HealthMonitor({ chain, directory: data.directory });
  await monitor.look();
  const app = buildServer({
    transport: where,
    sessions,
    authentication,
    content,
    onError: (error) =>
      onEvent({ type: "failed", agreementId: null, doing: "answering", error: asDeltapayError(error) }),
    isReady: () => monitor.newest.ready,
    ...(options.onAnswer === undefined ? {} : { onAnswer: options.onAnswer }),
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
  });
  const drain = new Drain(app, sessions.holds);
  const url = await listen(app, where, options.publicUrl);
  await content.publish(url);
  sessions.leakage.recover();
  const running = await startLoops(options, sessions, settlement, adapters, content);
  const looking = repeat(
    () => monitor.look(),
    options.healthMs ?? HEALTH_PAUSE,
    () => {},
  );
  onEvent({ type: "listening", url });
  return {
    url,
    adapters: [...adapters.values()].map(({ record }) => record),
    sessions,
    settlement,
    health: () => monitor.newest,
    close: async () => {
      const { stopMs = STOP_MS } = options;
      monitor.stop();
      const served = drain.close(stopMs / 2).then(() => sessions.leakage.close());
      await within(stopMs, Promise.all([served, running.stop(), looking.stop()]));
    },
  };
}

/** Milliseconds between looks at chain and disk. */
const HEALTH_PAUSE = 5000;
/** Milliseconds that what is under way has to end; less than supervisors wait. */
const STOP_MS = 20_000;

/** Waits for work, not longer than that. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    timer.abort();
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
