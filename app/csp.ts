/** What the page may load and talk to. One policy, sent as a header by whatever serves the page and written into its HTML. */

/**
 * @param connect origins the page may send requests to besides its own: the RPC node and the contributor's service.
 */
export function contentSecurityPolicy(connect: readonly string[]): string {
  return Object.entries({
    "default-src": "'none'",
    // The curve arithmetic is WebAssembly, which ffjavascript runs in workers it makes from blobs.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self' blob:",
    "style-src": "'self'",
    // Wallets announce their icons as data.
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": ["'self'", ...connect].join(" "),
    "base-uri": "'none'",
    "form-action": "'none'",
  })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join("; ");
}

/** The policy as a header: also who may frame the page, which HTML cannot say. */
export function policyHeader(connect: readonly string[]): string {
  return `${contentSecurityPolicy(connect)}; frame-ancestors 'none'`;
}

/** The policy in the HTML, for a server that sends none: only the header knows the addresses. */
export const HTML_POLICY = contentSecurityPolicy(["http:", "https:"]);
