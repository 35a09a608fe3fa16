/** What a base model comes with: its graph and its tokenizer. */
import * as fs from "node:fs";
import * as path from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
} from "onnx-buf";
import { FIXTURES } from "../../../runner/demo/fixtures.ts";
import { matchModules } from "../../../runner/model/match.ts";
import { targetedLayers } from "../../../runner/model/moduleLists.ts";
import { readOnnxModel } from "../../../runner/model/onnxFile.ts";
import { loadTokenizer } from "../../../runner/model/tokenizer.ts";
import type { SeededRandom } from "../../kill/random.ts";
import {
  DataType,
  floats,
  graph,
  graphAttribute,
  info,
  intAttribute,
  model,
  node,
} from "../../model/synthetic.ts";
import { mutateJson } from "../mutateJson.ts";
import { bytesOf, type FuzzTarget, type Mutator } from "../target.ts";
import { fuzzFolder } from "./folder.ts";

/** Two layers named as exporters name them, a transposed weight, a branch. */
function smallModel(): ModelProto {
  const branch = graph({
    nodes: [node("MatMul", "/h.0/mlp/MatMul", ["x", "w1"], ["inner"])],
    ...{ inputs: [], outputs: [info("inner", DataType.FLOAT)] },
  });
  return model({
    nodes: [
      node("MatMul", "/h.0/attn/c_attn/MatMul", ["x", "w0"], ["a"]),
      node("Transpose", "", ["w1"], ["w1t"]),
      node("Gemm", "/h.1/attn/c_proj/Gemm", ["a", "w1t"], ["b"], [intAttribute("transB", 1)]),
      node("If", "choice", ["b"], ["y"], [graphAttribute("then_branch", branch)]),
    ],
    initializers: [floats("w0", [2, 3], [1, 2, 3, 4, 5, 6]), floats("w1", [3, 2], [1, 2, 3, 4, 5, 6])],
    inputs: [info("x", DataType.FLOAT, ["batch", 2])],
    outputs: [info("y", DataType.FLOAT, ["batch", 2])],
  });
}

const OPS = ["MatMul", "Gemm", "Transpose", "Identity", "Cast", "Constant", "If", "Conv", "MatMulInteger"];
const NAMES = ["", "x", "w0", "w1t", "a", "b", "y", "__proto__", "/a/b/c", "/h.0/attn/c_attn/MatMul"];

/** Turns a list over, moves, doubles or drops one of it. */
function shuffle<Item>(items: Item[], random: SeededRandom): void {
  const at = random.below(items.length);
  const kind = random.below(4);
  if (kind === 0) items.reverse();
  else if (kind === 1) items.splice(at, 1);
  else if (kind === 2) items.push(...items.slice(at, at + 1));
  else items.unshift(...items.splice(at, 1));
}

function editNode(node: NodeProto, name: string, nodes: readonly NodeProto[], random: SeededRandom): void {
  const kind = random.below(5);
  if (kind === 0) node.input[random.below(3)] = name;
  else if (kind === 1) node.output[random.below(2)] = name;
  else if (kind === 2) node.opType = random.pick(OPS)!;
  else if (kind === 3) node.name = name;
  else node.attribute = nodes.flatMap(({ attribute }) => attribute);
  // What was left out by writing beyond the end.
  node.input = Array.from(node.input, (input) => input ?? "");
  node.output = Array.from(node.output, (output) => output ?? "");
}

function editTensor(tensor: TensorProto, name: string, random: SeededRandom): void {
  const kind = random.below(3);
  if (kind === 0) tensor.name = name;
  else if (kind === 1) tensor.dims = [BigInt(random.below(9) - 4), 2n ** 63n - 1n].slice(random.below(2));
  else tensor.dataLocation = 1;
}

/** One branch inside another, to any depth. */
function nest(graph: GraphProto, name: string, depth: number): void {
  for (let left = depth; left > 0; left--) {
    const inner = create(GraphProtoSchema, { ...graph, node: [...graph.node] });
    graph.node = [node("If", name, [], [name], [graphAttribute("then_branch", inner)])];
  }
}

function editGraph({ graph }: ModelProto, random: SeededRandom): void {
  if (graph === undefined) return;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const node = random.pick(graph.node);
    const name = random.pick([...NAMES, ...graph.node.flatMap(({ output }) => output)])!;
    const tensor = random.pick(graph.initializer);
    const kind = random.next();
    if (kind < 0.6 && node !== undefined) editNode(node, name, graph.node, random);
    else if (kind < 0.8 && tensor !== undefined) editTensor(tensor, name, random);
    else if (kind < 0.98) shuffle<unknown>(random.next() < 0.8 ? graph.node : graph.initializer, random);
    else nest(graph, name, random.below(40));
  }
}

const mutateGraph: Mutator = (input, random) => {
  let proto: ModelProto;
  try {
    proto = fromBinary(ModelProtoSchema, input);
  } catch {
    return input;
  }
  editGraph(proto, random);
  return toBinary(ModelProtoSchema, proto);
};

const QUERIES = ["h.0.attn.c_attn", "h.1.attn.c_proj", "h.0.mlp", "h.0.attn.q_proj"];

const TOKENIZER = {
  version: "1.0",
  ...{ truncation: null, padding: null, post_processor: null },
  added_tokens: [
    {
      id: 0,
      content: "<s>",
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    },
  ],
  normalizer: { type: "NFC" },
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "", end_of_word_suffix: "" },
    ...{ fuse_unk: false, byte_fallback: false },
    vocab: { "<s>": 0, a: 1, b: 2, ab: 3, Ġ: 4, Ġa: 5 },
    merges: [
      ["a", "b"],
      ["Ġ", "a"],
    ],
  },
};

export function targets(): FuzzTarget[] {
  const folder = fuzzFolder();
  const readModel = async (input: Uint8Array): Promise<void> => {
    const file = path.join(folder, "model.onnx");
    fs.writeFileSync(file, input);
    const read = await readOnnxModel(file);
    targetedLayers(read, { targetModules: ["c_attn", "c_proj"], layersToTransform: null });
    for (const query of QUERIES) matchModules(read, [{ path: query }]);
  };
  const small = toBinary(ModelProtoSchema, smallModel());
  return [
    {
      name: "onnx",
      seeds: [small],
      mutators: [mutateGraph, mutateGraph, mutateGraph],
      run: readModel,
    },
    { name: "onnx-bytes", seeds: [small], mutators: [], run: readModel },
    {
      name: "tokenizer",
      seeds: [bytesOf(JSON.stringify(TOKENIZER)), new Uint8Array(fs.readFileSync(FIXTURES.tokenizer))],
      mutators: [mutateJson],
      run: async (input) => {
        const file = path.join(folder, "tokenizer.json");
        fs.writeFileSync(file, input);
        const tokenizer = await loadTokenizer(file);
        tokenizer.decode(tokenizer.encode("ab a<s> the beginning\u0000\ud83d\ude00"));
      },
    },
  ];
}
