import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FunctionProtoSchema, type ModelProto, type NodeProto, StringStringEntryProtoSchema } from "onnx-buf";
import { matchModules } from "../../runner/model/match.ts";
import { type OnnxModel, readOnnxModel } from "../../runner/model/onnxFile.ts";
import { failure, modelPath } from "../adapter/fixtures.ts";
import {
  DataType,
  floats,
  graph,
  graphAttribute,
  info,
  inMemory,
  intAttribute,
  model,
  node,
} from "./synthetic.ts";

const C_ATTN = "transformer.h.0.attn.c_attn";
const NODE = "/transformer/h.0/attn/c_attn/Gemm";

const read = (name = "model.onnx"): Promise<OnnxModel> => readOnnxModel(modelPath(name));

function nodeNamed(found: OnnxModel, name: string): NodeProto {
  return found.graph.node.find((candidate) => candidate.name === name)!;
}

/** A one-layer graph with a Llama's node names around what is under test. */
function llama(nodes: NodeProto[], weight = "onnx::MatMul_1"): ModelProto {
  return model({
    nodes,
    initializers: [floats(weight, [2, 4], new Array<number>(8).fill(1))],
    inputs: [info("x", DataType.FLOAT, ["n", 2])],
    outputs: [info("y", DataType.FLOAT)],
  });
}

const Q_PROJ = "model.layers.0.self_attn.q_proj";
const match = (proto: ModelProto, path = Q_PROJ) => matchModules(inMemory(proto), [{ path }]);

test("matches by node name, dot by dot: no other layer, no other c_proj", async () => {
  const found = await read();
  const paths = ["transformer.h.1.attn.c_proj", "transformer.h.1.mlp.c_proj", "lm_head"];
  assert.deepEqual(
    matchModules(
      found,
      paths.map((path) => ({ path })),
    ).map(({ node, dIn, dOut }) => [node, dIn, dOut]),
    [
      ["/transformer/h.1/attn/c_proj/Gemm", 128, 128],
      ["/transformer/h.1/mlp/c_proj/Gemm", 512, 128],
      ["/lm_head/MatMul", 128, 1024],
    ],
  );
});

test("matches an anonymous, transposed weight by the node's scope", () => {
  const [found] = match(
    llama([node("MatMul", "/model/layers.0/self_attn/q_proj/MatMul", ["x", "onnx::MatMul_1"], ["y"])]),
  );
  assert.deepEqual([found!.dIn, found!.dOut], [2, 4]);
});

test("attn stands for self_attn, and a prefix more or less does not matter", () => {
  const proto = llama([node("MatMul", "/model/layers.0/attn/q_proj/MatMul", ["x", "onnx::MatMul_1"], ["y"])]);
  for (const path of [Q_PROJ, "layers.0.attn.q_proj", `base.${Q_PROJ}`])
    assert.equal(match(proto, path)[0]!.at, 0);
  for (const path of [
    "model.layers.10.self_attn.q_proj",
    "s.0.attn.q_proj",
    `a${Q_PROJ}`,
    "other.0.attn.q_proj",
    "q_proj2",
  ])
    assert.throws(() => match(proto, path), failure("model/no-match", path));
});

test("matches by recorded scope alone, and by weight name alone, back through Transpose", async () => {
  const found = await read("model_dynamo.onnx");
  const target = nodeNamed(found, "node_addmm");
  for (const initializer of found.graph.initializer)
    initializer.name = initializer.name.replace("c_attn.weight", "anonymous");
  target.input[1] = target.input[1]!.replace("c_attn.weight", "anonymous");
  assert.equal(matchModules(found, [{ path: C_ATTN }])[0]!.node, "node_addmm");

  const unscoped = await read("model_dynamo.onnx");
  for (const candidate of unscoped.graph.node) candidate.metadataProps = [];
  assert.equal(matchModules(unscoped, [{ path: C_ATTN }])[0]!.node, "node_addmm");
  const head = matchModules(unscoped, [{ path: "lm_head" }])[0]!;
  assert.deepEqual([head.node, head.dIn, head.dOut], ["node_linear", 128, 1024]);
});

test("never matches on the bias: equal biases are merged by exporters", async () => {
  const found = await read("model_dynamo.onnx");
  for (const candidate of found.graph.node) candidate.metadataProps = [];
  const target = nodeNamed(found, "node_addmm");
  found.graph.initializer.find(({ name }) => name === `${C_ATTN}.weight`)!.name = "val_1";
  target.input[1] = "val_1";
  assert.throws(() => matchModules(found, [{ path: C_ATTN }]), failure("model/no-match", C_ATTN));
});

test("no match lists linear layers of the same name", async () => {
  const found = await read();
  assert.throws(
    () => matchModules(found, [{ path: "transformer.h.9.attn.c_attn" }]),
    (error: Error) =>
      failure("model/no-match", "h.9")(error) &&
      /candidates: .*h\.3\/attn\/c_attn/.test(error.message) &&
      !/lm_head/.test(error.message),
  );
  assert.throws(
    () => matchModules(found, [{ path: "encoder.nothing" }]),
    (error: Error) =>
      failure("model/no-match", "encoder")(error) && /c_attn.* and 5 more/.test(error.message),
  );
});

test("several matches are listed, and the user's own choice settles them", async () => {
  const found = await read();
  nodeNamed(found, "/transformer/h.0/mlp/c_fc/Gemm").name = NODE.replace("Gemm", "Gemm_1");
  assert.throws(
    () => matchModules(found, [{ path: C_ATTN }]),
    (error: Error) =>
      failure("model/several-matches", C_ATTN)(error) && error.message.includes(`${NODE}, ${NODE}_1`),
  );
  assert.equal(matchModules(found, [{ path: C_ATTN, node: NODE }])[0]!.node, NODE);
});

test("a chosen node must exist and be a linear layer", async () => {
  const found = await read();
  assert.throws(
    () => matchModules(found, [{ path: C_ATTN, node: "/nothing" }]),
    failure("model/no-match", C_ATTN),
  );
  for (const other of ["/transformer/h.0/attn/MatMul", "/transformer/h.0/attn/c_attn/Reshape"])
    assert.throws(
      () => matchModules(found, [{ path: C_ATTN, node: other }]),
      failure("model/unsupported-target", C_ATTN),
    );
});

test("shapes that differ between adapter and model are refused, naming both", async () => {
  const found = await read();
  for (const shape of [
    { dIn: 64, dOut: 384 },
    { dIn: 128, dOut: 128 },
  ])
    assert.throws(
      () => matchModules(found, [{ path: C_ATTN, ...shape }]),
      (error: Error) =>
        failure("model/shape-mismatch", C_ATTN)(error) &&
        error.message.includes(`${shape.dIn} -> ${shape.dOut}`) &&
        error.message.includes("128 -> 384"),
    );
});

test("a Gemm with transB reads its weight as d_out x d_in; with transA it is refused", async () => {
  const found = await read();
  const target = nodeNamed(found, NODE);
  target.attribute = [intAttribute("transB", 1)];
  const [flipped] = matchModules(found, [{ path: C_ATTN }]);
  assert.deepEqual([flipped!.dIn, flipped!.dOut], [384, 128]);
  target.attribute = [intAttribute("transA", 1)];
  assert.throws(() => matchModules(found, [{ path: C_ATTN }]), failure("model/unsupported-target", C_ATTN));
});

test("fused com.microsoft operators are refused", async () => {
  const found = await read();
  Object.assign(nodeNamed(found, NODE), { domain: "com.microsoft", opType: "FusedGemm" });
  assert.throws(
    () => matchModules(found, [{ path: C_ATTN }]),
    (error: Error) =>
      failure("model/unsupported-target", C_ATTN)(error) && error.message.includes("com.microsoft.FusedGemm"),
  );
  const byWeight = llama([
    Object.assign(node("MatMulNBits", "n", ["x", "w"], ["y"]), { domain: "com.microsoft" }),
  ]);
  byWeight.graph!.node[0]!.input[1] = "model.layers.0.attn.q_proj.MatMul.weight_Q4";
  assert.throws(() => match(byWeight), failure("model/unsupported-target", Q_PROJ));
});

test("int8 products are refused", () => {
  const quantised = node(
    "MatMulInteger",
    "/model/layers.0/self_attn/q_proj/MatMul_quant",
    ["x", "onnx::MatMul_1"],
    ["y"],
  );
  assert.throws(
    () => match(llama([quantised])),
    (error: Error) =>
      failure("model/unsupported-target", Q_PROJ)(error) && error.message.includes("quantised"),
  );
});

test("packed projections are refused", () => {
  const packed = node("MatMul", "/model/layers.0/attn/qkv_proj/MatMul", ["x", "onnx::MatMul_1"], ["y"]);
  for (const leaf of ["q_proj", "k_proj", "v_proj"])
    assert.throws(
      () => match(llama([packed]), `model.layers.0.self_attn.${leaf}`),
      (error: Error) => failure("model/unsupported-target", leaf)(error) && error.message.includes("packed"),
    );
  assert.throws(() => match(llama([packed]), "model.layers.1.self_attn.q_proj"), failure("model/no-match"));
});

test("targets inside the branches of If are refused", async () => {
  const found = await read();
  const inner = graph({ nodes: found.graph.node, inputs: [], outputs: found.graph.output });
  const merged = node(
    "If",
    "/merged",
    ["c"],
    ["logits"],
    [graphAttribute("then_branch", inner), graphAttribute("else_branch", inner)],
  );
  const outer = inMemory(
    model({
      nodes: [merged],
      initializers: found.graph.initializer,
      inputs: [info("c", DataType.BOOL, [])],
      outputs: found.graph.output,
    }),
  );
  assert.throws(
    () => matchModules(outer, [{ path: C_ATTN }]),
    (error: Error) =>
      failure("model/unsupported-target", C_ATTN)(error) && error.message.includes("If node '/merged'"),
  );
});

test("targets that are, or lie inside, local functions are refused", () => {
  const body = create(FunctionProtoSchema, { name: "Linear", domain: "local" });
  const call = {
    ...node("Linear", "/model/layers.0/self_attn/q_proj/Linear", ["x", "onnx::MatMul_1"], ["y"]),
    domain: "local",
  };
  const proto = llama([call]);
  proto.functions.push(body);
  const refused = (error: Error) =>
    failure("model/unsupported-target", Q_PROJ)(error) && error.message.includes("local function Linear");
  assert.throws(() => match(proto), refused);
  call.name = "n";
  body.node.push(node("MatMul", "/model/layers.0/self_attn/q_proj/MatMul", ["a", "b"], ["c"]));
  assert.throws(() => match(proto), refused);
});

test("experts of a mixture are refused: they see only some tokens", async () => {
  assert.throws(
    () => match(llama([]), "model.layers.0.mlp.experts.3.up_proj"),
    failure("model/other-tokens", "experts"),
  );
});

test("weights behind DequantizeLinear are traced; a product of two activations is no target", () => {
  const scopes = create(StringStringEntryProtoSchema, {
    key: "pkg.torch.onnx.name_scopes",
    value: `['', '${Q_PROJ}', 'linear']`,
  });
  const nodes = [
    node("DequantizeLinear", "dq", ["q_proj.weight", "s"], ["w"]),
    Object.assign(node("MatMul", "node_linear", ["x", "w"], ["y"]), { metadataProps: [scopes] }),
  ];
  assert.equal(match(llama(nodes, "q_proj.weight"))[0]!.dOut, 4);
  const scores = node("MatMul", "/model/layers.0/self_attn/q_proj/MatMul", ["x", "x"], ["y"]);
  assert.throws(() => match(llama([scores])), failure("model/no-match", Q_PROJ));
});
