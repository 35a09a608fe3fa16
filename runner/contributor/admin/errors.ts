/** Errors of the admin API as HTTP answers. */
import { DeltapayError } from "../../protocol/errors.ts";
import { httpStatus, publicError } from "../httpErrors.ts";

const STATUS: Record<string, number> = {
  "admin/unauthorised": 401,
  "admin/other-host": 403,
  "admin/other-origin": 403,
  "admin/settles-by-itself": 409,
  "offer/unknown": 404,
};

/** Status of a typed error. */
export function adminStatus(code: string): number {
  return STATUS[code] ?? (code.startsWith("prover/") ? 500 : httpStatus(code));
}

/** The error as the service's owner sees it: more than strangers do. */
export function adminError(error: unknown): DeltapayError {
  const own = error instanceof DeltapayError && /^(admin|offer|prover)\//.test(error.code);
  return own ? error : publicError(error);
}
