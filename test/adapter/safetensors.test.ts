import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseSafetensors } from "../../runner/adapter/safetensors.ts";
import { adapterDir, failure, packSafetensors } from "./fixtures.ts";

const tensor = (dtype: string, shape: number[], begin: number, end: number): object => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const parse = (header: object, data: Uint8Array) =>
  parseSafetensors(packSafetensors(JSON.stringify(header), data), "file");

test("reads the fixture's tensors", () => {
  const tensors = parseSafetensors(
    readFileSync(`${adapterDir("kjv-attn")}/adapter_model.safetensors`),
    "file",
  );
  assert.equal(tensors.size, 8);
  const first = tensors.get("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight");
  assert.deepEqual(first?.shape, [4, 128]);
  assert.equal(first.values().length, 512);
});

test("widens F32, F16 and BF16 without loss, at offsets of any alignment", () => {
  const data = Buffer.alloc(13);
  data.writeFloatLE(-1.5, 1);
  data.set([0x00, 0x3e, 0x01, 0x00], 5); // 1.5 and 2^-24 as float16
  data.set([0xc0, 0x3f, 0x80, 0xff], 9); // 1.5 and -infinity as bfloat16
  const shifted = packSafetensors(
    JSON.stringify({
      pad: tensor("F16", [0], 0, 0),
      a: tensor("F32", [1], 0, 4),
      b: tensor("F16", [2], 4, 8),
      c: tensor("BF16", [2], 8, 12),
    }),
    data.subarray(1),
  );
  const unaligned = new Uint8Array(shifted.length + 3).subarray(3);
  unaligned.set(shifted);
  const tensors = parseSafetensors(unaligned, "file");
  assert.deepEqual([...tensors.get("a")!.values()], [-1.5]);
  assert.deepEqual([...tensors.get("b")!.values()], [1.5, 2 ** -24]);
  assert.deepEqual([...tensors.get("c")!.values()], [1.5, Number.NEGATIVE_INFINITY]);
});

test("values are copies: they outlive changes of the file's bytes", () => {
  const bytes = packSafetensors(JSON.stringify({ a: tensor("F32", [1], 0, 4) }), new Uint8Array(4));
  const values = parseSafetensors(bytes, "file").get("a")!.values();
  bytes.fill(255);
  assert.equal(values[0], 0);
});

test("refuses headers that are too long, cut off or not JSON", () => {
  const length = Buffer.alloc(8);
  assert.throws(() => parseSafetensors(new Uint8Array(7), "file"), failure("safetensors/malformed"));
  length.writeBigUInt64LE(100n);
  assert.throws(() => parseSafetensors(length, "file"), failure("safetensors/malformed"));
  length.writeBigUInt64LE(2n ** 63n);
  assert.throws(() => parseSafetensors(length, "file"), failure("safetensors/too-large"));
  assert.throws(
    () => parseSafetensors(packSafetensors("{", new Uint8Array()), "file"),
    failure("json/malformed"),
  );
  assert.throws(
    () => parseSafetensors(packSafetensors("[]", new Uint8Array()), "file"),
    failure("safetensors/malformed"),
  );
});

test("refuses a key written twice, at any depth and however it is escaped", () => {
  const entry = JSON.stringify(tensor("F32", [1], 0, 4));
  const twice = `{"a":${entry},"\\u0061":${entry}}`;
  assert.throws(
    () => parseSafetensors(packSafetensors(twice, new Uint8Array(4)), "file"),
    failure("json/duplicate-key", "a"),
  );
  const nested = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[1]}}';
  assert.throws(
    () => parseSafetensors(packSafetensors(nested, new Uint8Array(4)), "file"),
    failure("json/duplicate-key", "shape"),
  );
});

test("refuses offsets out of bounds, overlaps, holes and sizes that disagree, naming the tensor", () => {
  const data = new Uint8Array(8);
  assert.throws(
    () => parse({ w: tensor("F32", [3], 0, 12) }, data),
    failure("safetensors/out-of-bounds", "w"),
  );
  assert.throws(
    () => parse({ w: tensor("F32", [1], 8, 4) }, data),
    failure("safetensors/out-of-bounds", "w"),
  );
  assert.throws(
    () => parse({ w: tensor("F32", [1], 0, 8) }, data),
    failure("safetensors/out-of-bounds", "w"),
  );
  const overlap = { v: tensor("F32", [2], 0, 8), w: tensor("F32", [1], 4, 8) };
  assert.throws(() => parse(overlap, data), failure("safetensors/overlap", "w"));
  assert.throws(() => parse({ w: tensor("F32", [1], 4, 8) }, data), failure("safetensors/hole", "w"));
  assert.throws(() => parse({ w: tensor("F32", [1], 0, 4) }, data), failure("safetensors/hole"));
});

test("refuses other dtypes and malformed entries, naming the tensor", () => {
  const data = new Uint8Array(8);
  for (const dtype of ["F64", "I8", "toString"])
    assert.throws(
      () => parse({ w: tensor(dtype, [1], 0, 8) }, data),
      failure("safetensors/unsupported-dtype", "w"),
    );
  for (const entry of [
    null,
    1,
    tensor("F32", [-1], 0, 8),
    tensor("F32", [1.5], 0, 8),
    { ...tensor("F32", [2], 0, 8), more: 1 },
  ])
    assert.throws(() => parse({ w: entry }, data), failure("safetensors/malformed", "w"));
});
