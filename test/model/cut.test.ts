import assert from "node:assert/strict";
import { test } from "node:test";
import { planCut } from "../../runner/model/cut.ts";
import { type DeltaRequest, loadCutModel } from "../../runner/model/cutModel.ts";
import { indexGraph } from "../../runner/model/graph.ts";
import { Tensor } from "../../runner/model/session.ts";
import { failure, temporaryFolder } from "../adapter/fixtures.ts";
import {
  DataType,
  floats,
  graph,
  graphAttribute,
  info,
  intAttribute,
  model,
  node,
  writeModel,
} from "./synthetic.ts";

const IDENTITY = [1, 0, 0, 1];
const X = new Tensor("float32", Float32Array.of(1, 2, 3, 4, 5, 6), [1, 3, 2]);
const linear = (name: string, from: string, to: string, weight: string) =>
  node("MatMul", `/${name}/MatMul`, [from, weight], [to]);
const io = {
  inputs: [info("x", DataType.FLOAT, ["batch", "sequence", 2])],
  outputs: [info("y", DataType.FLOAT)],
};
const threes = (requests: DeltaRequest[]) =>
  Promise.resolve(
    new Map(requests.flatMap(({ x, targets }) => targets.map((key) => [key, x.map(() => 3)] as const))),
  );

test("q, k and v that read the same x share one round trip; what waits for them comes after", () => {
  const parts = {
    nodes: [
      node("Relu", "/a", ["x"], ["h"]),
      linear("q", "h", "q", "w"),
      linear("k", "h", "k", "w"),
      linear("v", "h", "v", "w"),
      node("Add", "/qk", ["q", "k"], ["qk"]),
      linear("o", "qk", "o", "w"),
      node("Add", "/sum", ["o", "v"], ["y"]),
    ],
    initializers: [floats("w", [2, 2], IDENTITY)],
    ...io,
  };
  const segments = planCut(indexGraph(graph(parts)), new Set([1, 2, 3, 5]));
  assert.deepEqual(
    segments.map(({ nodes, inputs, outputs, asks }) => ({ nodes, inputs, outputs, asks })),
    [
      { nodes: [0], inputs: ["x"], outputs: ["h"], asks: [] },
      { nodes: [1, 2, 3, 4], inputs: ["h"], outputs: ["qk", "v"], asks: [{ x: "h", targets: [1, 2, 3] }] },
      { nodes: [5, 6], inputs: ["qk", "v"], outputs: ["y"], asks: [{ x: "qk", targets: [5] }] },
    ],
  );
});

test("constant nodes are copied into every segment that reads them and cross no border", () => {
  const parts = {
    nodes: [
      node("Transpose", "/t", ["w"], ["wt"]),
      node("MatMul", "/a/MatMul", ["x", "wt"], ["a"]),
      node("MatMul", "/b/MatMul", ["a", "wt"], ["y"]),
    ],
    initializers: [floats("w", [2, 2], IDENTITY)],
    ...io,
  };
  const segments = planCut(indexGraph(graph(parts)), new Set([2]));
  assert.deepEqual(
    segments.map(({ nodes, inputs }) => [nodes, inputs]),
    [
      [[0, 1], ["x"]],
      [[0, 2], ["a"]],
    ],
  );
});

test("a random node is made once, not copied", () => {
  const parts = {
    nodes: [
      node("RandomNormal", "/noise", [], ["n"]),
      node("Add", "/add", ["x", "n"], ["h"]),
      linear("a", "h", "a", "w"),
      node("Add", "/again", ["a", "n"], ["y"]),
    ],
    initializers: [floats("w", [2, 2], IDENTITY)],
    ...io,
  };
  const [first, second] = planCut(indexGraph(graph(parts)), new Set([2]));
  assert.deepEqual(first?.outputs, ["h", "n"]);
  assert.deepEqual(second?.inputs, ["h", "n"]);
});

test("a target that reads a graph input, and one whose output is a graph output, both get their delta", async (t) => {
  const parts = {
    nodes: [linear("a", "x", "h", "w"), linear("b", "h", "y", "w")],
    initializers: [floats("w", [2, 2], IDENTITY)],
    ...io,
  };
  const path = writeModel(temporaryFolder(t), model(parts));
  const cut = await loadCutModel({
    modelPath: path,
    targets: [
      { key: "a", modulePath: "a" },
      { key: "b", modulePath: "b" },
    ],
  });
  assert.equal(cut.roundTrips, 2);
  const overwriting = (requests: DeltaRequest[]) => {
    const answers = threes(requests);
    for (const { x } of requests) x.fill(99);
    return answers;
  };
  const { y } = await cut.run({ x: X }, overwriting);
  assert.deepEqual([...(y!.data as Float32Array)], [7, 8, 9, 10, 11, 12]);
  await cut.close();
});

test("tensors captured by the branches of If are carried across the cut", async (t) => {
  const branch = (name: string, op: string) =>
    graphAttribute(
      name,
      graph({
        nodes: [node(op, `/${name}`, ["h", "a"], [`${name}_out`])],
        inputs: [],
        outputs: [info(`${name}_out`, DataType.FLOAT)],
      }),
    );
  const parts = {
    nodes: [
      node("Relu", "/r", ["x"], ["h"]),
      node("ReduceSum", "/s", ["x"], ["s"], [intAttribute("keepdims", 0)]),
      node("Cast", "/c", ["s"], ["c"], [intAttribute("to", DataType.BOOL)]),
      linear("a", "h", "a", "w"),
      node("If", "/if", ["c"], ["y"], [branch("then_branch", "Add"), branch("else_branch", "Sub")]),
    ],
    initializers: [floats("w", [2, 2], IDENTITY)],
    ...io,
  };
  const path = writeModel(temporaryFolder(t), model(parts));
  const cut = await loadCutModel({ modelPath: path, targets: [{ key: "a", modulePath: "a" }] });
  const { y } = await cut.run({ x: X }, threes);
  assert.deepEqual([...(y!.data as Float32Array)], [5, 7, 9, 11, 13, 15]);
  await cut.close();
});

test("float16 tensors, inputs, outputs and deltas cross borders as float32", async (t) => {
  const parts = {
    nodes: [
      node("Cast", "/w", ["w"], ["w16"], [intAttribute("to", DataType.FLOAT16)]),
      node("Relu", "/r", ["x"], ["h"]),
      linear("a", "h", "a", "w16"),
      node("Add", "/sum", ["a", "h"], ["y"]),
    ],
    initializers: [floats("w", [2, 2], IDENTITY)],
    inputs: [info("x", DataType.FLOAT16, ["batch", "sequence", 2])],
    outputs: [info("y", DataType.FLOAT16)],
  };
  const path = writeModel(temporaryFolder(t), model(parts));
  const cut = await loadCutModel({ modelPath: path, targets: [{ key: "a", modulePath: "a" }] });
  assert.deepEqual(cut.inputs, [{ name: "x", type: "float32", shape: ["batch", "sequence", 2] }]);
  assert.equal(cut.outputs[0]?.type, "float32");
  const { y } = await cut.run({ x: X }, threes);
  assert.deepEqual([...(y!.data as Float32Array)], [5, 7, 9, 11, 13, 15]);
  await cut.close();
});

test("names made for the cut avoid those of the graph", async (t) => {
  const parts = {
    nodes: [
      linear("a", "x", "h", "w"),
      node("Add", "/1", ["h", "h__delta"], ["h__base"]),
      node("Relu", "/2", ["h__base"], ["y"]),
    ],
    initializers: [floats("w", [2, 2], IDENTITY), floats("h__delta", [1], [10])],
    ...io,
  };
  const path = writeModel(temporaryFolder(t), model(parts));
  const cut = await loadCutModel({ modelPath: path, targets: [{ key: "a", modulePath: "a" }] });
  const { y } = await cut.run({ x: X }, threes);
  assert.deepEqual([...(y!.data as Float32Array)], [14, 15, 16, 17, 18, 19]);
  await cut.close();
});

test("a module that sees other tokens than the first is refused", async (t) => {
  const parts = {
    nodes: [
      linear("a", "x", "h", "w"),
      node("ReduceMax", "/pool", ["h"], ["p"], [intAttribute("keepdims", 0)]),
      node("Expand", "/e", ["p", "size"], ["q"]),
      linear("b", "q", "y", "w"),
    ],
    initializers: [floats("w", [2, 2], IDENTITY)],
    ...io,
  };
  const proto = model(parts);
  proto.graph!.initializer.push({
    ...floats("size", [2], []),
    dataType: DataType.INT64,
    rawData: new Uint8Array(BigInt64Array.of(1n, 2n).buffer),
  });
  const path = writeModel(temporaryFolder(t), proto);
  const cut = await loadCutModel({
    modelPath: path,
    targets: [
      { key: "a", modulePath: "a" },
      { key: "b", modulePath: "b" },
    ],
  });
  await assert.rejects(cut.run({ x: X }, threes), failure("model/other-tokens", "b"));
  await cut.close();
});
