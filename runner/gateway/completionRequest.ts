/** Requests of OpenAI's `/v1/completions`: what is served, and what is refused by the parameter's name. */
import { randomInt } from "node:crypto";
import { z } from "zod";
import { GatewayError } from "./errors.ts";

/** As OpenAI's reference has them. */
const DEFAULT_MAX_TOKENS = 16;
const MAX_STOPS = 4;
const MAX_PROMPT_CHARACTERS = 262_144;

/** null stands for a default, as in OpenAI's API. */
const optional = <Type extends z.ZodType>(type: Type) =>
  type.nullish().transform((value) => value ?? undefined);

const prompt = z.string().min(1).max(MAX_PROMPT_CHARACTERS);
const stop = z.string().min(1).max(256);

const schema = z.strictObject({
  model: z.string().max(256),
  prompt: z.union([prompt, z.tuple([prompt]).transform(([text]) => text)], {
    error: "give one text of 1 to 262144 characters; several prompts and token ids are not supported",
  }),
  max_tokens: optional(z.number().int().min(1).max(65_536)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().gt(0).max(1)),
  seed: optional(z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)),
  stop: optional(z.union([stop.transform((text) => [text]), z.array(stop).max(MAX_STOPS)])),
  stream: optional(z.boolean()),
  stream_options: optional(z.strictObject({ include_usage: optional(z.boolean()) })),
  echo: optional(z.boolean()),
  user: optional(z.string().max(256)),
  n: optional(z.literal(1, { error: "one completion a request" })),
  best_of: optional(z.literal(1, { error: "one completion a request" })),
  logprobs: optional(z.never({ error: "log probabilities are not supported" })),
  suffix: optional(z.literal("", { error: "insertion is not supported" })),
  presence_penalty: optional(z.literal(0, { error: "penalties are not supported" })),
  frequency_penalty: optional(z.literal(0, { error: "penalties are not supported" })),
  logit_bias: optional(z.strictObject({}, { error: "biases are not supported" })),
});

export interface CompletionRequest {
  model: string;
  prompt: string;
  maxTokens: number;
  temperature: number;
  topP: number;
  seed: number;
  stop: readonly string[];
  stream: boolean;
  /** A last event with the usage, in a stream. */
  includeUsage: boolean;
  /** The prompt before the completion. */
  echo: boolean;
}

/**
 * Checks a request's body.
 * @throws GatewayError 400 with the parameter at fault
 */
export function parseCompletionRequest(body: unknown): CompletionRequest {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw badParameter(parsed.error.issues[0]!);
  const asked = parsed.data;
  return {
    model: asked.model,
    prompt: asked.prompt,
    maxTokens: asked.max_tokens ?? DEFAULT_MAX_TOKENS,
    temperature: asked.temperature ?? 1,
    topP: asked.top_p ?? 1,
    seed: asked.seed ?? randomInt(2 ** 32),
    stop: asked.stop ?? [],
    stream: asked.stream ?? false,
    includeUsage: asked.stream_options?.include_usage ?? false,
    echo: asked.echo ?? false,
  };
}

function badParameter(issue: z.core.$ZodIssue): GatewayError {
  const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const param = String(issue.path[0] ?? unknown ?? "");
  const why = unknown === undefined ? issue.message : "this parameter is not supported";
  return new GatewayError(
    400,
    "unsupported_value",
    `${param === "" ? "the body" : param}: ${why}`,
    param || null,
  );
}
