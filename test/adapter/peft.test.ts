import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadPeftAdapter } from "../../runner/adapter/peft.ts";
import { adapterDir, copyAdapter, editConfig, editWeights, failure, type Header } from "./fixtures.ts";

const MODULE = "base_model.model.transformer.h.0.attn.c_attn";

function rename(header: Header, from: string, to: string): undefined {
  header[to] = header[from]!;
  delete header[from];
}

function reshape(header: Header, name: string, shape: number[]): undefined {
  header[name]!.shape = shape;
}

test("loads kjv-attn: four modules of rank 4, scale alpha / r", async () => {
  const { name, config, modules } = await loadPeftAdapter(adapterDir("kjv-attn"));
  assert.equal(name, "kjv-attn");
  assert.equal(config.peftVersion, "0.21.2");
  assert.deepEqual(
    modules.map(({ path, r, dIn, dOut, alpha, scale }) => ({ path, r, dIn, dOut, alpha, scale })),
    [0, 1, 2, 3].map((layer) => ({
      path: `transformer.h.${layer}.attn.c_attn`,
      r: 4,
      dIn: 128,
      dOut: 384,
      alpha: 16,
      scale: 4,
    })),
  );
  for (const { A, B } of modules) assert.deepEqual([A.length, B.length], [512, 1536]);
});

test("loads kjv-proj: rank_pattern gives layer 3 rank 2, use_rslora gives scale alpha / sqrt(r)", async () => {
  const { modules } = await loadPeftAdapter(adapterDir("kjv-proj"));
  assert.deepEqual(
    modules.map(({ r }) => r),
    [4, 4, 4, 2],
  );
  assert.deepEqual(
    modules.map(({ scale }) => scale),
    [4, 4, 4, 8 / Math.sqrt(2)],
  );
});

test("alpha_pattern overrides lora_alpha for the modules it names", async (t) => {
  const dir = copyAdapter(t, "kjv-attn");
  editConfig(dir, { alpha_pattern: { "h.2.attn.c_attn": 8, c_attn: 12 } });
  const { modules } = await loadPeftAdapter(dir);
  assert.deepEqual(
    modules.map(({ alpha }) => alpha),
    [12, 12, 8, 12],
  );
});

test("modules come in natural order: layer 2 before layer 10", async (t) => {
  const dir = copyAdapter(t, "kjv-attn");
  editWeights(dir, (header) => {
    for (const side of ["A", "B"])
      rename(header, `${MODULE}.lora_${side}.weight`, `${MODULE.replace("h.0", "h.10")}.lora_${side}.weight`);
    return undefined;
  });
  const { modules } = await loadPeftAdapter(dir);
  assert.deepEqual(
    modules.map(({ path }) => path.split(".")[2]),
    ["1", "2", "3", "10"],
  );
});

test("reads tensors that carry the name of their one adapter", async (t) => {
  const dir = copyAdapter(t, "kjv-attn");
  editWeights(dir, (header) => {
    for (const name of Object.keys(header)) rename(header, name, name.replace(".weight", ".default.weight"));
    return undefined;
  });
  assert.equal((await loadPeftAdapter(dir)).modules.length, 4);
});

const REFUSED: Record<string, unknown[]> = {
  peft_type: ["LOHA", null],
  use_dora: [true],
  modules_to_save: [["lm_head"]],
  bias: ["all", "lora_only"],
  lora_bias: [true],
  target_parameters: [["mlp.experts.gate_up_proj"]],
  trainable_token_indices: [[1], { wte: [1] }],
  layer_replication: [[[0, 2]]],
  use_qalora: [true],
  init_lora_weights: ["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga"],
  loftq_config: [{ loftq_bits: 4 }],
  corda_config: [{ x: 1 }],
  megatron_config: [{ x: 1 }],
  use_bdlora: [{ nblocks: 2 }],
  monteclora_config: [{ x: 1 }],
  velora_config: [{ x: 1 }],
  lora_ga_config: [{ x: 1 }],
  kasa_config: [{ x: 1 }],
  arrow_config: [{ x: 1 }],
  alora_invocation_tokens: [[1, 2]],
  ensure_weight_tying: [true],
  some_future_field: [true, 1, 0, "x", [0], { a: null }],
};

for (const [field, values] of Object.entries(REFUSED))
  test(`refuses ${field} by name`, async (t) => {
    const dir = copyAdapter(t, "kjv-attn");
    for (const value of values) {
      editConfig(dir, { [field]: value });
      await assert.rejects(
        loadPeftAdapter(dir),
        failure("adapter/unsupported-field", field),
        JSON.stringify(value),
      );
    }
  });

test("accepts fields not known that are null, false or empty, and neutral values", async (t) => {
  const dir = copyAdapter(t, "kjv-attn");
  for (const value of [null, false, "", [], {}]) {
    editConfig(dir, { some_future_field: value });
    await loadPeftAdapter(dir);
  }
  editConfig(dir, {
    megatron_core: "other",
    qalora_group_size: 32,
    revision: "main",
    base_model_name_or_path: "gpt2",
    init_lora_weights: "gaussian",
    bias: null,
    layers_to_transform: [0, 1, 2, 3],
    target_modules: ".*c_attn",
  });
  const { config } = await loadPeftAdapter(dir);
  assert.equal(config.baseModel, "gpt2");
});

test("refuses malformed values, naming the field", async (t) => {
  const malformed: Record<string, unknown[]> = {
    r: [0, 1.5, "4", null],
    lora_alpha: [0, "16", null],
    rank_pattern: [[1], { c_attn: 0 }],
    alpha_pattern: [{ c_attn: "1" }, 3],
    use_rslora: ["yes"],
    target_modules: [3, [1]],
    layers_to_transform: ["0"],
  };
  for (const [field, values] of Object.entries(malformed))
    for (const value of values) {
      const dir = copyAdapter(t, "kjv-attn");
      editConfig(dir, { [field]: value });
      await assert.rejects(
        loadPeftAdapter(dir),
        failure("adapter/malformed-field", field),
        JSON.stringify(value),
      );
    }
});

test("refuses patterns that Python and JavaScript read differently", async (t) => {
  for (const key of ["(?i)c_attn", "\\Ac_attn", "(c_attn", "c attn"]) {
    const dir = copyAdapter(t, "kjv-attn");
    editConfig(dir, { alpha_pattern: { [key]: 2 } });
    await assert.rejects(loadPeftAdapter(dir), failure("adapter/unsupported-field", "alpha_pattern"), key);
  }
});

test("refuses a config without its fields, or with one written twice", async (t) => {
  for (const field of ["peft_type", "r", "lora_alpha"]) {
    const dir = copyAdapter(t, "kjv-attn");
    editConfig(dir, { [field]: undefined });
    await assert.rejects(loadPeftAdapter(dir), failure("adapter/missing-field", field));
  }
  const dir = copyAdapter(t, "kjv-attn");
  writeFileSync(join(dir, "adapter_config.json"), '{"r": 4, "lora_alpha": 16, "peft_type": "LORA", "r": 8}');
  await assert.rejects(loadPeftAdapter(dir), failure("json/duplicate-key", "r"));
});

test("refuses modules that the config does not name", async (t) => {
  const dir = copyAdapter(t, "kjv-attn");
  editConfig(dir, { target_modules: ["c_proj"] });
  await assert.rejects(loadPeftAdapter(dir), failure("adapter/unexpected-module", "target_modules"));
  editConfig(dir, { target_modules: ["c_attn"], layers_to_transform: [0, 1, 2] });
  await assert.rejects(loadPeftAdapter(dir), failure("adapter/unexpected-module", "layers_to_transform"));
});

test("refuses ranks that disagree with the weights", async (t) => {
  const attn = copyAdapter(t, "kjv-attn");
  editConfig(attn, { r: 8 });
  await assert.rejects(loadPeftAdapter(attn), failure("adapter/rank-mismatch", "adapter_config.json: r"));
  const proj = copyAdapter(t, "kjv-proj");
  editConfig(proj, { rank_pattern: { "h.3.attn.c_proj": 3 } });
  await assert.rejects(loadPeftAdapter(proj), failure("adapter/rank-mismatch", "rank_pattern"));
});

test("refuses tensors of any other kind, by name", async (t) => {
  const others = ["lora_embedding_A", "lora_magnitude_vector", "lora_B.bias", "original_module.weight"];
  for (const other of others) {
    const dir = copyAdapter(t, "kjv-attn");
    editWeights(dir, (header, data) => {
      header[`${MODULE}.${other}`] = {
        dtype: "F32",
        shape: [1],
        data_offsets: [data.length, data.length + 4],
      };
      return Buffer.concat([data, Buffer.alloc(4)]);
    });
    await assert.rejects(loadPeftAdapter(dir), failure("adapter/unsupported-tensor", other));
  }
});

test("refuses a 4-D A, a missing half and ranks that differ between A and B", async (t) => {
  const a = `${MODULE}.lora_A.weight`;
  const cases: [string, (header: Header, data: Buffer) => Buffer | undefined][] = [
    ["adapter/unsupported-shape", (header) => reshape(header, a, [4, 128, 1, 1])],
    ["adapter/rank-mismatch", (header) => reshape(header, a, [8, 64])],
    [
      "adapter/missing-tensor",
      (header, data) => {
        delete header[a];
        for (const entry of Object.values(header))
          entry.data_offsets = entry.data_offsets.map((at) => at - 2048) as [number, number];
        return data.subarray(2048);
      },
    ],
    ["adapter/several-adapters", (header) => rename(header, a, a.replace(".weight", ".other.weight"))],
  ];
  for (const [code, edit] of cases) {
    const dir = copyAdapter(t, "kjv-attn");
    editWeights(dir, edit);
    await assert.rejects(loadPeftAdapter(dir), failure(code, "transformer.h.0.attn.c_attn"));
  }
});

test("refuses weights that are not finite, naming the tensor", async (t) => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const dir = copyAdapter(t, "kjv-attn");
    editWeights(dir, (header, data) => {
      data.writeFloatLE(bad, header[`${MODULE}.lora_B.weight`]!.data_offsets[0] + 8);
      return undefined;
    });
    await assert.rejects(
      loadPeftAdapter(dir),
      failure("adapter/not-finite", "transformer.h.0.attn.c_attn.lora_B"),
    );
  }
});

test("refuses an all-zero adapter and a single all-zero module", async (t) => {
  const zero = copyAdapter(t, "kjv-attn");
  editWeights(zero, (header, data) => {
    for (const [name, { data_offsets }] of Object.entries(header))
      if (name.includes("lora_B")) data.fill(0, ...data_offsets);
    return undefined;
  });
  await assert.rejects(loadPeftAdapter(zero), failure("adapter/all-zero", "transformer.h.0.attn.c_attn"));
  const one = copyAdapter(t, "kjv-attn");
  editWeights(one, (header, data) => {
    data.fill(0, ...header["base_model.model.transformer.h.2.attn.c_attn.lora_A.weight"]!.data_offsets);
    return undefined;
  });
  await assert.rejects(loadPeftAdapter(one), failure("adapter/zero-module", "transformer.h.2.attn.c_attn"));
});

test("refuses a folder without the two files, and weights without modules", async (t) => {
  for (const file of ["adapter_config.json", "adapter_model.safetensors"]) {
    const dir = copyAdapter(t, "kjv-attn");
    rmSync(join(dir, file));
    await assert.rejects(loadPeftAdapter(dir), failure("adapter/missing-file", file));
  }
  const empty = copyAdapter(t, "kjv-attn");
  editWeights(empty, (header) => {
    for (const name of Object.keys(header)) delete header[name];
    return Buffer.alloc(0);
  });
  await assert.rejects(loadPeftAdapter(empty), failure("adapter/no-modules"));
});
