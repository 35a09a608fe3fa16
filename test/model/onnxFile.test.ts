import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from "onnx-buf";
import { loadCutModel } from "../../runner/model/cutModel.ts";
import { Decoder } from "../../runner/model/decoder.ts";
import { hashOnnxModel, readOnnxModel } from "../../runner/model/onnxFile.ts";
import { failure, modelPath, temporaryFolder } from "../adapter/fixtures.ts";
import { exactDeltas, largestDifference, loadModules, reference, targetsOf } from "./deltas.ts";

/** Writes the fixture with its large tensors in `weights.bin`, told to lie at `location`. */
function writeExternal(t: TestContext, location = "weights.bin"): { folder: string; path: string } {
  const folder = join(temporaryFolder(t), "model");
  mkdirSync(folder);
  const proto: ModelProto = fromBinary(ModelProtoSchema, readFileSync(modelPath("model.onnx")));
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of proto.graph!.initializer.filter(({ rawData }) => rawData.length > 1024)) {
    const entries = { location, offset: String(offset), length: String(tensor.rawData.length) };
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    parts.push(tensor.rawData);
    offset += tensor.rawData.length;
    tensor.rawData = new Uint8Array();
  }
  writeFileSync(join(folder, "weights.bin"), Buffer.concat(parts));
  const path = join(folder, "model.onnx");
  writeFileSync(path, toBinary(ModelProtoSchema, proto));
  return { folder, path };
}

test("a model with external data is cut and run, its weights read where they lie", async (t) => {
  const { path } = writeExternal(t);
  const modules = await loadModules(["kjv-attn"]);
  const model = await loadCutModel({ modelPath: path, targets: targetsOf(modules) });
  const { logits, vocabulary } = await new Decoder(model.with(exactDeltas(modules))).forward(
    reference.window_ids,
  );
  assert.ok(largestDifference(logits.subarray(-vocabulary), reference.cases["kjv-attn"]!.last_logits) < 1e-3);
  await model.close();
});

test("external data outside the model's folder is refused, links followed", async (t) => {
  for (const location of ["../weights.bin", "/etc/hostname", "", ".."]) {
    const { folder, path } = writeExternal(t, location);
    copyFileSync(join(folder, "weights.bin"), join(dirname(folder), "weights.bin"));
    await assert.rejects(
      readOnnxModel(path),
      failure("model/external-data", "transformer.wte.weight"),
      location,
    );
  }
  const { folder, path } = writeExternal(t, "link.bin");
  copyFileSync(join(folder, "weights.bin"), join(dirname(folder), "outside.bin"));
  symlinkSync(join(dirname(folder), "outside.bin"), join(folder, "link.bin"));
  await assert.rejects(readOnnxModel(path), failure("model/external-data"));
});

test("the hash covers external data", async (t) => {
  const { folder, path } = writeExternal(t);
  const before = await hashOnnxModel(await readOnnxModel(path));
  const own = createHash("sha256").update(readFileSync(path)).digest();
  const name = createHash("sha256").update("weights.bin").digest();
  const weights = createHash("sha256")
    .update(readFileSync(join(folder, "weights.bin")))
    .digest();
  assert.equal(
    before,
    createHash("sha256")
      .update(Buffer.concat([own, name, weights]))
      .digest("hex"),
  );
  const bytes = readFileSync(join(folder, "weights.bin"));
  bytes[0]! ^= 1;
  writeFileSync(join(folder, "weights.bin"), bytes);
  assert.notEqual(await hashOnnxModel(await readOnnxModel(path)), before);
});

test("unknown fields and node metadata survive reading and writing", () => {
  const proto = fromBinary(ModelProtoSchema, readFileSync(modelPath("model_dynamo.onnx")));
  const unknown = Buffer.from([0xfa, 0xff, 0x03, 0x01, 0x2a]); // field 8191, one byte
  const again = fromBinary(
    ModelProtoSchema,
    toBinary(
      ModelProtoSchema,
      fromBinary(ModelProtoSchema, Buffer.concat([toBinary(ModelProtoSchema, proto), unknown])),
    ),
  );
  assert.equal(again.$unknown?.[0]?.no, 8191);
  assert.deepEqual(
    again.graph!.node.map(({ metadataProps }) => metadataProps.length),
    proto.graph!.node.map(({ metadataProps }) => metadataProps.length),
  );
});
