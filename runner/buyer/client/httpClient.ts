/** HTTP to one contributor: pinned, bounded in size and time, repeated only where a repeat means the same. */
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import type { z } from "zod";
import { DeltapayError } from "../../protocol/errors.ts";
import { errorSchema, parseMessage, stringifyMessage } from "../../wire/messages.ts";
import { LIMITS } from "../../wire/paths.ts";
import { type CertificateCheck, parseServiceUrl, pinnedConnector } from "./pinnedConnection.ts";

export interface HttpClientOptions {
  /** Which TLS certificate to talk to; without it only plain HTTP on loopback is possible. */
  accepts?: CertificateCheck;
  /** Times a repeatable request is tried. Default 5. */
  attempts?: number;
  /** First pause between tries, doubled each time, milliseconds. Default 200. */
  backoffMs?: number;
  /** To connect. Default 10 s. */
  connectTimeoutMs?: number;
  /** Between two signs of life of an answer. Default 60 s. */
  idleTimeoutMs?: number;
  /** For a whole exchange, where the request does not say. Default 10 minutes. */
  timeoutMs?: number;
}

export interface HttpRequest {
  method: "GET" | "POST";
  path: string;
  /** JSON message or raw bytes; the latter go as application/octet-stream. */
  json?: unknown;
  bytes?: Uint8Array;
  /** Session token. */
  token?: string;
  /** Largest answer accepted, bytes. Default LIMITS.jsonBytes. */
  maxBytes?: number;
  /** Whether sending the same bytes twice means the same as once. Default: GET does, POST does not. */
  repeatable?: boolean;
  /** For the whole exchange, milliseconds. Default: the client's. */
  timeoutMs?: number;
  onProgress?: (received: number) => void;
}

/** What a service answered instead of what was asked; code, field and hint are its own. */
export class ServiceError extends DeltapayError {
  /** HTTP status. */
  readonly status: number;
  /** Seconds the service asks to wait, or 0. */
  readonly retryAfter: number;

  constructor(
    status: number,
    retryAfter: number,
    error: { code: string; message: string; field?: string | undefined; hint?: string | undefined },
  ) {
    super(error.code, error.message, {
      ...(error.field === undefined ? {} : { field: error.field }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const MAX_PAUSE_MS = 30_000;
const TRANSIENT_CODES = new Set(["http/unreachable", "http/timeout", "http/interrupted"]);
const TRANSIENT_STATUS = new Set([429, 502, 503, 504]);

function isTransient(error: unknown): error is DeltapayError {
  if (error instanceof ServiceError) return TRANSIENT_STATUS.has(error.status);
  return error instanceof DeltapayError && TRANSIENT_CODES.has(error.code);
}

function isBusy(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "session/busy";
}

export class HttpClient {
  readonly url: URL;
  readonly #pool: Pool;
  readonly #attempts: number;
  readonly #backoffMs: number;
  readonly #timeoutMs: number;

  /** @throws DeltapayError `http/bad-url`, `http/insecure-url`, `http/no-certificate` */
  constructor(url: string, options: HttpClientOptions = {}) {
    this.url = parseServiceUrl(url);
    const { accepts, connectTimeoutMs = 10_000, idleTimeoutMs = 60_000 } = options;
    if (this.url.protocol === "https:" && accepts === undefined)
      throw new DeltapayError("http/no-certificate", "no certificate is known for this service", {
        field: "tlsCertificate",
        hint: "the contributor's service record names it",
      });
    this.#attempts = options.attempts ?? 5;
    this.#backoffMs = options.backoffMs ?? 200;
    this.#timeoutMs = options.timeoutMs ?? 600_000;
    this.#pool = new Pool(this.url.origin, {
      connect: pinnedConnector(accepts ?? (() => false), connectTimeoutMs),
      connections: 1,
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
    });
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  /**
   * Sends a request and returns the answer's bytes.
   * @throws ServiceError with the service's own code; DeltapayError `http/unreachable`, `http/timeout`,
   * `http/interrupted`, `http/certificate`, `http/too-large`, `http/bad-response`
   */
  async request(request: HttpRequest): Promise<Uint8Array> {
    const repeatable = request.repeatable ?? request.method === "GET";
    const end = performance.now() + (request.timeoutMs ?? this.#timeoutMs);
    let lost = false;
    for (let attempt = 1; ; ) {
      try {
        return await this.#exchange(request);
      } catch (error) {
        // After a lost connection the service may still be at the answer: waiting for it is no failed try.
        const underWay = lost && isBusy(error) && performance.now() < end;
        if (!underWay && (!repeatable || attempt >= this.#attempts || !isTransient(error))) throw error;
        lost ||= !(error instanceof ServiceError);
        await delay(pauseMs(error, this.#backoffMs * 2 ** (attempt - 1)));
        if (!underWay) attempt++;
      }
    }
  }

  /** Sends a request and parses the JSON answer. @throws as `request`, and `wire/malformed` naming the field */
  async requestJson<Schema extends z.ZodType>(
    schema: Schema,
    name: string,
    request: HttpRequest,
  ): Promise<z.output<Schema>> {
    return parseMessage(schema, parseAnswer(await this.request(request), name), name);
  }

  async #exchange(request: HttpRequest): Promise<Uint8Array> {
    const body = request.bytes ?? (request.json === undefined ? null : stringifyMessage(request.json));
    const headers: Record<string, string> = { accept: "application/json, application/octet-stream" };
    if (request.bytes !== undefined) headers["content-type"] = "application/octet-stream";
    else if (body !== null) headers["content-type"] = "application/json";
    if (request.token !== undefined) headers["authorization"] = `Bearer ${request.token}`;
    try {
      const answer = await this.#pool.request({
        path: this.url.pathname.replace(/\/$/, "") + request.path,
        method: request.method,
        headers,
        body,
        signal: AbortSignal.timeout(request.timeoutMs ?? this.#timeoutMs),
      });
      const ok = answer.statusCode === 200 || answer.statusCode === 201;
      const limit = ok ? (request.maxBytes ?? LIMITS.jsonBytes) : LIMITS.jsonBytes;
      const bytes = await readBounded(
        answer.body,
        answer.headers["content-length"],
        limit,
        request.onProgress,
      );
      if (ok) return bytes;
      throw serviceError(answer.statusCode, answer.headers["retry-after"], bytes);
    } catch (error) {
      throw asHttpError(error, this.url.host);
    }
  }
}

/** Exponential with jitter, or what the service asked for when that is longer. */
function pauseMs(error: unknown, backoffMs: number): number {
  const asked = error instanceof ServiceError ? error.retryAfter * 1000 : 0;
  return Math.min(MAX_PAUSE_MS, Math.max(asked, backoffMs * (0.5 + Math.random())));
}

interface AnswerBody extends AsyncIterable<Uint8Array> {
  destroy(error?: Error): unknown;
}

async function readBounded(
  body: AnswerBody,
  declared: string | string[] | undefined,
  limit: number,
  onProgress: ((received: number) => void) | undefined,
): Promise<Uint8Array> {
  const tooLarge = (): DeltapayError =>
    new DeltapayError("http/too-large", `the answer is larger than the ${limit} bytes expected`, {
      field: "body",
    });
  const chunks: Uint8Array[] = [];
  let received = 0;
  if (Number(declared) > limit) {
    discard(body);
    throw tooLarge();
  }
  for await (const chunk of body) {
    received += chunk.length;
    if (received > limit) throw tooLarge();
    chunks.push(chunk);
    onProgress?.(received);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** Ends a body that will not be read; the error it then reports is the one we caused. */
function discard(body: AnswerBody & { on?(event: "error", listener: () => void): unknown }): void {
  body.on?.("error", () => {});
  body.destroy();
}

/** @throws DeltapayError `http/bad-response` */
function parseAnswer(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DeltapayError("http/bad-response", `the ${name} is not JSON`, { field: name, cause });
  }
}

/** Text from a stranger, fit for a terminal: no control or direction characters, one line, short. */
function plainText(text: string, length: number): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").slice(0, length);
}

function serviceError(
  status: number,
  retryAfter: string | string[] | undefined,
  bytes: Uint8Array,
): ServiceError {
  const seconds = typeof retryAfter === "string" && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) : 0;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    json = undefined;
  }
  const parsed = errorSchema.safeParse(json);
  if (!parsed.success || !/^[a-z0-9-]{1,40}\/[a-z0-9-]{1,60}$/.test(parsed.data.error.code))
    return new ServiceError(status, seconds, {
      code: "http/bad-response",
      message: `the service answered with status ${status}`,
      hint: "is this the URL of a deltapay contributor?",
    });
  const { code, message, field, hint } = parsed.data.error;
  return new ServiceError(status, seconds, {
    code,
    message: plainText(message, 500),
    field: field === undefined ? undefined : plainText(field, 200),
    hint: hint === undefined ? undefined : plainText(hint, 500),
  });
}

/** What the network did, in our words. */
function asHttpError(error: unknown, host: string): unknown {
  if (error instanceof DeltapayError || !(error instanceof Error)) return error;
  if (error.cause instanceof DeltapayError) return error.cause;
  const code = "code" in error ? String(error.code) : "";
  const make = (what: string, message: string, hint: string): DeltapayError =>
    new DeltapayError(`http/${what}`, message, { field: "url", hint, cause: error });
  if (error.name === "TimeoutError" || /TIMEOUT|ETIMEDOUT/.test(code))
    return make("timeout", `${host} did not answer in time`, "try again; what was already answered is kept");
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(code))
    return make(
      "unreachable",
      `${host} cannot be reached (${code})`,
      "is the contributor's service running?",
    );
  if (
    /ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|ERR_STREAM_PREMATURE_CLOSE/.test(
      code,
    )
  )
    return make(
      "interrupted",
      `${host} broke the connection off`,
      "try again; what was already answered is kept",
    );
  return make(
    "bad-response",
    `${host} did not speak HTTP as expected (${code || error.name})`,
    "check the URL",
  );
}
