import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { BrokenSeal, SealedReader, SealedWriter } from "../../runner/storage/sealedStream.ts";
import { temporaryDirectory } from "./temporary.ts";

const CHUNK = 2 ** 20;
const KEY = new Uint8Array(32).fill(7);
const HEADER = new TextEncoder().encode("header");

function sealed(file: string, bytes: Uint8Array, key = KEY): Uint8Array {
  const descriptor = fs.openSync(file, "w");
  const writer = new SealedWriter(descriptor, key, HEADER);
  // In pieces that fit no chunk.
  for (let at = 0; at < bytes.length; at += 300_001) writer.write(bytes.subarray(at, at + 300_001));
  writer.end();
  fs.closeSync(descriptor);
  return new Uint8Array(fs.readFileSync(file));
}

function opened(file: string, key = KEY, header = HEADER): Uint8Array {
  const descriptor = fs.openSync(file, "r");
  try {
    const reader = new SealedReader(descriptor, 0, key, header);
    const parts: Uint8Array[] = [];
    for (let part = reader.read(777_777); part.length > 0; part = reader.read(777_777)) parts.push(part);
    return new Uint8Array(Buffer.concat(parts));
  } finally {
    fs.closeSync(descriptor);
  }
}

test("bytes of any length come back", (context) => {
  const file = path.join(temporaryDirectory(context), "sealed");
  for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]) {
    const bytes = new Uint8Array(length).map((_, i) => i * 31);
    sealed(file, bytes);
    assert.deepEqual(opened(file), bytes);
  }
});

test("a stream cut between chunks, added to, or under another key or header is refused", (context) => {
  const file = path.join(temporaryDirectory(context), "sealed");
  const bytes = sealed(file, new Uint8Array(3 * CHUNK));
  assert.throws(() => opened(file, new Uint8Array(32)), BrokenSeal);
  assert.throws(() => opened(file, KEY, new Uint8Array(6)), BrokenSeal);
  const chunk = CHUNK + 16;
  for (const wrong of [
    bytes.subarray(0, 2 * chunk),
    bytes.subarray(0, 2 * chunk + 1),
    bytes.subarray(chunk),
    Buffer.concat([bytes, bytes.subarray(-chunk)]),
    Buffer.concat([bytes.subarray(chunk, 2 * chunk), bytes.subarray(0, chunk), bytes.subarray(2 * chunk)]),
  ]) {
    fs.writeFileSync(file, wrong);
    assert.throws(() => opened(file), BrokenSeal);
  }
});
