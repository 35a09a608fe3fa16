/** Metrics and health over HTTP, on loopback only: for Prometheus, systemd, container health checks. Reads, never acts. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { DeltapayError } from "../../protocol/errors.ts";
import { hasCode } from "../../storage/files.ts";
import type { Health } from "./health.ts";

export interface OperationsOptions {
  /** 0: any free one. */
  port: number;
  metrics: () => Promise<string>;
  health: () => Health;
}

export interface Operations {
  url: string;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Starts it: GET /metrics, /livez (the process runs), /healthz (200 when ready, else 503; what is wrong as JSON).
 * @throws DeltapayError `operations/port-in-use`
 */
export async function startOperations(options: OperationsOptions): Promise<Operations> {
  const server = http.createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
    answer(options, server, request, response).catch(() => response.destroy());
  });
  server.maxConnections = 64;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options.port, HOST, resolve);
  await promise.catch((cause: unknown) => {
    if (!hasCode(cause, "EADDRINUSE")) throw cause;
    throw new DeltapayError("operations/port-in-use", `port ${options.port} is in use`, {
      field: "metrics",
      hint: "choose another port, or 0 for any",
      cause,
    });
  });
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { metrics, health }: OperationsOptions,
  server: http.Server,
  { method, url, headers }: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const send = (status: number, type: string, body: string): void => {
    response
      .writeHead(status, {
        "content-type": type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      })
      .end(body);
  };
  const { port } = server.address() as AddressInfo;
  // A page of a foreign site whose name was rebound to this machine comes by its own name.
  if (!["127.0.0.1", "localhost"].some((name) => headers.host === `${name}:${port}`))
    return send(403, "text/plain", "at a loopback address only\n");
  if (method !== "GET" && method !== "HEAD") return send(405, "text/plain", "GET only\n");
  switch (url) {
    case "/metrics":
      return send(200, METRICS_TYPE, await metrics());
    case "/livez":
      return send(200, "text/plain", "ok\n");
    case "/healthz": {
      const found = health();
      return send(found.ready ? 200 : 503, "application/json", `${JSON.stringify(found)}\n`);
    }
    default:
      return send(404, "text/plain", "there are /metrics, /livez and /healthz\n");
  }
}
