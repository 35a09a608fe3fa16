/** Where a gateway listens, and who may use it: decided before anything is opened, as a mistake here must cost nothing. */
import * as fs from "node:fs";
import { createSecureContext } from "node:tls";
import type { GatewayOptions } from "../gateway/server.ts";
import { badValue } from "./failure.ts";

export interface PlaceFlags {
  host: string;
  apiKeyFile?: string;
  tlsCert?: string;
  tlsKey?: string;
}

export type GatewayPlace = Pick<GatewayOptions, "access" | "tls">;

/** Names by which this machine alone reaches it; brackets as in a Host header. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"];

/** @throws DeltapayError `usage/bad-value` */
export function gatewayPlace({ host, apiKeyFile, tlsCert, tlsKey }: PlaceFlags): GatewayPlace {
  const local = LOOPBACK.includes(host);
  if (!local && apiKeyFile === undefined)
    throw badValue(
      "api-key-file",
      "off loopback a gateway needs a key",
      "give --api-key-file: whoever has it spends your money",
    );
  const tls = readTls(tlsCert, tlsKey);
  if (!local && tls === undefined)
    throw badValue("tls-cert", "off loopback a gateway needs TLS", "give --tls-cert and --tls-key");
  const apiKey = apiKeyFile === undefined ? undefined : readKey(apiKeyFile);
  return { access: { apiKey, hosts: local ? LOOPBACK : undefined }, ...(tls === undefined ? {} : { tls }) };
}

function readTls(certFile?: string, keyFile?: string): GatewayPlace["tls"] {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw badValue("tls", "certificate and key come together", "give both --tls-cert and --tls-key");
  const tls = { cert: readFile(certFile), key: readFile(keyFile) };
  try {
    createSecureContext(tls);
  } catch {
    // The cause is left out: it could quote the key.
    throw badValue(
      certFile,
      "certificate and key do not fit together or are not PEM",
      "give a certificate and its own key",
    );
  }
  return tls;
}

function readFile(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (cause) {
    throw badValue(
      file,
      `it cannot be read: ${(cause as Error).message}`,
      "name a file that this user can read",
    );
  }
}

/** The first line. Others of this machine are whom the key keeps out. */
function readKey(file: string): string {
  const [line = ""] = readFile(file).toString("utf8").split("\n");
  if (process.platform !== "win32" && (fs.statSync(file).mode & 0o007) !== 0)
    throw badValue(
      file,
      "every user of this machine can read the key",
      "chmod 600, or put a new key into a new file",
    );
  if (line.trim().length < 16)
    throw badValue(
      "api-key-file",
      "the key is shorter than 16 characters",
      "put a long random key on its first line",
    );
  return line.trim();
}
