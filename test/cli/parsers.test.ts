import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "commander";
import {
  address,
  decimalNumber,
  hash,
  modulesPerProof,
  nodeChoice,
  seconds,
  several,
  wholeNumber,
} from "../../runner/cli/parsers.ts";

const refuses = (parse: (text: string) => unknown, texts: string[]): void => {
  for (const text of texts) assert.throws(() => parse(text), InvalidArgumentError, text);
};

test("whole numbers within bounds", () => {
  assert.equal(wholeNumber(0, 19)("19"), 19);
  assert.equal(wholeNumber(-5)("-5"), -5);
  refuses(wholeNumber(0, 19), ["20", "-1", "1.5", "", "0x1", "1e1", " 1", "99999999999999999999"]);
});

test("decimal numbers, without words for numbers", () => {
  assert.equal(decimalNumber("0.7"), 0.7);
  refuses(decimalNumber, ["", "NaN", "Infinity", "1e3", ".5", "1."]);
});

test("times in seconds, minutes, hours, days and weeks", () => {
  assert.deepEqual(["90", "90s", "10m", "2h", "30d", "1w"].map(seconds), [
    90n,
    90n,
    600n,
    7200n,
    2_592_000n,
    604_800n,
  ]);
  refuses(seconds, ["", "h", "-1h", "1.5h", "1y", "1 h", "9999999999"]);
});

test("hashes and addresses; a wrong checksum is refused", () => {
  assert.equal(hash(`0x${"AB".repeat(32)}`), `0x${"ab".repeat(32)}`);
  refuses(hash, ["0x", `0x${"ab".repeat(31)}`, "ab".repeat(32), `0x${"ag".repeat(32)}`]);
  const good = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
  assert.equal(address(good), good);
  assert.equal(address(good.toLowerCase()), good.toLowerCase());
  refuses(address, [good.replace("b906", "B906"), good.slice(0, -1), ""]);
});

test("modules of a proof are a number or all; nodes are pairs; options repeat", () => {
  assert.equal(modulesPerProof("all"), "all");
  assert.equal(modulesPerProof("4"), 4);
  refuses(modulesPerProof, ["0", "some"]);
  assert.deepEqual(nodeChoice("a.b=/x/Gemm", { c: "d" }), { c: "d", "a.b": "/x/Gemm" });
  assert.deepEqual(nodeChoice("a=b=c"), { a: "b=c" });
  refuses((text) => nodeChoice(text), ["a", "=b", "a="]);
  assert.deepEqual(several(hash)(`0x${"00".repeat(32)}`, [`0x${"11".repeat(32)}`]).length, 2);
});
