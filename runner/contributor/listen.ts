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
}

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

/** Milliseconds between looks for requests that take too long. */
const TIMES = { connectionsCheckingInterval: 2000 };
/** Milliseconds a TLS handshake may take. */
const HANDSHAKE_TIMEOUT = 10_000;

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
function bound(server: http.Server): http.Server {
  // The largest activations come at 17 Mbit/s in this time.
  server.requestTimeout = 120_000;
  server.headersTimeout = 10_000;
  server.keepAliveTimeout = 72_000;
  server.maxConnections = MAX_CONNECTIONS;
  shareOut(server);
  return server;
}

/** @throws DeltapayError `serve/tls-needed`, `serve/tls-file` */
export function transport({ host = "127.0.0.1", port = 0, tls }: ListenOptions): Transport {
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
      createServer: (handler) => bound(http.createServer(TIMES, handler)),
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
            { ...TIMES, cert, key, minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_TIMEOUT },
            handler,
          ),
        ),
    };
  } catch {
    // The cause is left out: it could quote the key.
    throw new DeltapayError("serve/tls-file", "certificate and key do not fit together or are not PEM", {
      field: tls.certFile,
    });
  }
}
