/** Errors as HTTP answers: {error: {code, message, field, hint}} and a status. */
import { DeltapayError } from "../protocol/errors.ts";

const BAD_REQUEST = 400;

const STATUS: Record<string, number> = {
  "adapter/unknown": 404,
  "session/unknown-agreement": 404,
  "session/no-receipt": 404,
  "session/not-proven": 404,
  "session/unauthorised": 401,
  "session/unknown-nonce": 401,
  "session/expired-nonce": 401,
  "session/replayed-nonce": 401,
  "signature/malformed": 401,
  "signature/wrong-signer": 401,
  "session/not-our-offer": 403,
  "session/not-open": 403,
  "wire/length-required": 411,
  "wire/too-large": 413,
  "wire/media-type": 415,
  "wire/too-many-requests": 429,
  "wire/not-found": 404,
  "wire/chain-unavailable": 503,
  "wire/starting": 503,
  "wire/stopping": 503,
  "internal/error": 500,
};

/** Status of a typed error: a session that cannot go on like this is a conflict, everything unread is a bad request. */
export function httpStatus(code: string): number {
  if (code in STATUS) return STATUS[code]!;
  if (/^(session|receipt)\//.test(code)) return 409;
  return BAD_REQUEST;
}

/** What fastify itself refuses, in our words. */
const FASTIFY: Record<string, [code: string, message: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ["wire/too-large", "the body is larger than allowed here"],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["wire/media-type", "this content type is not accepted here"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["wire/bad-request", "the body is not as long as declared"],
};

/** Areas whose errors speak of the request; all else is ours and says nothing to strangers. */
const PUBLIC = /^(wire|session|receipt|signature|encoding|adapter\/unknown)/;

/** The error a client sees. Unknown errors keep their words to themselves. */
export function publicError(error: unknown): DeltapayError {
  if (error instanceof DeltapayError && PUBLIC.test(error.code)) return error;
  if (error instanceof DeltapayError && /^chain\//.test(error.code))
    return new DeltapayError("wire/chain-unavailable", "the service cannot reach the chain", {
      hint: "try again later",
    });
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = FASTIFY[code];
  if (known !== undefined) return new DeltapayError(known[0], known[1], { field: "body" });
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500)
    return new DeltapayError("wire/bad-request", "the request is malformed", { field: "request" });
  return new DeltapayError("internal/error", "something went wrong here; it was logged", {
    hint: "try again later",
  });
}
