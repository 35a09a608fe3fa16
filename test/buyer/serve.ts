/** A real HTTP or HTTPS server for one test. */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { type Hex, toHex } from "../../runner/protocol/bytes.ts";
import { sha256 } from "../../runner/protocol/hash.ts";

export interface Request {
  method: string;
  path: string;
  headers: http.IncomingHttpHeaders;
  body: Uint8Array;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** JSON value or bytes. */
  body?: unknown;
  /** Break the connection off instead of answering. */
  hangUp?: boolean;
}

export interface Served {
  url: string;
  /** Requests that arrived, in order. */
  requests: Request[];
  /** TCP connections accepted. */
  connections: () => number;
}

type Handler = (request: Request) => Answer | Promise<Answer>;
type Test = { after(work: () => void): void };

const certificates = new URL("certificates/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, certificates), "utf8");

/** SHA-256 of a test certificate in DER. */
export function certificateHash(name: "contributor" | "other"): Hex {
  return toHex(sha256(new Uint8Array(new X509Certificate(read(`${name}.crt`)).raw)));
}

/** Serves on a free port of 127.0.0.1 until the test ends; over TLS when a certificate is named. */
export async function serve(
  test: Test,
  handle: Handler,
  certificate?: "contributor" | "other",
): Promise<Served> {
  const requests: Request[] = [];
  let connections = 0;
  const listener: http.RequestListener = async (incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
    const request = {
      method: incoming.method!,
      path: incoming.url!,
      headers: incoming.headers,
      body: new Uint8Array(Buffer.concat(chunks)),
    };
    requests.push(request);
    const { status = 200, headers = {}, body, hangUp } = await handle(request);
    if (hangUp === true) return void incoming.socket.destroy();
    outgoing.writeHead(status, headers);
    outgoing.end(body instanceof Uint8Array ? body : JSON.stringify(body ?? {}));
  };
  const server =
    certificate === undefined
      ? http.createServer(listener)
      : https.createServer({ cert: read(`${certificate}.crt`), key: read(`${certificate}.key`) }, listener);
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const scheme = certificate === undefined ? "http" : "https";
  return { url: `${scheme}://127.0.0.1:${port}`, requests, connections: () => connections };
}

/** Whether an error is a DeltapayError with this code, and field when given. */
export function failsWith(code: string, field?: string): (error: unknown) => boolean {
  return (error) => {
    const found = error as { code?: unknown; field?: unknown };
    if (found.code === code && (field === undefined || found.field === field)) return true;
    throw error;
  };
}
