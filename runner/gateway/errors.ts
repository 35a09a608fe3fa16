/** Failures as OpenAI's clients expect them: `{error: {message, type, param, code}}`. */
import { DeltapayError } from "../protocol/errors.ts";

export class GatewayError extends Error {
  readonly status: number;
  readonly code: string;
  /** The parameter at fault. */
  readonly param: string | null;

  constructor(status: number, code: string, message: string, param: string | null = null) {
    super(message);
    this.name = "GatewayError";
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

/** Failures of the request itself; every other DeltapayError is the contributor's or the agreement's. */
const OF_THE_REQUEST = /^(generate\/|sampling\/|model\/run-failed|budget\/pass-too-long)/;
/** What was paid in, allowed or served is used up. */
const OUT_OF_MONEY = /^(budget\/|session\/(ended|deadline|token-cap|deposit-used-up|closing))/;

function statusOf(code: string): number {
  if (OF_THE_REQUEST.test(code)) return 400;
  if (OUT_OF_MONEY.test(code)) return 402;
  return 502;
}

/** Any failure as a GatewayError; what is nobody's fault is 500 without its words. */
export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (!(error instanceof DeltapayError)) return new GatewayError(500, "internal_error", "the gateway failed");
  const { code, message, field, hint } = error;
  return new GatewayError(
    statusOf(code),
    code,
    hint === undefined ? message : `${message} (${hint})`,
    field ?? null,
  );
}

/** The body of an error's answer. */
export function errorBody({ status, code, message, param }: GatewayError): object {
  const type =
    status >= 500 ? "server_error" : status === 402 ? "insufficient_quota" : "invalid_request_error";
  return { error: { message, type, param, code } };
}
