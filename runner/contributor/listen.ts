/** Where the service listens: plain HTTP on loopback only, TLS elsewhere (protocol 5.1). */
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { clientOf } from "../wire/clientAddress.ts";

export interface ListenOptions {
  /** Address to bind. Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  /** PEM files: certificate (chain) and private key. Needed off loopback. */
  tls?: { certFile: string; keyFile: string };
  /** Where they are to differ from `TIMES`. */
  times?: Partial<Times>;
}

/** Milliseconds a client may take. */
export interface Times {
  /** For the handshake of TLS. */
  handshake: number;
  /** From the opening of a connection, or the first byte of its next request, to the end of the headers. */
  headers: number;
  /** To the end of the body. */
  request: number;
  /** Without reading anything of an answer. */
  unread: number;
  /** Between two requests. */
  idle: number;
  /** Between looks for requests that take too long. */
  lookEvery: number;
}

export const TIMES: Times = {
  handshake: 10_000,
  headers: 10_000,
  // The largest activations come at 17 Mbit/s in this time.
  request: 120_000,
  unread: 60_000,
  idle: 72_000,
  lookEvery: 2000,
};

export interface Transport {
  host: string;
  port: number;
  scheme: "http" | "https";
  /** SHA-256 of the DER certificate; zero without TLS. */
  tlsCertificate: Hex;
  createServer(handler: http.RequestListener): http.Server;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function readPem(file: string, what: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (cause) {
    throw new DeltapayError("serve/tls-file", `the ${what} cannot be read`, { field: file, cause });
  }
}

const MAX_CONNECTIONS = 1024;
/** Connections of one client: a buyer needs a few, a proxy in front of the service comes from loopback. */
const CLIENT_CONNECTIONS = 64;
const LOOPBACK_CONNECTIONS = 256;

/** Closes what one client opens beyond its share, so that it cannot hold all connections. */
function shareOut(server: http.Server): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const client = clientOf(address);
    const count = (open.get(client) ?? 0) + 1;
    if (count > (isLoopback(address.replace("::ffff:", "")) ? LOOPBACK_CONNECTIONS : CLIENT_CONNECTIONS)) {
      socket.destroy();
      return;
    }
    open.set(client, count);
    socket.once("close", () => {
      const left = open.get(client)! - 1;
      if (left === 0) open.delete(client);
      else open.set(client, left);
    });
  });
}

/** Bounds what a slow or idle client can hold. */
function bound(server: http.Server, times: Times): http.Server {
  server.requestTimeout = times.request;
  server.headersTimeout = times.headers;
  server.keepAliveTimeout = times.idle;
  server.maxConnections = MAX_CONNECTIONS;
  // Who asks for much and reads none of it would hold a connection, and the answer, for ever.
  server.prependListener("request", (_request, response) => {
    const limit = (): unknown => response.setTimeout(times.unread);
    response.once("pipe", limit).once("prefinish", limit);
  });
  shareOut(server);
  return server;
}

/** @throws DeltapayError `serve/tls-needed`, `serve/tls-file` */
export function transport(options: ListenOptions): Transport {
  const { host = "127.0.0.1", port = 0, tls } = options;
  const times = { ...TIMES, ...options.times };
  const looks = { connectionsCheckingInterval: times.lookEvery };
  if (tls === undefined) {
    if (!isLoopback(host))
      throw new DeltapayError("serve/tls-needed", `plain HTTP on ${host} would show all to the network`, {
        field: "tls",
        hint: "give a certificate and its key, or listen on 127.0.0.1",
      });
    return {
      host,
      port,
      scheme: "http",
      tlsCertificate: `0x${"0".repeat(64)}`,
      createServer: (handler) => bound(http.createServer(looks, handler), times),
    };
  }
  const cert = readPem(tls.certFile, "TLS certificate");
  const key = readPem(tls.keyFile, "TLS key");
  try {
    const fingerprint = new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase();
    https.createServer({ cert, key }).close();
    return {
      host,
      port,
      scheme: "https",
      tlsCertificate: `0x${fingerprint}`,
      createServer: (handler) =>
        bound(
          https.createServer(
            { ...looks, cert, key, minVersion: "TLSv1.2", handshakeTimeout: times.handshake },
            handler,
          ),
          times,
        ),
    };
  } catch {
    // The cause is left out: it could quote the key.
    throw new DeltapayError("serve/tls-file", "certificate and key do not fit together or are not PEM", {
      field: tls.certFile,
    });
  }
}
