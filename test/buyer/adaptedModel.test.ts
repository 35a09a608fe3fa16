import assert from "node:assert/strict";
import { test } from "node:test";
import { AdaptedModel } from "../../runner/buyer/model/adaptedModel.ts";
import { ForwardPass, type PassAdapter } from "../../runner/buyer/model/forwardPass.ts";
import { loadCutModel } from "../../runner/model/cutModel.ts";
import { Decoder } from "../../runner/model/decoder.ts";
import { perplexity } from "../../runner/model/perplexity.ts";
import { loadTokenizer } from "../../runner/model/tokenizer.ts";
import { layoutModules } from "../../runner/protocol/layout.ts";
import { modelPath } from "../adapter/fixtures.ts";
import { loadModules, quantisedDeltas, reference, targetsOf } from "../model/deltas.ts";
import { terminateCurveAfterwards } from "../protocol/scenario.ts";
import { remoteParty } from "./remoteParty.ts";
import { failsWith } from "./serve.ts";

terminateCurveAfterwards();

const MODEL = modelPath("model_with_past.onnx");
const GREEDY = { temperature: 0, topP: 1, seed: 1, stop: [], endIds: [] };

/** Perplexity with the same adapters quantised in this process. */
async function localPerplexity(adapters: string[], ids: readonly number[]): Promise<number> {
  const modules = await loadModules(adapters);
  const model = await loadCutModel({ modelPath: MODEL, targets: targetsOf(modules) });
  const result = await perplexity(new Decoder(model.with(quantisedDeltas(modules))), ids);
  await model.close();
  return result.perplexity;
}

test("text from a remote adapter is the reference's, token by token, and is paid with one receipt per need", async (t) => {
  const { remote, service, events } = await remoteParty(t, "kjv-attn", { terms: { maxUnpaidTokens: 20n } });
  const warnings: string[] = [];
  const model = await AdaptedModel.create({
    modelPath: MODEL,
    adapters: [remote],
    onWarning: (warning) => warnings.push(warning),
  });
  t.after(() => model.close());
  assert.deepEqual([model.hasCache, model.roundTrips], [true, 4]);
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  const { text, added } = await model.generate(tokenizer, { ...GREEDY, prompt: "And I saw", maxTokens: 40 });
  assert.equal(text, reference.cases["kjv-attn"]!.greedy);
  assert.equal(added, 40);
  assert.deepEqual(remote.progress, { passes: 40, tokens: 44, tokensLeft: 100_000 - 44 });
  assert.deepEqual(warnings, []);
  assert.equal(events.filter(({ type }) => type === "receipt").length, 2);
  await remote.end();
  const view = service.sessions.view(remote.agreementId);
  assert.deepEqual([view.phase, view.receipt], ["ended", { passes: 40, tokens: 44 }]);
  assert.equal(remote.leakage.tokensSold, 44);
  assert.ok(remote.leakage.rank! > 35 && remote.leakage.rank! <= 44);
});

test("two contributors' deltas add up, one pass in each per forward run", async (t) => {
  const [attn, proj] = [
    await remoteParty(t, "kjv-attn"),
    await remoteParty(t, "kjv-proj", { modulesPerProof: "all" }),
  ];
  const model = await AdaptedModel.create({ modelPath: MODEL, adapters: [attn.remote, proj.remote] });
  t.after(() => model.close());
  const ids = reference.eval_ids.slice(0, 256);
  const progress: [number, number][] = [];
  const { perplexity: measured, predictions } = await model.evaluate({
    ids,
    onProgress: (...at) => progress.push(at),
  });
  assert.equal(measured, await localPerplexity(["kjv-attn", "kjv-proj"], ids));
  assert.deepEqual(
    [predictions, progress],
    [
      2 * 127,
      [
        [1, 2],
        [2, 2],
      ],
    ],
  );
  for (const { remote, service } of [attn, proj]) {
    assert.deepEqual([remote.progress.passes, remote.progress.tokens], [2, 256]);
    assert.deepEqual((await remote.signReceipt()).accepted, true);
    assert.equal(service.sessions.view(remote.agreementId).receipt.tokens, 256);
  }
});

test("a run that breaks off goes on in a new process, at the cost of the broken pass", async (t) => {
  const party = await remoteParty(t, "kjv-attn");
  const broken: PassAdapter = Object.create(party.remote, {
    answer: {
      value: async (modules: number[], X: Int16Array) => {
        if (modules[0] === 2) throw new Error("the power failed");
        return party.remote.answer(modules, X);
      },
    },
    beginPass: { value: (tokens: number) => party.remote.beginPass(tokens) },
    scales: { value: (module: number) => party.remote.scales(module) },
    layout: { value: party.remote.layout },
  });
  const cut = await loadCutModel({ modelPath: MODEL, targets: targetsFor(party.remote.layout.modules) });
  const pass = new ForwardPass([broken]);
  const decoder = new Decoder(cut.with((requests) => pass.answer(requests)));
  await assert.rejects(decoder.forward([1, 2, 3]), /power failed/);
  await cut.close();

  const warnings: string[] = [];
  const remote = await party.restart();
  assert.deepEqual(remote.pendingPass(), { number: 1, tokens: 3, modules: [0, 1] });
  const model = await AdaptedModel.create({
    modelPath: MODEL,
    adapters: [remote],
    onWarning: (warning) => warnings.push(warning),
  });
  t.after(() => model.close());
  assert.match(warnings.join(), /3 tokens are paid and lost/);
  await model.logits([1, 2, 3, 4]);
  assert.deepEqual((await remote.end()).receipt, { passes: 2, tokens: 7 });
});

const targetsFor = (modules: readonly { name: string }[]) =>
  modules.map(({ name }, m) => ({ key: `0:${m}`, modulePath: name }));

test("what a text costs is said, or refused, before the first token is paid", async (t) => {
  const { remote } = await remoteParty(t, "kjv-attn", {
    model: "model.onnx",
    terms: { tokenCap: 20n, maxUnpaidTokens: 16n },
  });
  const warnings: string[] = [];
  const model = await AdaptedModel.create({
    modelPath: modelPath("model.onnx"),
    adapters: [remote],
    onWarning: (warning) => warnings.push(warning),
  });
  t.after(() => model.close());
  assert.equal(model.hasCache, false);
  await assert.rejects(
    model.evaluate({ ids: new Array<number>(21).fill(1) }),
    failsWith("budget/amount", "text"),
  );
  await assert.rejects(
    model.evaluate({ ids: [1, 2, 3], context: 17 }),
    failsWith("budget/pass-too-long", "context"),
  );
  assert.equal(remote.progress.tokens, 0);
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  const asked = { ...GREEDY, prompt: "And I saw", maxTokens: 4 };
  const { text, added, reason } = await model.generate(tokenizer, asked);
  // 5 + 6 + 7 tokens are served; 8 more do not fit the cap of 20, and the text paid for ends there.
  assert.deepEqual([added, reason, remote.progress.tokens], [3, "budget", 18]);
  assert.ok(text.length > asked.prompt.length);
  await assert.rejects(model.generate(tokenizer, asked), failsWith("budget/token-cap"));
  assert.equal(remote.progress.tokens, 18);
  assert.match(warnings[0]!, /no KV cache.*up to 26 tokens/);
  assert.match(warnings[1]!, /20 are left/);
});

test("activations that are not finite are refused by module and token before anything is sent", async () => {
  const layout = layoutModules([{ name: "layer.q", dIn: 2, dOut: 1, r: 1, group: 0 }], 14);
  const unused = (): never => assert.fail("nothing may be sent");
  const silent = { layout, scales: unused, beginPass: unused, answer: unused, finishPass: unused };
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const requests = [
      { x: Float32Array.of(1, 2), tokens: 1, dIn: 2, targets: ["0:0"] },
      { x: Float32Array.of(1, 2, 3, bad), tokens: 2, dIn: 2, targets: ["0:0"] },
    ];
    const pass = new ForwardPass([silent]);
    await assert.rejects(pass.answer(requests), failsWith("quantise/not-finite", "layer.q: x[1][1]"));
  }
});
