/** The coordinator over HTTP. Nothing it says is secret but tickets; TLS, where wanted, is a proxy's business. */
import * as fs from "node:fs";
import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import { clientOf } from "../../wire/clientAddress.ts";
import { refuseUnreadable } from "../../wire/unreadable.ts";
import type { Coordinator } from "./coordinator.ts";

/** Bytes of one piece of an upload. */
export const MAX_PIECE = 4 * 1024 * 1024;
/** Pieces in memory at once: who has the turn sends one; more are left of connections that broke. */
export const MAX_PIECES = 4;

const nameSchema = z.strictObject({ name: z.string().max(256) });

const STATUS: Record<string, number> = {
  "ceremony/unknown-ticket": 401,
  "ceremony/turn-lost": 401,
  "ceremony/not-your-turn": 409,
  "ceremony/checking": 409,
  "ceremony/wrong-offset": 409,
  "ceremony/uploads-at-once": 409,
  "ceremony/closed": 409,
  "ceremony/upload-too-large": 413,
  "ceremony/queue-full": 503,
  "ceremony/cannot-write": 507,
  "wire/not-found": 404,
  "wire/too-large": 413,
  "internal/error": 500,
};

/** Errors of fastify in our words; all else says nothing to strangers. */
function asPublic(error: unknown): DeltapayError {
  if (error instanceof DeltapayError) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return new DeltapayError("wire/too-large", "the body is larger than allowed here", { field: "body" });
  if (statusCode !== undefined && statusCode < 500)
    return new DeltapayError("wire/bad-request", "the request is malformed", { field: "request" });
  return new DeltapayError("internal/error", "something went wrong here", { hint: "try again later" });
}

function sendError(cause: unknown, reply: FastifyReply): FastifyReply {
  const error = asPublic(cause);
  return reply.code(STATUS[error.code] ?? 400).send({ error });
}

/** @throws DeltapayError `ceremony/unknown-ticket` */
function ticketOf({ headers }: FastifyRequest): string {
  const [, ticket] = /^Bearer ([0-9a-f]{64})$/.exec(headers.authorization ?? "") ?? [];
  ensure(ticket !== undefined, "ceremony/unknown-ticket", "a ticket is needed here", {
    field: "authorization",
    hint: "join the queue: POST /v1/queue",
  });
  return ticket;
}

function sizeOf(request: FastifyRequest): number {
  return Number((request.params as { size: string }).size);
}

/** Sends a file, or what follows from `Range: bytes=N-`. */
function sendFile(request: FastifyRequest, reply: FastifyReply, file: string): FastifyReply {
  const size = fs.statSync(file).size;
  const [, from] = /^bytes=([0-9]{1,12})-$/.exec(request.headers.range ?? "") ?? [];
  const start = from === undefined ? 0 : Number(from);
  ensure(start <= size, "wire/bad-request", `the file has ${size} bytes`, { field: "range" });
  reply.header("accept-ranges", "bytes").type("application/octet-stream");
  reply.header("content-length", size - start);
  if (from !== undefined) reply.code(206).header("content-range", `bytes ${start}-${size - 1}/${size}`);
  return reply.send(fs.createReadStream(file, { start }));
}

/** Refuses a piece before it is read: only who has the turn sends any, and not many at once. */
function admitPiece(coordinator: Coordinator) {
  let pieces = 0;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    coordinator.uploads(ticketOf(request));
    ensure(pieces < MAX_PIECES, "ceremony/uploads-at-once", `${pieces} pieces are under way already`, {
      field: "body",
      hint: "send one piece after the other",
    });
    pieces += 1;
    reply.raw.once("close", () => {
      pieces -= 1;
    });
  };
}

function routes(app: FastifyInstance, coordinator: Coordinator): void {
  const { folder, queue } = coordinator;
  app.get("/v1/ceremony", () => coordinator.view());
  app.get("/v1/ptau", (request, reply) => sendFile(request, reply, folder.ptauFile));
  app.get("/v1/circuits/:size", (request, reply) =>
    reply.type("application/octet-stream").send(Buffer.from(coordinator.key(sizeOf(request)).circuit.r1cs)),
  );
  app.get("/v1/rounds/:round/:size", (request, reply) => {
    const { round } = request.params as { round: string };
    const size = coordinator.key(sizeOf(request)).size;
    ensure(
      Number(round) === folder.round() && folder.round() > 0,
      "wire/not-found",
      "only the last round is here",
      {
        field: "round",
        hint: "GET /v1/ceremony names it",
      },
    );
    return sendFile(request, reply, folder.roundFile(folder.round(), `${size}.zkey`));
  });
  app.post("/v1/queue", (request, reply) => {
    const parsed = nameSchema.safeParse(request.body);
    ensure(parsed.success, "wire/malformed", "expected {name}", { field: "name" });
    const ticket = coordinator.join(parsed.data.name, clientOf(request.ip));
    return reply.code(201).send({ ticket, ...queue.place(ticket) });
  });
  app.get("/v1/queue", (request) => {
    const ticket = ticketOf(request);
    const place = queue.place(ticket);
    const received = place.position === 0 ? coordinator.uploads(ticket).received() : {};
    return { ...place, received };
  });
  app.delete("/v1/queue", (request, reply) => {
    queue.leave(ticketOf(request));
    return reply.code(204).send();
  });
  app.put("/v1/keys/:size", { bodyLimit: MAX_PIECE, onRequest: admitPiece(coordinator) }, (request) => {
    const uploads = coordinator.uploads(ticketOf(request));
    const offset = Number(request.headers["upload-offset"]);
    ensure(
      Buffer.isBuffer(request.body) && Number.isSafeInteger(offset),
      "wire/bad-request",
      "expected octets and Upload-Offset",
      { field: "upload-offset" },
    );
    return { received: uploads.append(sizeOf(request), offset, request.body) };
  });
  app.post("/v1/contribution", (request) => coordinator.accept(ticketOf(request)));
}

export interface CoordinatorServer {
  url: string;
  close(): Promise<void>;
}

/**
 * Serves a coordinator.
 * @param extend adds what else is served, such as a page
 * @throws DeltapayError `ceremony/cannot-listen`
 */
export async function serveCoordinator(
  coordinator: Coordinator,
  { host = "127.0.0.1", port = 0, trustProxy = false } = {},
  extend: (app: FastifyInstance) => void = () => {},
): Promise<CoordinatorServer> {
  const app = fastify({
    bodyLimit: 4096,
    requestTimeout: 120_000,
    connectionTimeout: 120_000,
    // Its own entry is the last; what stands before it is the client's to invent.
    trustProxy: trustProxy && ((_: string, hop: number) => hop === 0),
    forceCloseConnections: true,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => sendError(error, reply),
  });
  app.server.headersTimeout = 10_000;
  app.server.maxConnections = 512;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "string" },
    app.getDefaultJsonParser("error", "error"),
  );
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_, body, done) =>
    done(null, body),
  );
  app.setErrorHandler((error, _, reply) => sendError(error, reply));
  app.setNotFoundHandler((_, reply) =>
    reply.code(404).send({ error: new DeltapayError("wire/not-found", "there is nothing here") }),
  );
  routes(app, coordinator);
  extend(app);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw new DeltapayError("ceremony/cannot-listen", `the coordinator cannot listen on ${host}:${port}`, {
      field: "port",
      hint: "choose another port",
      cause,
    });
  }
  const bound = (app.server.address() as AddressInfo).port;
  return { url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`, close: () => app.close() };
}
