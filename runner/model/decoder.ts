/**
 * Feeds a decoder what its graph asks for, by the names of Optimum's exports: input_ids, and where present
 * attention_mask, position_ids and past_key_values.N.key/value with their present.N.key/value. Batch size 1.
 */
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { type Runnable, Tensor, type TensorInfo, type Tensors } from "./session.ts";

const PAST = /^past_key_values\./;

export interface DecoderPass {
  /** One row of `vocabulary` logits for each id given to `forward`, row-major. */
  logits: Float32Array;
  vocabulary: number;
  /** Tokens the model ran on, which is what contributors are paid for: without a cache, the whole text so far. */
  tokensRun: number;
}

/** A decoder and the text it has read so far. One call at a time. */
export class Decoder {
  /** Without a KV cache every pass runs, and pays for, the whole text again. */
  readonly hasCache: boolean;
  readonly #model: Runnable;
  #read: number[] = [];
  #cache: Tensors = {};

  /** @throws DeltapayError `model/unsupported-input` naming an input or output that is missing or not known */
  constructor(model: Runnable) {
    for (const input of model.inputs) checkInput(input, model);
    for (const name of ["input_ids", "logits"])
      if (![...model.inputs, ...model.outputs].some((info) => info.name === name))
        unsupported(name, "the model lacks it: it is not a decoder");
    this.#model = model;
    this.hasCache = model.inputs.some(({ name }) => PAST.test(name));
    this.reset();
  }

  /** Forgets the text read so far. */
  reset(): void {
    this.#read = [];
    this.#cache = Object.fromEntries(
      this.#model.inputs.filter(({ name }) => PAST.test(name)).map((info) => [info.name, emptyPast(info)]),
    );
  }

  /** Tokens that reading `count` more ids runs the model on. */
  tokensToRun(count: number): number {
    return this.hasCache ? count : Math.max(2, this.#read.length + count);
  }

  /**
   * Reads more ids and predicts what follows each of them. After a failure the text read so far is unchanged.
   * @throws DeltapayError `model/run-failed`, or whatever the model's deltas throw
   */
  async forward(ids: readonly number[]): Promise<DecoderPass> {
    ensure(ids.length > 0, "model/no-tokens", "a pass needs at least one token", { field: "ids" });
    const before = this.#read.length;
    const fed = this.hasCache ? [...ids] : twoOrMore([...this.#read, ...ids]);
    const outputs = await this.#model.run(this.#feeds(fed));
    const pass = rows(outputs["logits"]!, fed.length, this.hasCache ? 0 : before, ids.length);
    ensure(this.#read.length === before, "model/concurrent-pass", "two passes of one decoder overlapped");
    this.#cache = Object.fromEntries(
      Object.keys(this.#cache).map((name) => [name, outputs[presentName(name)]!]),
    );
    this.#read.push(...ids);
    return { ...pass, tokensRun: fed.length };
  }

  #feeds(fed: number[]): Tensors {
    const before = this.hasCache ? this.#read.length : 0;
    const positions = fed.map((_, i) => before + i);
    const values: Record<string, number[]> = {
      input_ids: fed,
      position_ids: positions,
      attention_mask: new Array<number>(before + fed.length).fill(1),
    };
    const feeds: Tensors = { ...this.#cache };
    for (const { name, type } of this.#model.inputs)
      if (values[name] !== undefined) feeds[name] = integers(values[name], type);
    return feeds;
  }
}

// Causal attention: a token after the last changes nothing before it. The dynamo exporter fixes the sequence to 2 or more.
function twoOrMore(ids: number[]): number[] {
  return ids.length === 1 ? [ids[0]!, ids[0]!] : ids;
}

function presentName(past: string): string {
  return past.replace(PAST, "present.");
}

function checkInput({ name, type, shape }: TensorInfo, model: Runnable): void {
  if (PAST.test(name)) {
    if (type !== "float32") unsupported(name, `a cache of ${type}`);
    if (shape.length !== 4 || typeof shape[1] !== "number" || typeof shape[3] !== "number")
      unsupported(name, `its shape [${shape}] is not (batch, heads, past, width) with fixed heads and width`);
    if (!model.outputs.some((output) => output.name === presentName(name)))
      unsupported(presentName(name), "the model lacks it");
    return;
  }
  if (!["input_ids", "attention_mask", "position_ids"].includes(name))
    unsupported(name, "this input is not known");
  if (!["int64", "int32"].includes(type)) unsupported(name, `its type is ${type}, not int64 or int32`);
}

function emptyPast({ shape }: TensorInfo): Tensor {
  return new Tensor("float32", new Float32Array(0), [1, shape[1] as number, 0, shape[3] as number]);
}

function integers(values: number[], type: string): Tensor {
  const dims = [1, values.length];
  return type === "int64"
    ? new Tensor("int64", BigInt64Array.from(values, BigInt), dims)
    : new Tensor("int32", Int32Array.from(values), dims);
}

function rows(
  logits: Tensor,
  fed: number,
  from: number,
  count: number,
): { logits: Float32Array; vocabulary: number } {
  const [, positions, vocabulary] = logits.dims as [number, number, number];
  if (positions !== fed || logits.type !== "float32")
    unsupported(
      "logits",
      `${logits.type} of shape [${logits.dims}] for ${fed} tokens, expected one row a token`,
    );
  const values = logits.data as Float32Array;
  return { logits: values.slice(from * vocabulary, (from + count) * vocabulary), vocabulary };
}

function unsupported(name: string, reason: string): never {
  throw new DeltapayError("model/unsupported-input", `'${name}': ${reason}`, {
    field: name,
    hint: "export the model with Optimum's text-generation or text-generation-with-past task",
  });
}
