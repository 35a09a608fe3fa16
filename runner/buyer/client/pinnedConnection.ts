/** Where a buyer's bytes may go: plain HTTP on loopback, else TLS to one certificate known by its hash (protocol 5.1). */
import { TLSSocket } from "node:tls";
import { buildConnector } from "undici";
import { type Hex, toHex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/hash.ts";

/** Says whether a certificate, by the SHA-256 of its DER form, is the expected one. */
export type CertificateCheck = (sha256: Hex) => boolean;

/** Accepts exactly one certificate. */
export function onlyCertificate(expected: Hex): CertificateCheck {
  return (found) => found === expected.toLowerCase();
}

/** Whether a URL's host is this machine. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/** Whether two URLs lead to one service; all loopback names are one host. */
export function sameOrigin(a: URL, b: URL): boolean {
  const local = isLoopback(a.hostname) && isLoopback(b.hostname);
  return a.protocol === b.protocol && a.port === b.port && (local || a.hostname === b.hostname);
}

/**
 * A service's base URL, without a trailing slash in its path.
 * @throws DeltapayError `http/bad-url`, `http/insecure-url` (plain HTTP off loopback)
 */
export function parseServiceUrl(text: string): URL {
  const fail = (message: string): never => {
    throw new DeltapayError("http/bad-url", message, {
      field: "url",
      hint: "give a URL such as https://example.org:8443",
    });
  };
  const url = URL.canParse(text) ? new URL(text) : fail("not a URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") fail(`'${url.protocol}' is not http or https`);
  if (url.username !== "" || url.password !== "") fail("a service's URL holds no user or password");
  if (url.search !== "" || url.hash !== "") fail("a service's URL has no query or fragment");
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw new DeltapayError("http/insecure-url", `plain HTTP to ${url.host} would show all to the network`, {
      field: "url",
      hint: "plain HTTP is for this machine only (127.0.0.1); use https elsewhere",
    });
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

/** An undici connector that hands out a TLS connection only when `accepts` says yes, before any byte is sent on it. */
export function pinnedConnector(accepts: CertificateCheck, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    // A resumed session shows no certificate.
    maxCachedSessions: 0,
    minVersion: "TLSv1.2",
    // The certificate is known by its hash: who signed it and which name it carries say nothing more.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      if (options.protocol !== "https:" || hasAcceptedCertificate(socket, accepts))
        return callback(null, socket);
      socket.destroy();
      callback(
        new DeltapayError(
          "http/certificate",
          `${options.hostname} shows another certificate than its contributor signed`,
          {
            field: "tlsCertificate",
            hint: "if it was renewed: --contributor URL finds the record that the contributor signed for the new one",
          },
        ),
        null,
      );
    });
}

function hasAcceptedCertificate(socket: unknown, accepts: CertificateCheck): boolean {
  if (!(socket instanceof TLSSocket)) return false;
  const { raw } = socket.getPeerCertificate();
  return raw !== undefined && accepts(toHex(sha256(new Uint8Array(raw))));
}
