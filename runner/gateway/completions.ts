/** Completions in OpenAI's shapes: whole, or piece by piece. */
import { randomUUID } from "node:crypto";
import type { Generated } from "../model/generate.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { CompletionRequest } from "./completionRequest.ts";
import { GatewayError } from "./errors.ts";
import type { ServedModel } from "./models.ts";
import type { Account, Purse } from "./purse.ts";

/** Why a text ends, in OpenAI's words. */
const FINISH = { length: "length", budget: "length", stop: "stop", end: "stop" } as const;

interface Choice {
  index: 0;
  text: string;
  logprobs: null;
  finish_reason: "length" | "stop" | null;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** What OpenAI's API has no place for: the money. Amounts in the token's smallest unit. */
export interface Money {
  agreements: Account[];
  budgetLeft: string | null;
}

export interface Completion {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  choices: Choice[];
  usage?: Usage | null;
  deltapay?: Money;
}

export interface Completing {
  model: ServedModel;
  tokenizer: Tokenizer;
  purse: Purse;
  request: CompletionRequest;
  signal: AbortSignal;
}

function choice(text: string, finish_reason: Choice["finish_reason"]): Choice {
  return { index: 0, text, logprobs: null, finish_reason };
}

function header({ model }: Completing): Omit<Completion, "choices"> {
  return {
    id: `cmpl-${randomUUID()}`,
    object: "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: model.id,
  };
}

function usageOf({ ids, added }: Generated): Usage {
  return { prompt_tokens: ids.length - added, completion_tokens: added, total_tokens: ids.length };
}

function moneyOf(purse: Purse): Money {
  return { agreements: purse.accounts(), budgetLeft: purse.left === null ? null : String(purse.left) };
}

/** @throws GatewayError 400 as OpenAI answers a text that does not fit the model, before anything is paid */
function checkLength({ tokenizer, request }: Pick<Completing, "tokenizer" | "request">): void {
  const { contextLength } = tokenizer;
  if (contextLength === undefined) return;
  const prompt = tokenizer.encode(request.prompt).length;
  if (prompt + request.maxTokens > contextLength)
    throw new GatewayError(
      400,
      "context_length_exceeded",
      `the model has ${contextLength} positions; the prompt takes ${prompt}, max_tokens asks for ${request.maxTokens} more`,
      prompt >= contextLength ? "prompt" : "max_tokens",
    );
}

function generate(
  { model, tokenizer, request, signal }: Completing,
  onText: (piece: string) => void,
): Promise<Generated> {
  checkLength({ tokenizer, request });
  const { prompt, maxTokens, temperature, topP, seed, stop } = request;
  const sampling = { maxTokens, temperature, topP, seed, stop };
  return model.generate({ prompt, ...sampling, endIds: tokenizer.endIds, onText, signal });
}

/** The whole completion at once. */
export async function complete(completing: Completing): Promise<Completion> {
  const { request, purse } = completing;
  let text = request.echo ? request.prompt : "";
  const generated = await generate(completing, (piece) => {
    text += piece;
  });
  return {
    ...header(completing),
    choices: [choice(text, FINISH[generated.reason])],
    usage: usageOf(generated),
    deltapay: moneyOf(purse),
  };
}

/** A completion event by event; `send` hears each. Failures before the first text are thrown before anything is sent. */
export async function stream(completing: Completing, send: (event: Completion) => void): Promise<void> {
  const { request, purse } = completing;
  const head = header(completing);
  const usage = request.includeUsage ? { usage: null } : {};
  const sendText = (text: string): void => send({ ...head, choices: [choice(text, null)], ...usage });
  let echoed = !request.echo;
  const generated = await generate(completing, (piece) => {
    if (!echoed) sendText(request.prompt);
    echoed = true;
    sendText(piece);
  });
  if (!echoed) sendText(request.prompt);
  send({ ...head, choices: [choice("", FINISH[generated.reason])], ...usage, deltapay: moneyOf(purse) });
  if (request.includeUsage)
    send({ ...head, choices: [], usage: usageOf(generated), deltapay: moneyOf(purse) });
}
