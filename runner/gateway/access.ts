/** Who may use a gateway: it spends its owner's money. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { GatewayError } from "./errors.ts";

export interface AccessOptions {
  /** Bearer key; undefined lets in whoever reaches the address. */
  apiKey: string | undefined;
  /** Names by which the gateway is reached, without port, lower case; undefined for any. */
  hosts: readonly string[] | undefined;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Refuses what does not come from the owner's own programs. Web pages are kept out: they send an Origin, and a name that was
 * rebound to this address sends its own Host.
 * @throws GatewayError 401, 403
 */
export function checkAccess(headers: IncomingHttpHeaders, { apiKey, hosts }: AccessOptions): void {
  if (headers.origin !== undefined)
    throw new GatewayError(403, "origin_refused", "web pages may not use this gateway");
  if (hosts !== undefined && !hosts.includes(hostName(headers.host)))
    throw new GatewayError(403, "host_refused", "this gateway does not go by that name");
  if (apiKey === undefined) return;
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  if (!timingSafeEqual(digest(given), digest(apiKey)))
    throw new GatewayError(401, "invalid_api_key", "the API key is missing or wrong");
}

function hostName(host = ""): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}
