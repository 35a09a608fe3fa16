/** The contributor's HTTP service, one method a path (runner/wire/paths.ts). */
import type { z } from "zod";
import type { Hex } from "../../protocol/bytes.ts";
import { MAX_GROUPS } from "../../protocol/layout.ts";
import type { Receipt, SessionProof } from "../../protocol/typedData.ts";
import {
  bundleSchema,
  challengeSchema,
  livenessSchema,
  type ProofBundle,
  type Service,
  type SessionView,
  serviceSchema,
  sessionSchema,
  sessionViewSchema,
} from "../../wire/messages.ts";
import { fillPath, LIMITS, PATHS } from "../../wire/paths.ts";
import type { HttpClient } from "./httpClient.ts";

/** Bytes of a service description with its most adapters and offers. */
const SERVICE_BYTES = 16 * 1024 * 1024;
/** Bytes of a group in a proof bundle: ten words of 78 digits in its statement and claim, and what is around them. */
const BUNDLE_GROUP_BYTES = 1024;
/** Bytes of a proof bundle of an adapter with the most groups; what is not of a group fits into a JSON body. */
export const BUNDLE_BYTES = MAX_GROUPS * BUNDLE_GROUP_BYTES + LIMITS.jsonBytes;

export class ContributorClient {
  readonly http: HttpClient;

  constructor(http: HttpClient) {
    this.http = http;
  }

  service(): Promise<Service> {
    return this.http.requestJson(serviceSchema, "service", {
      method: "GET",
      path: PATHS.service,
      maxBytes: SERVICE_BYTES,
    });
  }

  liveness(adapterId: Hex, nonce: Hex): Promise<z.output<typeof livenessSchema>> {
    return this.http.requestJson(livenessSchema, "liveness", {
      method: "POST",
      path: fillPath(PATHS.liveness, { adapterId }),
      json: { nonce },
      repeatable: true,
    });
  }

  /** The manifest's bytes as served. */
  manifest(adapterId: Hex): Promise<Uint8Array> {
    return this.http.request({
      method: "GET",
      path: fillPath(PATHS.manifest, { adapterId }),
      maxBytes: LIMITS.manifestBytes,
    });
  }

  /** The commitments file, at most `bytes` long. */
  commitments(adapterId: Hex, bytes: number, onProgress?: (received: number) => void): Promise<Uint8Array> {
    return this.http.request({
      method: "GET",
      path: fillPath(PATHS.commitments, { adapterId }),
      maxBytes: Math.min(bytes, LIMITS.commitmentsBytes),
      timeoutMs: 3_600_000,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }

  /** A nonce of the service, for one session. */
  async challenge(agreementId: Hex, clientNonce: Hex): Promise<Hex> {
    const { serverNonce } = await this.http.requestJson(challengeSchema, "challenge", {
      method: "POST",
      path: PATHS.challenge,
      json: { agreementId, clientNonce },
      repeatable: true,
    });
    return serverNonce;
  }

  startSession(proof: SessionProof, signature: Hex): Promise<z.output<typeof sessionSchema>> {
    return this.http.requestJson(sessionSchema, "session", {
      method: "POST",
      path: PATHS.sessions,
      json: { ...proof, signature },
    });
  }

  session(token: string): Promise<SessionView> {
    return this.http.requestJson(sessionViewSchema, "session", { method: "GET", path: PATHS.session, token });
  }

  /** scaleSalt 32 bytes, then b of every module: `bytes` in all. */
  scales(token: string, bytes: number): Promise<Uint8Array> {
    return this.http.request({ method: "GET", path: PATHS.scales, token, maxBytes: bytes });
  }

  /** Activations of a pass; the answer has `answerBytes`. A repeat with the same bytes gets the same answer. */
  pass(token: string, pass: number, body: Uint8Array, answerBytes: number): Promise<Uint8Array> {
    return this.http.request({
      method: "POST",
      path: fillPath(PATHS.pass, { pass }),
      token,
      bytes: body,
      maxBytes: answerBytes,
      repeatable: true,
    });
  }

  receipt(token: string, receipt: Receipt, signature: Hex): Promise<SessionView> {
    return this.http.requestJson(sessionViewSchema, "session", {
      method: "POST",
      path: PATHS.receipts,
      token,
      json: { receipt, signature },
      repeatable: true,
    });
  }

  /** Tells the contributor that the buyer is done. */
  end(token: string): Promise<SessionView> {
    return this.http.requestJson(sessionViewSchema, "session", {
      method: "POST",
      path: PATHS.end,
      token,
      json: {},
      repeatable: true,
    });
  }

  bundle(token: string): Promise<ProofBundle> {
    return this.http.requestJson(bundleSchema, "bundle", {
      method: "GET",
      path: PATHS.bundle,
      token,
      maxBytes: BUNDLE_BYTES,
    });
  }
}
