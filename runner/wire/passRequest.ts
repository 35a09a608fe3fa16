/**
 * The binary body of an activations request: the very bytes that are hashed, behind a short header.
 *
 * count u32 | count module indices u32, ascending | passSalt 32 | T u32 | X int16 LE (T x dIn).
 * The modules of one request read the same X (q, k and v share a round trip). The answer is Y int64 LE (T x dOut) of each
 * module in the same order, concatenated.
 */
import { concatBytes, readUintLE, takeFrom, u32 } from "../protocol/bytes.ts";
import { decodeActivations, decodeAnswers, encodeActivations, encodeAnswers } from "../protocol/encoding.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { type AdapterLayout, answerBound } from "../protocol/layout.ts";
import { LIMITS } from "./paths.ts";

export interface PassRequest {
  /** Manifest indices, ascending, all with the same dIn. */
  modules: number[];
  passSalt: Uint8Array;
  tokens: number;
  /** T x dIn. */
  X: Int16Array;
}

/** How many bytes of a request for `count` modules come before X. */
export function passRequestHeader(count: number): number {
  return 4 + 4 * count + 32 + 4;
}

/** Bytes of a request. */
export function encodePassRequest(request: PassRequest): Uint8Array {
  return concatBytes(
    u32(request.modules.length),
    ...request.modules.map(u32),
    request.passSalt,
    u32(request.tokens),
    encodeActivations(request.X),
  );
}

/**
 * Parses and checks a request against the adapter's layout.
 * @throws DeltapayError `wire/bad-request` or `encoding/...` naming the field
 */
export function decodePassRequest(layout: AdapterLayout, body: Uint8Array): PassRequest {
  const fail = (message: string, field: string): never => {
    throw new DeltapayError("wire/bad-request", message, { field });
  };
  const need = (bytes: number, field: string): void => {
    if (body.length < bytes) fail("the body ends before this field", field);
  };
  need(4, "count");
  const count = Number(readUintLE(body, 0, 4));
  if (count < 1 || count > layout.modules.length)
    fail(`${count} modules asked, 1 to ${layout.modules.length} exist`, "count");
  const header = passRequestHeader(count);
  need(header, "header");
  const modules = Array.from({ length: count }, (_, i) => Number(readUintLE(body, 4 + 4 * i, 4)));
  modules.forEach((m, i) => {
    if (m >= layout.modules.length) fail(`module ${m} does not exist`, `modules[${i}]`);
    if (i > 0 && m <= modules[i - 1]!) fail("module indices must ascend", `modules[${i}]`);
    if (layout.modules[m]!.dIn !== layout.modules[modules[0]!]!.dIn)
      fail("modules of one request must have the same d_in", `modules[${i}]`);
  });
  const passSalt = body.slice(4 + 4 * count, 36 + 4 * count);
  const tokens = Number(readUintLE(body, 36 + 4 * count, 4));
  if (tokens < 1 || tokens > LIMITS.passTokens)
    fail(`${tokens} tokens; 1 to ${LIMITS.passTokens} are allowed`, "tokens");
  const X = decodeActivations(body.subarray(header), tokens * layout.modules[modules[0]!]!.dIn);
  return { modules, passSalt, tokens, X };
}

/** Bytes of an answer: Y of each module in request order. */
export function encodePassAnswer(answers: readonly Float64Array[]): Uint8Array {
  return concatBytes(...answers.map(encodeAnswers));
}

/**
 * Parses an answer; every y is an integer with |y| <= Y_MAX.
 * @throws DeltapayError `wire/bad-answer` or `encoding/...` naming the module
 */
export function decodePassAnswer(
  layout: AdapterLayout,
  request: Pick<PassRequest, "modules" | "tokens">,
  body: Uint8Array,
): Float64Array[] {
  const shapes = request.modules.map((m) => layout.modules[m]!);
  const expected = shapes.reduce((sum, { dOut }) => sum + 8 * request.tokens * dOut, 0);
  if (body.length !== expected)
    throw new DeltapayError("wire/bad-answer", `the answer has ${body.length} bytes, expected ${expected}`, {
      field: "Y",
    });
  const take = takeFrom(body);
  return shapes.map((shape) => {
    const count = request.tokens * shape.dOut;
    const part = take(8 * count);
    try {
      return decodeAnswers(part, count, answerBound(shape));
    } catch (error) {
      if (error instanceof DeltapayError)
        throw new DeltapayError(error.code, error.message, {
          field: `${shape.name}: ${error.field}`,
          cause: error,
        });
      throw error;
    }
  });
}
