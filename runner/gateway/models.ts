/** The models a gateway has: the base model alone, and with its paid adapters. */
import type { AdaptedModel } from "../buyer/model/adaptedModel.ts";
import type { RemoteAdapter } from "../buyer/session/remoteAdapter.ts";
import { Decoder } from "../model/decoder.ts";
import { type Generated, type GenerateOptions, generate } from "../model/generate.ts";
import type { Runnable } from "../model/session.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { GatewayError } from "./errors.ts";
import type { Purse } from "./purse.ts";

export interface ServedModel {
  id: string;
  /** Whether tokens cost money. */
  paid: boolean;
  /** One at a time. */
  generate(options: GenerateOptions): Promise<Generated>;
}

/** The base model as it is; costs nothing. */
export function baseModel(id: string, model: Runnable, tokenizer: Tokenizer): ServedModel {
  const decoder = new Decoder(model);
  return { id, paid: false, generate: (options) => generate(decoder, tokenizer, options) };
}

/** The base model with its adapters: no pass beyond the purse, and a failed pass is finished before the next. */
export function adaptedModel(
  id: string,
  model: Pick<AdaptedModel, "generate" | "recover">,
  adapters: readonly Pick<RemoteAdapter, "pendingPass">[],
  purse: Purse,
  tokenizer: Tokenizer,
): ServedModel {
  return {
    id,
    paid: true,
    async generate(options) {
      if (adapters.some((adapter) => adapter.pendingPass() !== undefined)) await model.recover();
      return model.generate(tokenizer, { ...options, beforePass: (tokens) => purse.require(tokens) });
    },
  };
}

/** @throws GatewayError 404 */
export function modelNamed(models: readonly ServedModel[], id: string): ServedModel {
  const found = models.find((model) => model.id === id);
  if (found !== undefined) return found;
  const names = models.map((model) => model.id).join(", ");
  throw new GatewayError(404, "model_not_found", `there is no model ${id}: choose among ${names}`, "model");
}
