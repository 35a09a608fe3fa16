/** A few real tokens through an adapter: what attacks sell and buy. */
import { AdaptedModel } from "../buyer/model/adaptedModel.ts";
import type { RemoteAdapter } from "../buyer/session/remoteAdapter.ts";
import { loadTokenizer } from "../model/tokenizer.ts";
import { FIXTURES } from "./fixtures.ts";

/** Greedy continuation of a prompt by `tokens` tokens; each is one pass. */
export async function speak(remote: RemoteAdapter, prompt: string, tokens: number): Promise<string> {
  const model = await AdaptedModel.create({ modelPath: FIXTURES.model, adapters: [remote] });
  try {
    const { text } = await model.generate(await loadTokenizer(FIXTURES.tokenizer), {
      prompt,
      maxTokens: tokens,
      temperature: 0,
      topP: 1,
      seed: 1,
      stop: [],
      endIds: [],
    });
    return text;
  } finally {
    await model.close();
  }
}
