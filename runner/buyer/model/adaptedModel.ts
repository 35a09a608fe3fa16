/** The base model with remote adapters: what a buyer generates and evaluates with. */
import { type CutModel, loadCutModel } from "../../model/cutModel.ts";
import { Decoder } from "../../model/decoder.ts";
import { type Generated, type GenerateOptions, generate } from "../../model/generate.ts";
import { type Perplexity, perplexity } from "../../model/perplexity.ts";
import type { Runnable, Tensors } from "../../model/session.ts";
import type { Tokenizer } from "../../model/tokenizer.ts";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import type { RemoteAdapter } from "../session/remoteAdapter.ts";
import { ForwardPass, targetKey } from "./forwardPass.ts";
import type { NodeChoices } from "./modelTargets.ts";

export interface AdaptedModelOptions {
  modelPath: string;
  /** Their deltas are added. Not yet connected ones are connected. */
  adapters: readonly RemoteAdapter[];
  /** Node chosen by the user, by module path. */
  nodes?: NodeChoices;
  /** Hears what costs more than it seems. */
  onWarning?: (warning: string) => void;
}

export interface EvaluateOptions {
  /** Token ids, cut into consecutive windows. */
  ids: readonly number[];
  /** Tokens of a window, each from an empty context. Default 128. */
  context?: number;
  onProgress?: (windows: number, total: number) => void;
}

export class AdaptedModel {
  /** Without a KV cache every token generated pays for the whole text before it. */
  readonly hasCache: boolean;
  /** Round trips of a pass. */
  readonly roundTrips: number;
  readonly #model: CutModel;
  readonly #paying: Runnable;
  readonly #decoder: Decoder;
  readonly #adapters: readonly RemoteAdapter[];
  readonly #warn: (warning: string) => void;

  private constructor(model: CutModel, options: AdaptedModelOptions) {
    const { adapters, onWarning = () => {} } = options;
    this.#model = model;
    this.#adapters = adapters;
    this.#warn = onWarning;
    this.#paying = payingModel(model, adapters);
    this.#decoder = new Decoder(this.#paying);
    this.hasCache = this.#decoder.hasCache;
    this.roundTrips = model.roundTrips;
  }

  /**
   * Loads the model cut at the adapters' modules, connects the adapters and finishes passes that were interrupted.
   * @throws DeltapayError `model/...`, and as `RemoteAdapter.connect`
   */
  static async create(options: AdaptedModelOptions): Promise<AdaptedModel> {
    const { modelPath, adapters, nodes = {} } = options;
    const targets = adapters.flatMap(({ layout }, a) =>
      layout.modules.map(({ name, dIn, dOut }, m) => ({
        key: targetKey(a, m),
        modulePath: name,
        node: nodes[name],
        dIn,
        dOut,
      })),
    );
    const cut = await loadCutModel({ modelPath, targets });
    try {
      const model = new AdaptedModel(cut, options);
      await model.recover();
      return model;
    } catch (error) {
      await cut.close();
      throw error;
    }
  }

  /** Connects every adapter and finishes what was interrupted; the tokens of such a pass are paid and lost. */
  async recover(): Promise<void> {
    for (const adapter of this.#adapters) {
      await adapter.connect();
      const lost = await adapter.finishInterrupted();
      if (lost > 0) this.#warn(`a pass was interrupted earlier: its ${lost} tokens are paid and lost`);
    }
  }

  /**
   * Runs the model as onnxruntime's `InferenceSession.run` does, deltas included: one paid pass in every adapter.
   * @param feeds tensors by input name, batch size 1
   * @throws DeltapayError `model/...`, `budget/...`, and whatever a pass throws
   */
  run(feeds: Tensors): Promise<Tensors> {
    return this.#paying.run(feeds);
  }

  /**
   * Continues a prompt, as far as the agreements pay for it.
   * @throws DeltapayError `generate/...`, `budget/...`, and whatever a pass throws
   */
  async generate(tokenizer: Tokenizer, options: GenerateOptions): Promise<Generated> {
    const prompt = tokenizer.encode(options.prompt).length;
    const needed = this.#tokensToGenerate(prompt, options.maxTokens);
    const left = this.#tokensLeft();
    if (!this.hasCache)
      this.#warn(
        `this model has no KV cache: every token pays for the whole text before it, up to ${needed} tokens in all`,
      );
    if (needed > left)
      this.#warn(`up to ${needed} tokens are needed, ${left} are left: the text may stop early`);
    const beforePass = (tokens: number): void => {
      options.beforePass?.(tokens);
      for (const adapter of this.#adapters) adapter.checkPass(tokens);
    };
    return generate(this.#decoder, tokenizer, { ...options, beforePass });
  }

  /**
   * Perplexity of the adapted model.
   * @throws DeltapayError `budget/amount` before anything is paid when the text does not fit what is left; `perplexity/...`
   */
  async evaluate({ ids, context = 128, onProgress }: EvaluateOptions): Promise<Perplexity> {
    const left = this.#tokensLeft();
    if (ids.length > left)
      throw new DeltapayError(
        "budget/amount",
        `the text has ${ids.length} tokens, ${left} can still be paid for`,
        {
          field: "text",
          hint: "give less text, or open agreements with a larger amount",
        },
      );
    const longest = Math.min(...this.#adapters.map((adapter) => adapter.longestPass));
    ensure(
      context <= longest,
      "budget/pass-too-long",
      `windows of ${context} tokens; at most ${longest} are served at once`,
      {
        field: "context",
        hint: `use a context of at most ${longest} tokens`,
      },
    );
    return perplexity(this.#decoder, ids, {
      window: context,
      ...(onProgress === undefined ? {} : { onWindow: onProgress }),
    });
  }

  /** Frees the model's memory. The adapters stay connected. */
  close(): Promise<void> {
    return this.#model.close();
  }

  /** Logits for a few token ids from an empty context, for comparisons. */
  async logits(ids: readonly number[]): Promise<{ logits: Float32Array; vocabulary: number }> {
    this.#decoder.reset();
    return this.#decoder.forward(ids);
  }

  /** Tokens paid for at most: each but the last of the text once, or every prefix without a cache. */
  #tokensToGenerate(prompt: number, maxTokens: number): number {
    if (this.hasCache) return prompt + maxTokens - 1;
    return maxTokens * prompt + (maxTokens * (maxTokens - 1)) / 2;
  }

  #tokensLeft(): number {
    return Math.min(Number.MAX_SAFE_INTEGER, ...this.#adapters.map(({ progress }) => progress.tokensLeft));
  }
}

/** The cut model as a plain one whose every run is a pass in each adapter. */
function payingModel(model: CutModel, adapters: readonly RemoteAdapter[]): Runnable {
  return {
    inputs: model.inputs,
    outputs: model.outputs,
    run: async (feeds) => {
      const pass = new ForwardPass(adapters);
      const outputs = await model.run(feeds, (requests) => pass.answer(requests));
      await pass.finish();
      return outputs;
    },
  };
}
