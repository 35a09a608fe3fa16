/** Paths and limits of the contributor's HTTP service, version 1. docs/protocol.md describes each message. */

export const PATHS = {
  health: "/healthz",
  /** GET: what is served, on which chain, under which terms. */
  service: "/v1/service",
  /** GET: the manifest's exact bytes. */
  manifest: "/v1/adapters/:adapterId/manifest",
  /** GET: the commitments file named by the manifest. */
  commitments: "/v1/adapters/:adapterId/commitments",
  /** POST {nonce}: a fresh signed answer. */
  liveness: "/v1/adapters/:adapterId/liveness",
  /** POST {agreementId, clientNonce}: a server nonce. */
  challenge: "/v1/sessions/challenge",
  /** POST {agreementId, clientNonce, serverNonce, signature}: a session token. */
  sessions: "/v1/sessions",
  /** GET (token): the session as the contributor sees it. */
  session: "/v1/session",
  /** GET (token): scaleSalt 32 bytes, then b of every module as float64 LE. */
  scales: "/v1/session/scales",
  /** GET (token): what the answers to this buyer give away of the adapter. */
  leakage: "/v1/session/leakage",
  /** POST (token), binary: activations of some modules of a pass; answers come back. */
  pass: "/v1/session/passes/:pass",
  /** POST (token) {receipt, signature}. */
  receipts: "/v1/session/receipts",
  /** POST (token): the buyer is done; the contributor may prove and settle. */
  end: "/v1/session/end",
  /** GET (token): the proof bundle, once made. */
  bundle: "/v1/session/bundle",
} as const;

export const LIMITS = {
  /** Bytes of a JSON body. */
  jsonBytes: 64 * 1024,
  /** Bytes of a manifest. */
  manifestBytes: 4 * 1024 * 1024,
  /** Bytes of a commitments file. */
  commitmentsBytes: 1024 * 1024 * 1024,
  /** Bytes of an activations request. */
  activationsBytes: 256 * 1024 * 1024,
  /** Tokens of one pass. */
  passTokens: 65536,
} as const;

/** A path with its parameters filled in. */
export function fillPath(path: string, parameters: Record<string, string | number>): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(parameters[name])));
}
