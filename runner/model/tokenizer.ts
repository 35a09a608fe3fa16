/** Text to token ids and back, from a tokenizer.json; no network. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { DeltapayError } from "../protocol/errors.ts";

export interface Tokenizer {
  encode: (text: string) => number[];
  decode: (ids: readonly number[]) => string;
  /** Ids that end a text: `eos_token_id` of the config.json beside, if any. */
  endIds: readonly number[];
  /** Positions the model has, by the same config.json; undefined where it does not say. */
  contextLength: number | undefined;
}

/** The part of the library's interface in use; its own types do not resolve under Node's module rules. */
interface Library {
  encode: (text: string) => { ids: number[] };
  decode: (
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ) => string;
}

/**
 * Loads tokenizer.json and, where they lie beside it, tokenizer_config.json and config.json.
 * What is loaded throws `tokenizer/cannot-load` and `tokenizer/no-token` where the file turns out to be unfit.
 * @throws DeltapayError `tokenizer/cannot-load`
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const folder = dirname(path);
  const config = (await readJson(join(folder, "tokenizer_config.json"), true)) ?? {};
  const model = (await readJson(join(folder, "config.json"), true)) ?? {};
  const library = build(path, (await readJson(path, false)) ?? {}, config);
  return {
    encode: (text) => encoded(path, library, text),
    decode: (ids) => decoded(path, library, ids),
    endIds: [(model as { eos_token_id?: unknown }).eos_token_id]
      .flat()
      .filter((id) => typeof id === "number"),
    contextLength: contextLengthOf(model),
  };
}

/** A tokenizer without a token for every text leaves holes, which are no ids. */
function encoded(path: string, library: Library, text: string): number[] {
  let ids: number[];
  try {
    ids = library.encode(text).ids;
  } catch (cause) {
    return fail(path, cause);
  }
  if (Array.from(ids).every((id) => Number.isSafeInteger(id) && id >= 0)) return ids;
  throw new DeltapayError("tokenizer/no-token", `${path} has no token for a part of this text`, {
    field: path,
    hint: "give the tokenizer.json that belongs to the model",
  });
}

function decoded(path: string, library: Library, ids: readonly number[]): string {
  // The library refuses to decode nothing.
  if (ids.length === 0) return "";
  try {
    return library.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  } catch (cause) {
    return fail(path, cause);
  }
}

/** GPT-2's name for it, and everybody else's. */
function contextLengthOf(config: {
  n_positions?: unknown;
  max_position_embeddings?: unknown;
}): number | undefined {
  const length = config.n_positions ?? config.max_position_embeddings;
  return Number.isSafeInteger(length) ? (length as number) : undefined;
}

function build(path: string, definition: object, config: object): Library {
  try {
    return new HuggingFaceTokenizer(definition, config);
  } catch (cause) {
    return fail(path, cause);
  }
}

async function readJson(path: string, optional: boolean): Promise<object | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as object;
  } catch (cause) {
    if (optional && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return fail(path, cause);
  }
}

function fail(path: string, cause: unknown): never {
  throw new DeltapayError("tokenizer/cannot-load", `${path}: ${(cause as Error).message}`, {
    field: path,
    hint: "give the tokenizer.json that belongs to the model",
    cause,
  });
}
