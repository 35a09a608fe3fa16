/** JSON with the one ambiguity that matters taken out: a key written twice in an object is refused; so is great depth. */
import { DeltapayError } from "../protocol/errors.ts";

/** Deeper than any file of an adapter: what walks a value by calling itself must come back. */
const MAX_DEPTH = 64;

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

/**
 * Parses JSON text.
 * @param source what the text is, for errors
 * @throws DeltapayError `json/malformed`, `json/too-deep`, `json/duplicate-key` (parsers disagree on which value counts)
 */
export function parseJson(text: string, source: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DeltapayError("json/malformed", `${source} is not JSON: ${(cause as Error).message}`, {
      field: source,
      cause,
    });
  }
  refuseDepthAndDuplicateKeys(text, source);
  return value;
}

/** Walks the tokens of valid JSON text with one set of keys per open object. */
function refuseDepthAndDuplicateKeys(text: string, source: string): void {
  const open: (Set<string> | undefined)[] = [];
  let expectKey = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (open.length > MAX_DEPTH)
      throw new DeltapayError("json/too-deep", `${source} nests more than ${MAX_DEPTH} values`, {
        field: source,
      });
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (expectKey && token.startsWith('"')) noteKey(open.at(-1)!, JSON.parse(token) as string, source);
    expectKey = token === "{" || (token === "," && open.at(-1) !== undefined);
  }
}

function noteKey(keys: Set<string>, key: string, source: string): void {
  if (keys.has(key))
    throw new DeltapayError("json/duplicate-key", `${source} has the key '${key}' twice`, {
      field: `${source}: ${key}`,
    });
  keys.add(key);
}

/** Whether a parsed value is an object with keys (not null, not an array). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
