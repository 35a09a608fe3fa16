/** One forward run of the base model as one pass in every adapter (protocol 5). */
import type { DeltaRequest } from "../../model/cutModel.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { dequantise, type QuantisedActivations, quantiseActivations } from "../../protocol/quantise.ts";
import type { RemoteAdapter } from "../session/remoteAdapter.ts";
import { refuseZeros } from "../session/zeroAnswers.ts";

/** What of a remote adapter a forward run uses. */
export type PassAdapter = Pick<RemoteAdapter, "layout" | "scales" | "beginPass" | "answer" | "finishPass">;

/** Key of an adapter's module in the cut model. */
export function targetKey(adapter: number, module: number): string {
  return `${adapter}:${module}`;
}

/** One distinct x, quantised, and which modules of each adapter read it. */
interface Input extends QuantisedActivations {
  tokens: number;
  /** Ascending module indices by adapter. */
  readers: Map<number, number[]>;
}

export class ForwardPass {
  readonly #adapters: readonly PassAdapter[];
  #begun = false;

  constructor(adapters: readonly PassAdapter[]) {
    this.#adapters = adapters;
  }

  /**
   * Answers all requests of one cut: each x is quantised once and sent to every adapter that has readers of it, the adapters
   * at the same time, one request after the other to each.
   * @throws DeltapayError `quantise/not-finite` naming module and token, before anything is sent; `session/zero-answers`; as `RemoteAdapter`
   */
  async answer(requests: readonly DeltaRequest[]): Promise<Map<string, Float32Array>> {
    const inputs = requests.map((request) => this.#quantise(request));
    if (!this.#begun) {
      const tokens = requests[0]!.tokens;
      await together(this.#adapters.map((adapter) => adapter.beginPass(tokens)));
      this.#begun = true;
    }
    const deltas = new Map<string, Float32Array>();
    await together(this.#adapters.map((_, a) => this.#askAdapter(a, inputs, deltas)));
    return deltas;
  }

  /** Every adapter folds the pass into its session. */
  async finish(): Promise<void> {
    await together(this.#adapters.map((adapter) => adapter.finishPass()));
  }

  #quantise({ x, tokens, dIn, targets }: DeltaRequest): Input {
    const readers = new Map<number, number[]>();
    for (const key of targets) {
      const [adapter, module] = key.split(":").map(Number) as [number, number];
      readers.set(
        adapter,
        [...(readers.get(adapter) ?? []), module].sort((a, b) => a - b),
      );
    }
    try {
      return { ...quantiseActivations(x, tokens, dIn), tokens, readers };
    } catch (error) {
      throw nameModule(error, this.#nameOf(readers));
    }
  }

  #nameOf(readers: Map<number, number[]>): string {
    const [adapter, modules] = [...readers][0]!;
    return this.#adapters[adapter]!.layout.modules[modules[0]!]!.name;
  }

  async #askAdapter(a: number, inputs: readonly Input[], deltas: Map<string, Float32Array>): Promise<void> {
    const adapter = this.#adapters[a]!;
    for (const { X, sigma, tokens, readers } of inputs) {
      const modules = readers.get(a);
      if (modules === undefined) continue;
      const answers = await adapter.answer(modules, X);
      for (const [i, m] of modules.entries()) {
        const { dOut, name } = adapter.layout.modules[m]!;
        refuseZeros(answers[i]!, X, name);
        deltas.set(targetKey(a, m), dequantise(answers[i]!, sigma, adapter.scales(m), tokens, dOut));
      }
    }
  }
}

/** Waits for all, also after one failed: nothing of this pass is under way when the first failure is thrown. */
async function together(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === "rejected");
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}

function nameModule(error: unknown, name: string): unknown {
  if (!(error instanceof DeltapayError)) return error;
  return new DeltapayError(error.code, `'${name}': ${error.message}`, {
    field: `${name}: ${error.field}`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}
