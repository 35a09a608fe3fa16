/** Who may call the admin API: by its own name, from a page it was told of, with the token. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import { carriesToken } from "./token.ts";

export interface GuardOptions {
  token: string;
  /** Origins of pages that may call, `http://127.0.0.1:7430`. */
  origins: readonly string[];
}

/** Names of the loopback interface, as a Host header has them. */
const LOOPBACK_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Refuses a request that came by another name: a page of a foreign site whose name was rebound to this machine would be
 * of one origin with the API.
 */
function checkHost(request: FastifyRequest): void {
  const { port } = request.socket.address() as { port: number };
  const host = request.headers.host ?? "";
  const at = host.lastIndexOf(":");
  ensure(
    LOOPBACK_NAMES.has(host.slice(0, at)) && host.slice(at + 1) === String(port),
    "admin/other-host",
    "the admin API is at a loopback address only",
    { field: "host", hint: `use http://127.0.0.1:${port}` },
  );
}

/** Checks the page that asks, if it is one, and lets it read the answer. */
function checkOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  reply.header("vary", "Origin");
  const { origin } = request.headers;
  if (origin === undefined) return;
  ensure(origins.includes(origin), "admin/other-origin", "pages of this origin may not call the admin API", {
    field: "origin",
    hint: "name the page's origin when serving: --admin-origin",
  });
  reply.header("access-control-allow-origin", origin);
}

/** The check before any request is read; answers preflights itself. */
export function guard({ token, origins }: GuardOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
    checkHost(request);
    checkOrigin(request, reply, origins);
    if (request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined)
      return reply
        .header("access-control-allow-methods", "GET, POST")
        .header("access-control-allow-headers", "authorization, content-type")
        .header("access-control-max-age", "600")
        .status(204)
        .send();
    if (!carriesToken(request.headers.authorization, token))
      throw new DeltapayError("admin/unauthorised", "the admin token is missing or wrong", {
        field: "authorization",
        hint: "it is in admin.token of the service's data folder",
      });
    return undefined;
  };
}
