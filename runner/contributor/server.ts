/** The service over HTTP: every path of runner/wire/paths.ts, its limits, who may ask, and errors as JSON. */
import { Readable } from "node:stream";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import {
  challengeRequestSchema,
  livenessRequestSchema,
  parseMessage,
  receiptRequestSchema,
  sessionRequestSchema,
  stringifyMessage,
} from "../wire/messages.ts";
import { LIMITS, PATHS } from "../wire/paths.ts";
import { refuseUnreadable } from "../wire/unreadable.ts";
import type { Authentication } from "./authentication.ts";
import type { Hold } from "./holds.ts";
import { httpStatus, publicError } from "./httpErrors.ts";
import type { Transport } from "./listen.ts";
import type { Answered } from "./operations/metrics.ts";
import { type RateLimit, RateLimiter } from "./rateLimit.ts";
import type { Sessions } from "./sessions.ts";

/** What anybody may read; all of it in memory. */
export interface PublicContent {
  /** Body of GET service. */
  service(): string;
  /** @throws DeltapayError `adapter/unknown` */
  manifest(adapterId: Hex): Uint8Array;
  commitments(adapterId: Hex): Uint8Array;
  liveness(adapterId: Hex, nonce: Hex): Promise<unknown>;
}

export interface ServerOptions {
  transport: Transport;
  sessions: Sessions;
  authentication: Authentication;
  content: PublicContent;
  /** For all that is asked without a session. Default 20 a second, 100 at once. */
  rateLimit?: RateLimit;
  /** Hears of errors that are nobody's request. */
  onError?: (error: unknown) => void;
  /** Hears of every request once it is answered. */
  onAnswer?: (answered: Answered) => void;
  /** Whether the service can do its work. Default: always. */
  isReady?: () => boolean;
}

/** A request that came with a session. */
interface Admitted {
  agreementId: Hex;
  /** Of requests that run one at a time. */
  hold?: Hold;
}

const BINARY = "application/octet-stream";
const JSON_TYPE = "application/json";

/** Builds the service; the caller listens and closes. */
export function buildServer(options: ServerOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    serverFactory: options.transport.createServer,
    bodyLimit: LIMITS.jsonBytes,
    // Connections that idle must not keep the process from ending.
    forceCloseConnections: "idle",
    // Drain refuses in our own words.
    return503OnClosing: false,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => sendError(options, error, reply),
  });
  app.addHook("onResponse", (request, reply, done) => {
    const { method, routeOptions } = request;
    const route = routeOptions.url ?? "unknown";
    options.onAnswer?.({ method, route, status: reply.statusCode, ms: reply.elapsedTime });
    done();
  });
  app.addHook("onRequest", async ({ headers }) => {
    const encoding = headers["content-encoding"] ?? "identity";
    ensure(encoding.toLowerCase() === "identity", "wire/media-type", "bodies are not taken compressed", {
      field: "content-encoding",
    });
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(JSON_TYPE, { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(new DeltapayError("wire/malformed", "the body is not JSON", { field: "body" }));
    }
  });
  app.addContentTypeParser(BINARY, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) => sendError(options, error, reply));
  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url.slice(0, 100)}`;
    return sendError(options, new DeltapayError("wire/not-found", message, { field: "path" }), reply);
  });
  addPublicRoutes(app, options);
  addSessionRoutes(app, options);
  return app;
}

function sendError({ onError }: ServerOptions, error: unknown, reply: FastifyReply): FastifyReply {
  const shown = publicError(error);
  const status = httpStatus(shown.code);
  if (status >= 500) onError?.(error);
  if (status === 429 || status === 503 || shown.code === "session/busy") reply.header("retry-after", "1");
  // What is left of a refused body is not worth reading.
  if (status === 411 || status === 413) reply.header("connection", "close");
  return reply
    .status(status)
    .type(JSON_TYPE)
    .send(JSON.stringify({ error: shown }));
}

function sendJson(reply: FastifyReply, value: unknown, status = 200): FastifyReply {
  return reply.status(status).type(JSON_TYPE).send(stringifyMessage(value));
}

/** Bytes handed over at once. */
const PART = 2 ** 16;

function* partsOf(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += PART) yield bytes.subarray(at, at + PART);
}

/** Each part when the one before it is on its way: TLS keeps a copy of all that it is given and nobody reads. */
function sendBytes(reply: FastifyReply, bytes: Uint8Array, type = BINARY): FastifyReply {
  const parts = Readable.from(partsOf(bytes), { objectMode: false });
  return reply.type(type).header("content-length", bytes.length).send(parts);
}

function adapterIdOf(request: FastifyRequest): Hex {
  const { adapterId } = request.params as { adapterId: string };
  if (!/^0x[0-9a-fA-F]{64}$/.test(adapterId))
    throw new DeltapayError("wire/malformed", "an adapter id is 0x and 32 bytes in hex", {
      field: "adapterId",
    });
  return adapterId.toLowerCase() as Hex;
}

/** Paths that need no session: rate limited, and nothing but memory and the chain is touched. */
function addPublicRoutes(
  app: FastifyInstance,
  { content, sessions, authentication, rateLimit, isReady = () => true }: ServerOptions,
) {
  const limiter = new RateLimiter(rateLimit ?? DEFAULT_RATE);
  const onRequest = async (request: FastifyRequest): Promise<void> => limiter.take(request.ip);
  app.get(PATHS.health, { onRequest }, (_request, reply) =>
    isReady() ? sendJson(reply, { status: "ok" }) : sendJson(reply, { status: "unready" }, 503),
  );
  app.get(PATHS.service, { onRequest }, (_request, reply) => reply.type(JSON_TYPE).send(content.service()));
  app.get(PATHS.manifest, { onRequest }, (request, reply) =>
    sendBytes(reply, content.manifest(adapterIdOf(request)), JSON_TYPE),
  );
  app.get(PATHS.commitments, { onRequest }, (request, reply) =>
    sendBytes(reply, content.commitments(adapterIdOf(request))),
  );
  app.post(PATHS.liveness, { onRequest }, async (request, reply) => {
    const { nonce } = parseMessage(livenessRequestSchema, request.body, "liveness");
    return sendJson(reply, await content.liveness(adapterIdOf(request), nonce));
  });
  app.post(PATHS.challenge, { onRequest }, (request, reply) => {
    const { agreementId, clientNonce } = parseMessage(challengeRequestSchema, request.body, "challenge");
    return sendJson(reply, { serverNonce: authentication.challenge(agreementId, clientNonce) });
  });
  app.post(PATHS.sessions, { onRequest }, async (request, reply) => {
    const { signature, ...proof } = parseMessage(sessionRequestSchema, request.body, "session");
    return sendJson(reply, await sessions.open(proof, signature), 201);
  });
}

const DEFAULT_RATE: RateLimit = { perSecond: 20, burst: 100 };

/** Paths of a session: refused before the body is read when the token is wrong or another request is under way. */
function addSessionRoutes(
  app: FastifyInstance,
  { sessions, authentication, rateLimit }: ServerOptions,
): void {
  const limiter = new RateLimiter(rateLimit ?? DEFAULT_RATE);
  const admitted = new WeakMap<FastifyRequest, Admitted>();
  const agreementOf = (request: FastifyRequest): Hex => admitted.get(request)!.agreementId;

  const authenticate = async (request: FastifyRequest): Promise<void> => {
    const token = /^Bearer (\S{1,256})$/.exec(request.headers.authorization ?? "")?.[1];
    try {
      admitted.set(request, { agreementId: authentication.authenticate(token) });
    } catch (error) {
      limiter.take(request.ip);
      throw error;
    }
  };
  const takeHold = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const hold = sessions.holds.take(agreementOf(request));
    admitted.get(request)!.hold = hold;
    reply.raw.once("close", () => hold.abandon());
  };
  const checkPassBody = async (request: FastifyRequest): Promise<void> =>
    checkBinaryBody(request, sessions.requestLimit(agreementOf(request)));
  const alone = <Result>(request: FastifyRequest, work: () => Promise<Result>): Promise<Result> =>
    admitted.get(request)!.hold!.run(work);

  const read = { onRequest: authenticate };
  const write = { onRequest: [authenticate, takeHold] };
  app.get(PATHS.session, read, (request, reply) => sendJson(reply, sessions.view(agreementOf(request))));
  app.get(PATHS.scales, read, (request, reply) => sendBytes(reply, sessions.scales(agreementOf(request))));
  app.get(PATHS.leakage, read, (request, reply) =>
    sendJson(reply, sessions.leakageView(agreementOf(request))),
  );
  app.get(PATHS.bundle, read, (request, reply) => sendJson(reply, sessions.bundle(agreementOf(request))));
  app.post(
    PATHS.pass,
    { onRequest: [authenticate, checkPassBody, takeHold], bodyLimit: LIMITS.activationsBytes },
    (request, reply) =>
      alone(request, async () => {
        const body = request.body as Uint8Array;
        return sendBytes(reply, await sessions.answerPass(agreementOf(request), passNumber(request), body));
      }),
  );
  app.post(PATHS.receipts, write, (request, reply) =>
    alone(request, async () => {
      const { receipt, signature } = parseMessage(receiptRequestSchema, request.body, "receipt");
      return sendJson(reply, await sessions.acceptReceipt(agreementOf(request), receipt, signature));
    }),
  );
  app.post(PATHS.end, write, (request, reply) =>
    alone(request, async () => sendJson(reply, sessions.end(agreementOf(request)))),
  );
}

/** The size is known, and refused, before a byte is read. */
function checkBinaryBody({ headers }: FastifyRequest, limit: number): void {
  if (headers["content-type"]?.split(";")[0]?.trim() !== BINARY)
    throw new DeltapayError("wire/media-type", `activations come as ${BINARY}`, { field: "content-type" });
  const length = headers["content-length"];
  if (length === undefined || headers["transfer-encoding"] !== undefined)
    throw new DeltapayError("wire/length-required", "activations come with their length", {
      field: "content-length",
    });
  if (Number(length) > limit)
    throw new DeltapayError("wire/too-large", `the offer allows requests of at most ${limit} bytes`, {
      field: "body",
      hint: "ask for fewer tokens in a pass",
    });
}

function passNumber(request: FastifyRequest): number {
  const { pass } = request.params as { pass: string };
  if (!/^[1-9][0-9]{0,15}$/.test(pass) || !Number.isSafeInteger(Number(pass)))
    throw new DeltapayError("wire/malformed", "a pass is a number from 1", { field: "pass" });
  return Number(pass);
}
