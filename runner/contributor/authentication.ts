/**
 * Who may use a session: challenges, and the tokens that follow them (protocol 5.1).
 *
 * A server nonce carries its own expiry and a MAC, so that handing one out costs no memory; it is remembered only once a
 * right signature used it.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { fromHex, type Hex, toHex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { SessionProof } from "../protocol/typedData.ts";

export interface AuthenticationOptions {
  /** Seconds a server nonce may be answered. Default 60. */
  nonceSeconds?: number;
  /** Seconds a session token is good for. Default one hour. */
  tokenSeconds?: number;
  /** Tokens alive per agreement; a new one ends the oldest. Default 4. */
  tokensPerAgreement?: number;
  /** Unix seconds; the machine's clock by default. */
  now?: () => number;
}

interface Session {
  agreementId: Hex;
  hash: Buffer;
  expiresAt: number;
}

const MAC_BYTES = 16;

function hashOf(secret: Uint8Array): Buffer {
  return createHash("sha256").update(secret).digest();
}

export class Authentication {
  readonly #macKey = randomBytes(32);
  readonly #options: Required<AuthenticationOptions>;
  /** Nonces that opened a session, until they would have expired. */
  readonly #used = new Map<Hex, number>();
  readonly #sessions = new Map<string, Session>();

  constructor(options: AuthenticationOptions = {}) {
    this.#options = {
      nonceSeconds: 60,
      tokenSeconds: 3600,
      tokensPerAgreement: 4,
      now: () => Math.floor(Date.now() / 1000),
      ...options,
    };
  }

  /** A nonce for one session of this agreement: expiry u64 BE | 8 random bytes | MAC 16. */
  challenge(agreementId: Hex, clientNonce: Hex): Hex {
    const head = Buffer.alloc(16);
    head.writeBigUInt64BE(BigInt(this.#options.now() + this.#options.nonceSeconds));
    randomBytes(8).copy(head, 8);
    return toHex(Buffer.concat([head, this.#mac(head, agreementId, clientNonce)]));
  }

  /**
   * Checks that a nonce is ours, for this client and agreement, fresh and unused.
   * @throws DeltapayError `session/unknown-nonce`, `session/expired-nonce`, `session/replayed-nonce`
   */
  checkNonce({ agreementId, clientNonce, serverNonce }: SessionProof): void {
    const nonce = Buffer.from(fromHex(serverNonce, 32, "serverNonce"));
    const fail = (what: string, message: string): never => {
      throw new DeltapayError(`session/${what}`, message, {
        field: "serverNonce",
        hint: "ask for a new challenge",
      });
    };
    const mac = this.#mac(nonce.subarray(0, 16), agreementId, clientNonce);
    if (!timingSafeEqual(nonce.subarray(16), mac)) fail("unknown-nonce", "this nonce was not given out here");
    if (nonce.readBigUInt64BE() < BigInt(this.#options.now())) fail("expired-nonce", "this nonce is too old");
    if (this.#used.has(serverNonce)) fail("replayed-nonce", "this nonce opened a session already");
  }

  /** Uses up a nonce, whose signature the caller has checked, and opens a session. @throws as `checkNonce` */
  open(proof: SessionProof): { token: string; expiresAt: number } {
    this.checkNonce(proof);
    const now = this.#options.now();
    for (const [nonce, expiry] of this.#used) if (expiry < now) this.#used.delete(nonce);
    this.#used.set(proof.serverNonce, now + this.#options.nonceSeconds);
    this.#forgetOldest(proof.agreementId, now);
    const id = randomBytes(8).toString("hex");
    const secret = randomBytes(32).toString("base64url");
    const expiresAt = now + this.#options.tokenSeconds;
    this.#sessions.set(id, { agreementId: proof.agreementId, hash: hashOf(Buffer.from(secret)), expiresAt });
    return { token: `${id}.${secret}`, expiresAt };
  }

  /**
   * The agreement a token belongs to.
   * @throws DeltapayError `session/unauthorised`
   */
  authenticate(token: string | undefined): Hex {
    const match = /^([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/.exec(token ?? "");
    const session = match === null ? undefined : this.#sessions.get(match[1]!);
    // The text itself: four last letters decode to the same bytes.
    const presented = hashOf(Buffer.from(match?.[2] ?? ""));
    if (
      session === undefined ||
      !timingSafeEqual(session.hash, presented) ||
      session.expiresAt < this.#options.now()
    )
      throw new DeltapayError("session/unauthorised", "no session has this token, or it has expired", {
        field: "authorization",
        hint: "open a session: ask for a challenge and sign it with the agreement's signer",
      });
    return session.agreementId;
  }

  /** Forgets what has expired, and makes room for one more session of the agreement. */
  #forgetOldest(agreementId: Hex, now: number): void {
    const own: string[] = [];
    for (const [id, session] of this.#sessions) {
      if (session.expiresAt < now) this.#sessions.delete(id);
      else if (session.agreementId === agreementId) own.push(id);
    }
    const excess = own.length - this.#options.tokensPerAgreement + 1;
    for (const id of own.slice(0, Math.max(0, excess))) this.#sessions.delete(id);
  }

  #mac(head: Uint8Array, agreementId: Hex, clientNonce: Hex): Buffer {
    return createHmac("sha256", this.#macKey)
      .update(head)
      .update(fromHex(agreementId, 32, "agreementId"))
      .update(fromHex(clientNonce, 32, "clientNonce"))
      .digest()
      .subarray(0, MAC_BYTES);
  }
}
