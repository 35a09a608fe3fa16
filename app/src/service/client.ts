/** The contributor's own service, over its admin API. */

import type { Hex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import {
  ADMIN_PATHS,
  type AdminAdapters,
  type AdminSessions,
  adminAdaptersSchema,
  adminBundleSchema,
  adminOfferSchema,
  adminSessionsSchema,
} from "../../../runner/wire/admin.ts";
import {
  errorSchema,
  type ProofBundle,
  parseMessage,
  type SignedOffer,
  stringifyMessage,
} from "../../../runner/wire/messages.ts";
import { fillPath } from "../../../runner/wire/paths.ts";

/** Milliseconds until a service that says nothing counts as gone; proving takes longer. */
const TIMEOUT = 15_000;
const PROVING_TIMEOUT = 3_600_000;

/** Requests of one service, with the token its owner's page was opened with. */
export class ServiceClient {
  readonly adminUrl: string;
  readonly #token: string;

  constructor(adminUrl: string, token: string) {
    this.adminUrl = adminUrl;
    this.#token = token;
  }

  /** @throws DeltapayError `service/...`, `admin/...`, `wire/malformed` */
  async adapters(): Promise<AdminAdapters> {
    return parseMessage(adminAdaptersSchema, await this.#ask(ADMIN_PATHS.adapters), "adapters");
  }

  /** @throws as `adapters` */
  async sessions(): Promise<AdminSessions> {
    return parseMessage(adminSessionsSchema, await this.#ask(ADMIN_PATHS.sessions), "sessions");
  }

  /** The bytes of an adapter's manifest, unchecked: canonical JSON has one spelling. @throws as `adapters` */
  async manifest(adapterId: Hex): Promise<Uint8Array> {
    const manifest = await this.#ask(fillPath(ADMIN_PATHS.manifest, { adapterId }));
    return new TextEncoder().encode(JSON.stringify(manifest));
  }

  /** The proof bundle of an agreement. @throws as `adapters`, `session/not-proven`, `session/no-receipt` */
  async bundle(agreementId: Hex): Promise<ProofBundle> {
    return this.#bundle(await this.#ask(fillPath(ADMIN_PATHS.bundle, { agreementId })));
  }

  /** Has the newest receipt proven. @throws as `adapters` and what the service says */
  async prove(agreementId: Hex): Promise<ProofBundle> {
    const path = fillPath(ADMIN_PATHS.prove, { agreementId });
    return this.#bundle(await this.#ask(path, {}, PROVING_TIMEOUT));
  }

  /** Shows an offer to buyers from now on. @throws as `adapters` and what the service says */
  async addOffer(offer: SignedOffer): Promise<void> {
    parseMessage(adminOfferSchema, await this.#ask(ADMIN_PATHS.offers, offer), "offer");
  }

  /** Shows an offer no longer; to be cancelled on chain first. @throws as `adapters` */
  async hideOffer(offerHash: Hex): Promise<void> {
    await this.#ask(fillPath(ADMIN_PATHS.cancelOffer, { offerHash }), {});
  }

  #bundle(answer: unknown): ProofBundle {
    return parseMessage(adminBundleSchema, answer, "bundle");
  }

  async #ask(path: string, body?: unknown, timeout = TIMEOUT): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.adminUrl), {
        method: body === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: stringifyMessage(body) }),
        signal: AbortSignal.timeout(timeout),
        redirect: "error",
        credentials: "omit",
        cache: "no-store",
      });
    } catch {
      throw new DeltapayError("service/unreachable", `your service at ${this.adminUrl} does not answer`, {
        field: "adminUrl",
        hint: "start it with: deltapay serve --admin",
      });
    }
    const text = await response.text();
    const answer = parseJson(text);
    if (response.ok) return answer;
    throw serviceError(response.status, answer);
  }
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function serviceError(status: number, answer: unknown): DeltapayError {
  const said = errorSchema.safeParse(answer);
  if (!said.success)
    return new DeltapayError("service/failed", `your service answered with status ${status}`, {
      hint: "its log says more",
    });
  const { code, message, field, hint } = said.data.error;
  return new DeltapayError(code, message, {
    ...(field === undefined ? {} : { field }),
    ...(hint === undefined ? {} : { hint }),
  });
}
