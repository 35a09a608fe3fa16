/** The bytes of an activations request, its parts checked before they are stored and sent. */
import { DeltapayError } from "../../protocol/errors.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { encodePassRequest, type PassRequest } from "../../wire/passRequest.ts";
import { LIMITS } from "../../wire/paths.ts";

/** @throws DeltapayError `session/bad-pass` naming the module or field, `encoding/out-of-range` for -32768 */
export function passBody(layout: AdapterLayout, request: PassRequest): Uint8Array {
  const { modules, tokens, X } = request;
  const fail = (message: string, field: string): never => {
    throw new DeltapayError("session/bad-pass", message, { field });
  };
  if (modules.length === 0) fail("no module is asked", "modules");
  for (const [i, m] of modules.entries()) {
    const module = layout.modules[m] ?? fail(`there is no module ${m}`, `modules[${i}]`);
    if (i > 0 && m <= modules[i - 1]!) fail("module indices must ascend", `modules[${i}]`);
    if (X.length !== tokens * module.dIn)
      fail(`${X.length} activations, expected ${tokens} x ${module.dIn}`, module.name);
  }
  const body = encodePassRequest(request);
  if (body.length > LIMITS.activationsBytes)
    fail(`the activations take ${body.length} bytes, at most ${LIMITS.activationsBytes} travel at once`, "X");
  return body;
}
