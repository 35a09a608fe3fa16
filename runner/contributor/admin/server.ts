/** The admin API over HTTP: loopback, guarded, every path of runner/wire/admin.ts. */
import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import { manifestLayout } from "../../protocol/manifest.ts";
import type { Address, Domain } from "../../protocol/typedData.ts";
import { hasCode } from "../../storage/files.ts";
import { ADMIN_PATHS, type AdminSession, adminOfferRequestSchema } from "../../wire/admin.ts";
import { hex, parseMessage, stringifyMessage } from "../../wire/messages.ts";
import { LIMITS } from "../../wire/paths.ts";
import { refuseUnreadable } from "../../wire/unreadable.ts";
import { getAdapter, listAdapters, readManifest, readManifestBytes } from "../adapters.ts";
import { readBundle } from "../bundle.ts";
import type { AgreementView } from "../chainView.ts";
import type { ContributorData } from "../dataFolder.ts";
import { addSignedOffer, markOfferCancelled } from "../offers.ts";
import type { ContributorService } from "../service.ts";
import { type AgreementStatus, contributorStatus } from "../status.ts";
import { nowSeconds } from "../store/rows.ts";
import { adapterAnswer, sessionAnswer } from "./content.ts";
import { adminError, adminStatus } from "./errors.ts";
import { guard } from "./guard.ts";
import { adminToken, adminTokenFile } from "./token.ts";

export interface AdminOptions {
  data: ContributorData;
  service: Pick<ContributorService, "url" | "adapters" | "sessions" | "settlement">;
  domain: Domain;
  registry: Address;
  contributor: Address;
  /** Whether the service proves and settles by itself: then nothing is proven on demand. */
  settles: boolean;
  /** 0: any free one. */
  port: number;
  /** Origins of pages that may call; none by default. */
  origins?: readonly string[];
  /** Hears of errors that are nobody's request. */
  onError?: (error: unknown) => void;
}

export interface Admin {
  url: string;
  /** File that holds the token. */
  tokenFile: string;
  token: string;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const JSON_TYPE = "application/json";
/** Milliseconds. */
const REQUEST_TIMEOUT = 30_000;
const MAX_CONNECTIONS = 256;
/** Phases in which what the chain says still matters here. */
const LIVE = new Set(["serving", "ended", "proving"]);

/**
 * Starts the admin API of a running service.
 * @throws DeltapayError `admin/port-in-use`, `admin/token-exposed`, `admin/bad-token-file`
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const token = adminToken(options.data.directory);
  const app = buildAdmin(options, token);
  try {
    await app.listen({ host: HOST, port: options.port });
  } catch (cause) {
    if (!hasCode(cause, "EADDRINUSE")) throw cause;
    throw new DeltapayError("admin/port-in-use", `port ${options.port} is in use`, {
      field: "admin",
      hint: "choose another port, or 0 for any",
      cause,
    });
  }
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${port}`,
    tokenFile: adminTokenFile(options.data.directory),
    token,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

function buildAdmin(options: AdminOptions, token: string): FastifyInstance {
  const app = fastify({
    bodyLimit: LIMITS.jsonBytes,
    requestTimeout: REQUEST_TIMEOUT,
    forceCloseConnections: true,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => sendError(options, error, reply),
  });
  app.server.headersTimeout = REQUEST_TIMEOUT;
  app.server.maxConnections = MAX_CONNECTIONS;
  app.addHook("onRequest", guard({ token, origins: options.origins ?? [] }));
  app.setErrorHandler((error, _request, reply) => sendError(options, error, reply));
  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url.slice(0, 100)}`;
    return sendError(options, new DeltapayError("wire/not-found", message, { field: "path" }), reply);
  });
  addAdapterRoutes(app, options);
  addAgreementRoutes(app, options);
  return app;
}

function sendError({ onError }: AdminOptions, error: unknown, reply: FastifyReply): FastifyReply {
  const shown = adminError(error);
  const status = adminStatus(shown.code);
  if (status >= 500) onError?.(error);
  return reply
    .status(status)
    .type(JSON_TYPE)
    .send(JSON.stringify({ error: shown }));
}

function send(reply: FastifyReply, value: unknown, status = 200): FastifyReply {
  return reply.status(status).type(JSON_TYPE).send(stringifyMessage(value));
}

/** A 32-byte id of the path. */
function idOf(request: FastifyRequest, name: string): Hex {
  return parseMessage(z.object({ [name]: hex(32) }), request.params, "path")[name]!;
}

function addAdapterRoutes(app: FastifyInstance, options: AdminOptions): void {
  const { data, domain, service } = options;
  app.get(ADMIN_PATHS.adapters, (_request, reply) => {
    const status = contributorStatus(data);
    const sold = (id: Hex): number =>
      status.agreements.reduce((sum, { adapterId, tokens }) => sum + (adapterId === id ? tokens : 0), 0);
    const served = new Set(service.adapters.map(({ adapterId }) => adapterId));
    const own = listAdapters(data).filter(
      ({ chainId, registry }) => chainId === domain.chainId && registry === options.registry.toLowerCase(),
    );
    return send(reply, {
      contributor: options.contributor,
      chainId: domain.chainId,
      registry: options.registry,
      escrow: domain.escrow,
      serviceUrl: service.url,
      settles: options.settles,
      adapters: own.map((record) =>
        adapterAnswer(data, record, {
          served: served.has(record.adapterId),
          tokensSold: sold(record.adapterId),
        }),
      ),
    });
  });
  app.get(ADMIN_PATHS.manifest, (request, reply) => {
    const { adapterId } = getAdapter(data, idOf(request, "adapterId"));
    return reply.type(JSON_TYPE).send(Buffer.from(readManifestBytes(data, adapterId)));
  });
  app.post(ADMIN_PATHS.offers, async (request, reply) => {
    const signed = parseMessage(adminOfferRequestSchema, request.body, "offer");
    return send(reply, await addSignedOffer(data, domain, signed), 201);
  });
  app.post(ADMIN_PATHS.cancelOffer, (request, reply) => {
    markOfferCancelled(data, idOf(request, "offerHash"));
    return send(reply, {});
  });
}

function addAgreementRoutes(app: FastifyInstance, options: AdminOptions): void {
  const { data, domain, service } = options;
  const { sessions, settlement } = service;
  const statusOf = (agreementId: Hex): AgreementStatus => {
    // unknown ones are refused here
    sessions.agreements.get(agreementId);
    return contributorStatus(data).agreements.find((one) => one.agreementId === agreementId)!;
  };
  const answer = async (status: AgreementStatus): Promise<AdminSession> =>
    sessionAnswer(data, status, await chainWord(options, status));
  app.get(ADMIN_PATHS.sessions, async (_request, reply) => {
    const listed = contributorStatus(data).agreements;
    return send(reply, { now: nowSeconds(), sessions: await Promise.all(listed.map(answer)) });
  });
  app.get(ADMIN_PATHS.agreement, async (request, reply) =>
    send(reply, await answer(statusOf(idOf(request, "agreementId")))),
  );
  app.get(ADMIN_PATHS.bundle, (request, reply) => {
    const record = sessions.agreements.get(idOf(request, "agreementId"));
    const manifest = readManifest(data, record.adapterId);
    const adapter = { manifest, layout: manifestLayout(manifest) };
    return send(reply, readBundle(domain, adapter, record, sessions.receipts, sessions.proofs));
  });
  app.post(ADMIN_PATHS.end, async (request, reply) => {
    const agreementId = idOf(request, "agreementId");
    sessions.agreements.get(agreementId);
    sessions.endServing(agreementId, "the contributor ended the session");
    return send(reply, await answer(statusOf(agreementId)));
  });
  let proving: Promise<unknown> = Promise.resolve();
  app.post(ADMIN_PATHS.prove, async (request, reply) => {
    const { agreementId } = sessions.agreements.get(idOf(request, "agreementId"));
    ensure(!options.settles, "admin/settles-by-itself", "the service proves and settles by itself", {
      field: "agreementId",
      hint: "wait, or serve with --no-settle to submit proofs with a wallet",
    });
    // One at a time: two runs would both store the proof of a group.
    const proven = proving.then(() => settlement.proveAgreement(agreementId));
    proving = proven.catch(() => {});
    return send(reply, await proven);
  });
}

/** The escrow's word on an agreement that is not over; undefined also when the chain cannot be reached. */
async function chainWord(
  { service }: AdminOptions,
  { agreementId, phase }: AgreementStatus,
): Promise<AgreementView | undefined> {
  if (!LIVE.has(phase)) return undefined;
  try {
    return (await service.sessions.watch.newest(agreementId)).agreement;
  } catch {
    return undefined;
  }
}
