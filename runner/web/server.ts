/** Serves the wallet UI on loopback: the build, its policy, and where it finds its chain. */
import * as fs from "node:fs";
import type { AddressInfo } from "node:net";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { policyHeader } from "../../app/csp.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { hasCode } from "../storage/files.ts";
import { type AppConfig, appConfigSchema } from "../wire/admin.ts";
import { parseMessage } from "../wire/messages.ts";
import { refuseUnreadable } from "../wire/unreadable.ts";
import { serveProvingFiles } from "./keys.ts";
import { readSite, type SiteFile, siteFile } from "./site.ts";

export interface AppServerOptions {
  /** A production build. */
  directory: string;
  /** Default 0: any free one. */
  port?: number;
  /** Adds a wallet of the chain's unlocked accounts to the page. Local chains only. */
  demoWallet?: boolean;
}

export interface AppServer {
  /** `http://127.0.0.1:PORT`, which is the page's origin. */
  url: string;
  /** What /config.json answers; 503 before it is set. */
  configure(config: AppConfig): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const CONFIG_PATH = "/config.json";
/** Milliseconds. */
const REQUEST_TIMEOUT = 30_000;
const MAX_CONNECTIONS = 256;
const WALLET_FILES = ["wallet.js", "wallet.css"] as const;

/** Whatever is served: nothing sniffed, framed, embedded elsewhere or told where one came from. */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** Puts the demo wallet's script into the page, before its own. */
function withDemoWallet(files: Map<string, SiteFile>): void {
  for (const name of WALLET_FILES) {
    const bytes = fs.readFileSync(new URL(`demoWallet/${name}`, import.meta.url));
    files.set(`/demo-wallet/${name}`, siteFile(name, bytes));
  }
  const html = files.get("/index.html")!.bytes.toString();
  const tags =
    '<link rel="stylesheet" href="/demo-wallet/wallet.css"><script src="/demo-wallet/wallet.js" defer></script>';
  const index = siteFile("index.html", Buffer.from(html.replace("</head>", `${tags}</head>`)));
  files.set("/index.html", index).set("/", index);
}

/** Refuses a request by another name: to a site rebound to this machine the page would be of its own origin. */
function checkHost(request: FastifyRequest): void {
  const { port } = request.socket.address() as AddressInfo;
  if (request.headers.host !== `${HOST}:${port}` && request.headers.host !== `localhost:${port}`)
    throw new DeltapayError("app/other-host", "the page is served at a loopback address only", {
      field: "host",
      hint: `open http://${HOST}:${port}`,
    });
}

function refusePath(reply: FastifyReply): FastifyReply {
  return reply
    .status(400)
    .send({ error: new DeltapayError("wire/bad-request", "the path is malformed", { field: "path" }) });
}

function send(request: FastifyRequest, reply: FastifyReply, file: SiteFile): FastifyReply {
  reply
    .header("etag", file.etag)
    .header("cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.headers["if-none-match"] === file.etag) return reply.status(304).send();
  return reply.type(file.type).send(file.bytes);
}

/**
 * Starts serving a build; say where its chain is with `configure`.
 * @throws DeltapayError `app/port-in-use`
 */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  const files = readSite(options.directory);
  if (options.demoWallet === true) withDemoWallet(files);
  let config: SiteFile | undefined;
  let policy = policyHeader([]);
  const app = fastify({
    requestTimeout: REQUEST_TIMEOUT,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (_error, _request, reply) => refusePath(reply),
  });
  app.server.headersTimeout = REQUEST_TIMEOUT;
  app.server.maxConnections = MAX_CONNECTIONS;
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...HEADERS, "content-security-policy": policy });
    checkHost(request);
  });
  app.setErrorHandler((error, _request, reply) => {
    const known = error instanceof DeltapayError;
    if (!known)
      return reply.status(500).send({ error: { code: "internal/error", message: "it did not work" } });
    return reply.status(error.code === "app/other-host" ? 403 : 404).send({ error });
  });
  serveProvingFiles(app);
  app.get("/*", (request, reply) => {
    const path = request.url.split("?", 1)[0]!;
    if (path === CONFIG_PATH && config === undefined)
      return reply.status(503).send({ error: { code: "wire/starting", message: "not configured yet" } });
    const file = path === CONFIG_PATH ? config : files.get(path);
    if (file === undefined)
      throw new DeltapayError("wire/not-found", "there is no such file", { field: "path" });
    return send(request, reply, file);
  });
  try {
    await app.listen({ host: HOST, port: options.port ?? 0 });
  } catch (cause) {
    if (!hasCode(cause, "EADDRINUSE")) throw cause;
    throw new DeltapayError("app/port-in-use", `port ${options.port} is in use`, {
      field: "port",
      hint: "the page may be served already; or choose another --port",
      cause,
    });
  }
  return {
    url: `http://${HOST}:${(app.server.address() as AddressInfo).port}`,
    configure: (given) => {
      const checked = parseMessage(appConfigSchema, given, "config");
      const connect = [checked.rpcUrl, ...checked.services.map(({ adminUrl }) => adminUrl)];
      policy = policyHeader([...new Set(connect.map((url) => new URL(url).origin))]);
      config = siteFile("config.json", Buffer.from(JSON.stringify(checked)));
    },
    close: () => app.close(),
  };
}
