import assert from "node:assert/strict";
import { test } from "node:test";
import { compileCircuit } from "../../runner/keys/compile.ts";
import { readR1cs } from "../../runner/keys/r1cs.ts";
import { readSections, type SectionFile, sectionOf, writeSections } from "../../runner/keys/sections.ts";
import { readZkey } from "../../runner/keys/zkeyFile.ts";
import { concatBytes, u32, uintLE } from "../../runner/protocol/bytes.ts";

const FILE: SectionFile = {
  magic: "test",
  version: 1,
  sections: new Map([
    [2, Uint8Array.of(1, 2, 3)],
    [1, new Uint8Array(0)],
  ]),
};
const BYTES = writeSections(FILE);
const malformed = { code: "key/malformed" };

test("sections survive a round trip in their order", () => {
  const read = readSections(BYTES, "test", "file");
  assert.deepEqual([...read.sections], [...FILE.sections]);
  assert.deepEqual(writeSections(read), BYTES);
});

test("a file that is cut anywhere, too long, or of another kind is refused", () => {
  for (let length = 0; length < BYTES.length; length++)
    assert.throws(
      () => readSections(BYTES.subarray(0, length), "test", "file"),
      malformed,
      `${length} bytes`,
    );
  assert.throws(() => readSections(concatBytes(BYTES, Uint8Array.of(0)), "test", "file"), /1 bytes after/);
  assert.throws(() => readSections(BYTES, "zkey", "file"), /not a .zkey file/);
});

test("lengths beyond the file and repeated sections are refused", () => {
  const head = concatBytes(new TextEncoder().encode("test"), u32(1));
  for (const length of [1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n])
    assert.throws(
      () => readSections(concatBytes(head, u32(1), u32(1), uintLE(length, 8)), "test", "file"),
      /runs past the end/,
    );
  const empty = concatBytes(u32(1), uintLE(0n, 8));
  assert.throws(() => readSections(concatBytes(head, u32(2), empty, empty), "test", "file"), /repeated/);
});

test("a section that is missing or of another length is refused", () => {
  assert.throws(() => sectionOf(FILE, 3), /section 3 is missing/);
  assert.throws(() => sectionOf(FILE, 2, 4), /has 3 bytes, expected 4/);
});

test("an r1cs that lies about itself is refused", async () => {
  const { r1cs } = await compileCircuit(14);
  const file = readSections(r1cs, "r1cs", "r1cs");
  const edited = (id: number, at: number, value: Uint8Array): Uint8Array => {
    const body = file.sections.get(id)!.slice();
    body.set(value, at);
    return writeSections({ ...file, sections: new Map([...file.sections, [id, body]]) });
  };
  readR1cs(r1cs);
  assert.throws(() => readR1cs(edited(1, 4, u32(5))), /not over BN254/);
  assert.throws(() => readR1cs(edited(1, 60, u32(16))), /constraints end early/);
  assert.throws(() => readR1cs(edited(1, 60, u32(14))), /bytes after the last constraint/);
  assert.throws(() => readR1cs(edited(1, 36, u32(2))), /does not exist/);
  assert.throws(() => readR1cs(edited(2, 8, new Uint8Array(32).fill(255))), /not below p/);
});

test("not a key", () => {
  assert.throws(() => readZkey(BYTES), malformed);
  assert.throws(() => readZkey(new Uint8Array(0)), malformed);
});
