/** An authenticated session under an agreement: the signer's answer to a challenge gives a token (protocol 5.1). */
import type { LocalAccount } from "viem/accounts";
import { type Hex, toHex } from "../../protocol/bytes.ts";
import { ensure } from "../../protocol/errors.ts";
import { type Domain, typedData } from "../../protocol/typedData.ts";
import type { SessionView } from "../../wire/messages.ts";
import type { ContributorClient } from "../client/contributorClient.ts";
import { ServiceError } from "../client/httpClient.ts";

/** Tokens asked for during one call: the service may be started anew more than once while it is repeated. */
const MOST_CONNECTIONS = 5;

export class Session {
  readonly client: ContributorClient;
  readonly #domain: Domain;
  readonly #agreementId: Hex;
  readonly #signer: LocalAccount;
  #token: string | undefined;

  constructor(client: ContributorClient, domain: Domain, agreementId: Hex, signer: LocalAccount) {
    this.client = client;
    this.#domain = domain;
    this.#agreementId = agreementId;
    this.#signer = signer;
  }

  /** Opens a session and returns the contributor's view of it. */
  async connect(): Promise<SessionView> {
    const clientNonce = toHex(crypto.getRandomValues(new Uint8Array(32)));
    const serverNonce = await this.client.challenge(this.#agreementId, clientNonce);
    const proof = { agreementId: this.#agreementId, clientNonce, serverNonce };
    const signature = await this.#signer.signTypedData(typedData(this.#domain, "Session", proof));
    const { token, session } = await this.client.startSession(proof, signature);
    ensure(
      session.agreementId === this.#agreementId,
      "session/other-agreement",
      "the contributor opened a session of another agreement",
      {
        field: "session.agreementId",
      },
    );
    this.#token = token;
    return session;
  }

  /** Calls with the session's token; one that expired, or that a service started anew does not know, is replaced. */
  async call<Result>(request: (token: string) => Promise<Result>): Promise<Result> {
    for (let connections = 1; ; connections++) {
      if (this.#token === undefined) await this.connect();
      try {
        return await request(this.#token!);
      } catch (error) {
        if (!isExpired(error) || connections >= MOST_CONNECTIONS) throw error;
        this.#token = undefined;
      }
    }
  }
}

/** A receipt or signature that is refused is not a matter of the token. */
function isExpired(error: unknown): boolean {
  return error instanceof ServiceError && error.status === 401 && error.code.startsWith("session/");
}
