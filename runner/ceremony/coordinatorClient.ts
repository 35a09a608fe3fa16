/** What a participant asks of a coordinator; runs in Node and in browsers. Nothing it answers is trusted. */
import { z } from "zod";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { parametersSchema } from "./parameters.ts";

/** Milliseconds a request may take without an answer. */
const TIMEOUT = 60_000;
/** Checking a contribution takes the coordinator a while. */
const ACCEPT_TIMEOUT = 600_000;
/** How often a request that changes nothing is tried. */
const TRIES = 5;

const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const count = z.number().int().min(0);

const viewSchema = z.object({
  parameters: parametersSchema,
  round: count,
  closed: z.boolean(),
  waiting: count,
  turnSeconds: count,
  keys: z.array(z.object({ size: count, bytes: count, sha256: hash })).max(16),
  ptauBytes: count,
});
const placeSchema = z.object({
  position: count,
  secondsLeft: z.number().nullable(),
  received: z.record(z.string(), count).optional(),
});
const ticketSchema = z.object({ ticket: z.string().regex(/^[0-9a-f]{64}$/) });
const madeSchema = z.object({ round: count, attestation: z.string().max(100_000) });
const errorSchema = z.object({
  error: z.object({
    code: z.string().max(100),
    message: z.string().max(1000),
    field: z.string().max(200).optional(),
    hint: z.string().max(1000).optional(),
  }),
});

export type CoordinatorView = z.output<typeof viewSchema>;

interface Request {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  ticket?: string;
  json?: unknown;
  octets?: Uint8Array;
  headers?: Record<string, string>;
  timeout?: number;
}

function unreachable(url: string, cause: unknown): DeltapayError {
  return new DeltapayError("ceremony/unreachable", `the coordinator at ${url} does not answer`, {
    field: "url",
    hint: "run the command again: what was finished is kept",
    cause,
  });
}

async function errorOf(response: Response): Promise<DeltapayError> {
  const parsed = errorSchema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success)
    return new DeltapayError("ceremony/unreachable", `the coordinator answered ${response.status}`, {
      field: "url",
    });
  const { code, message, field, hint } = parsed.data.error;
  return new DeltapayError(code, message, {
    ...(field === undefined ? {} : { field }),
    ...(hint === undefined ? {} : { hint }),
  });
}

export class CoordinatorClient {
  readonly url: string;

  /** @throws DeltapayError `ceremony/bad-url` */
  constructor(url: string) {
    ensure(URL.canParse(url) && /^https?:/.test(url), "ceremony/bad-url", `${url} is no http address`, {
      field: "url",
      hint: "write it like https://ceremony.example.org",
    });
    this.url = url.replace(/\/+$/, "");
  }

  async #request(path: string, request: Request = {}): Promise<Response> {
    const { method = "GET", ticket, json, octets, headers = {}, timeout = TIMEOUT } = request;
    const body = octets ?? (json === undefined ? undefined : JSON.stringify(json));
    const all = {
      ...headers,
      ...(ticket === undefined ? {} : { authorization: `Bearer ${ticket}` }),
      ...(octets === undefined ? {} : { "content-type": "application/octet-stream" }),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
    };
    for (let tries = method === "GET" ? TRIES : 1; ; tries--) {
      try {
        const response = await fetch(`${this.url}${path}`, {
          method,
          headers: all,
          signal: AbortSignal.timeout(timeout),
          ...(body === undefined ? {} : { body: body as BodyInit }),
        });
        if (!response.ok) throw await errorOf(response);
        return response;
      } catch (error) {
        if (error instanceof DeltapayError) throw error;
        if (tries <= 1) throw unreachable(this.url, error);
        await new Promise((resolve) => setTimeout(resolve, 500 * (TRIES - tries + 1)));
      }
    }
  }

  async #json<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    request?: Request,
  ): Promise<z.output<Schema>> {
    const response = await this.#request(path, request);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    ensure(parsed.success, "ceremony/malformed", "the coordinator's answer is not what it should be", {
      field: `${path}: ${parsed.error?.issues[0]?.path.join(".") ?? ""}`,
    });
    return parsed.data;
  }

  view(): Promise<CoordinatorView> {
    return this.#json("/v1/ceremony", viewSchema);
  }

  async join(name: string): Promise<string> {
    return (await this.#json("/v1/queue", ticketSchema, { method: "POST", json: { name } })).ticket;
  }

  place(ticket: string): Promise<z.output<typeof placeSchema>> {
    return this.#json("/v1/queue", placeSchema, { ticket });
  }

  async leave(ticket: string): Promise<void> {
    await this.#request("/v1/queue", { method: "DELETE", ticket });
  }

  async send(ticket: string, size: number, offset: number, octets: Uint8Array): Promise<number> {
    const headers = { "upload-offset": String(offset) };
    const schema = z.object({ received: count });
    const request: Request = { method: "PUT", ticket, octets, headers };
    return (await this.#json(`/v1/keys/${size}`, schema, request)).received;
  }

  finish(ticket: string): Promise<z.output<typeof madeSchema>> {
    return this.#json("/v1/contribution", madeSchema, { method: "POST", ticket, timeout: ACCEPT_TIMEOUT });
  }

  /**
   * A file from a byte on, piece by piece.
   * @param most bytes after which it is cut off: a coordinator could send for ever
   * @throws DeltapayError `ceremony/unreachable`, `ceremony/too-long`
   */
  async *file(path: string, from: number, most: number): AsyncGenerator<Uint8Array> {
    const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    const response = await this.#request(path, { headers, timeout: ACCEPT_TIMEOUT });
    const reader = response.body!.getReader();
    let received = from;
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        throw unreachable(this.url, cause);
      });
      if (done) return;
      received += value.length;
      if (received > most) {
        await reader.cancel();
        throw new DeltapayError("ceremony/too-long", `the coordinator sends more than ${most} bytes`, {
          field: path,
        });
      }
      yield value;
    }
  }
}
