/** The gateway over HTTP: the part of OpenAI's API that text completion needs. */
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { Tokenizer } from "../model/tokenizer.ts";
import { type AccessOptions, checkAccess } from "./access.ts";
import { awaitRead, whenGone, writePiece } from "./clients.ts";
import { parseCompletionRequest } from "./completionRequest.ts";
import { type Completing, complete, stream } from "./completions.ts";
import { asGatewayError, errorBody, GatewayError } from "./errors.ts";
import { modelNamed, type ServedModel } from "./models.ts";
import type { Purse } from "./purse.ts";
import { Turns } from "./turns.ts";

export interface GatewayOptions {
  models: readonly ServedModel[];
  tokenizer: Tokenizer;
  purse: Purse;
  access: AccessOptions;
  /** Needed off loopback. PEM. */
  tls?: { cert: Buffer; key: Buffer };
  /** Hears of every failure. */
  onError?: (error: unknown) => void;
}

const BODY_LIMIT = 2 ** 20;
/** Milliseconds. */
const TIMES = { connectionTimeout: 0, keepAliveTimeout: 72_000, requestTimeout: 30_000 };
const HEADERS_TIMEOUT = 10_000;
/** The owner's programs need few; each holds at most a body and what its client has not read. */
export const MAX_CONNECTIONS = 256;

export interface Gateway {
  app: FastifyInstance;
  /** Takes nothing new, lets the pass under way finish, and closes. */
  close(): Promise<void>;
}

/** Builds the server; the caller listens. */
export function buildGateway(options: GatewayOptions): Gateway {
  const { models, access, tls } = options;
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    ...TIMES,
    ...(tls === undefined ? {} : { https: tls }),
  }) as FastifyInstance;
  app.server.headersTimeout = HEADERS_TIMEOUT;
  app.server.maxConnections = MAX_CONNECTIONS;
  // Of their own: a contributor that lets a pass hang does not stop the free model.
  const turns = { paid: new Turns(), free: new Turns() };
  const closing = new AbortController();
  app.removeContentTypeParser("text/plain");
  app.addHook("onRequest", async ({ headers }) => checkAccess(headers, access));
  app.setErrorHandler((error, _request, reply) => refuse(options, error, reply));
  app.setNotFoundHandler((request, reply) =>
    refuse(
      options,
      new GatewayError(404, "not_found", `there is no ${request.method} ${request.url.slice(0, 100)}`),
      reply,
    ),
  );
  const created = Math.floor(Date.now() / 1000);
  const card = ({ id, paid }: ServedModel) => ({
    id,
    object: "model",
    created,
    owned_by: paid ? "deltapay" : "local",
  });
  app.get("/v1/models", () => ({ object: "list", data: models.map(card) }));
  app.get("/v1/models/:id", ({ params }) => card(modelNamed(models, (params as { id: string }).id)));
  app.post("/v1/chat/completions", () => {
    throw new GatewayError(
      400,
      "unsupported",
      "base models have no chat template: use /v1/completions",
      "messages",
    );
  });
  app.post("/v1/completions", async (request, reply) => {
    const asked = parseCompletionRequest(request.body);
    const model = modelNamed(models, asked.model);
    const completing: Completing = {
      ...{ ...options, model, request: asked },
      signal: AbortSignal.any([whenGone(request.raw.socket), closing.signal]),
    };
    await turns[model.paid ? "paid" : "free"].take(completing.signal, async () => {
      if (asked.stream) await sendEvents(options, completing, reply);
      else await reply.send(await complete(completing));
    });
    awaitRead(reply.raw);
    return reply;
  });
  return {
    app,
    async close() {
      closing.abort(new GatewayError(503, "stopping", "the gateway is being stopped"));
      await Promise.all([turns.paid.idle(), turns.free.idle()]);
      await app.close();
    },
  };
}

function refuse({ onError }: GatewayOptions, error: unknown, reply: FastifyReply): FastifyReply {
  const shown = asGatewayError(fromFastify(error));
  if (shown.status >= 500) onError?.(error);
  return reply.status(shown.status).send(errorBody(shown));
}

/** Fastify's own refusals of a body carry a status. */
function fromFastify(error: unknown): unknown {
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (statusCode === undefined || statusCode >= 500) return error;
  return new GatewayError(statusCode, (code ?? "bad_request").toLowerCase(), message ?? "refused", "body");
}

/** Server-sent events; a failure after the first is an event too. */
async function sendEvents(
  options: GatewayOptions,
  completing: Completing,
  reply: FastifyReply,
): Promise<void> {
  const { raw } = reply;
  const write = (data: unknown): void => {
    if (!raw.headersSent) {
      reply.hijack();
      raw.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" });
    }
    writePiece(raw, `data: ${JSON.stringify(data)}\n\n`);
  };
  try {
    await stream(completing, write);
  } catch (error) {
    if (!raw.headersSent) throw error;
    options.onError?.(error);
    write(errorBody(asGatewayError(error)));
  }
  raw.end("data: [DONE]\n\n");
}
