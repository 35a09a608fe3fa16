/** A circuit that would give a broken key is refused before a key is made. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkKernel, checkShape, checkWireOrder, zeroInKernel } from "../../runner/keys/checkCircuit.ts";
import { type CompiledCircuit, compileCircuit } from "../../runner/keys/compile.ts";
import { readR1cs } from "../../runner/keys/r1cs.ts";

const SIZE = 14;
const SOURCE = fs.readFileSync(
  fileURLToPath(new URL("../../circuits/lora_statement.circom", import.meta.url)),
  "utf8",
);

/** The template with `from` replaced by `to`. */
async function variant(from: string, to: string): Promise<CompiledCircuit> {
  assert.ok(SOURCE.includes(from), from);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-variant-"));
  try {
    const file = path.join(directory, "variant.circom");
    fs.writeFileSync(file, SOURCE.replace(from, to));
    return await compileCircuit(SIZE, 1, file);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

test("the circuit passes, and its matrices fix every wire", async () => {
  const { r1cs, sym } = await compileCircuit(SIZE);
  const circuit = readR1cs(r1cs);
  checkShape(circuit, SIZE);
  checkWireOrder(sym, SIZE);
  checkKernel(circuit, SIZE);
  assert.equal(zeroInKernel(circuit).size, circuit.wires - 1);
});

test("inputs in another order are refused", async () => {
  const { r1cs, sym } = await variant(
    "signal input yhat;\n    signal input h[L];",
    "signal input h[L];\n    signal input yhat;",
  );
  checkShape(readR1cs(r1cs), SIZE);
  assert.throws(() => checkWireOrder(sym, SIZE), { code: "key/wire-order", field: "main.yhat" });
});

test("openings that share a commitment are refused", async () => {
  // s and h enter only as their sum: (1, -1) in any slot changes no commitment.
  const { r1cs, sym } = await variant(
    "product[k] <== s[k] * h[k];",
    "product[k] <== (s[k] + h[k]) * (s[k] + h[k]);",
  );
  const circuit = readR1cs(r1cs);
  checkShape(circuit, SIZE);
  checkWireOrder(sym, SIZE);
  assert.throws(() => checkKernel(circuit, SIZE), { code: "key/not-binding", field: "main.h[0]" });
});

test("a blind without a constraint is refused", async () => {
  // The compiler drops its wire, though the header still counts it as an input.
  const { r1cs, sym } = await variant("z <== blind * blind;", "z <== yhat * yhat;");
  checkShape(readR1cs(r1cs), SIZE);
  assert.throws(() => checkWireOrder(sym, SIZE), { code: "key/wire-order", field: "main.blind" });
});

test("the constant wire does not hide a relation", async () => {
  // blind - 1 looks like a row of two wires; without the constant it still fixes blind.
  const { r1cs } = await variant("z <== blind * blind;", "z <== (blind - 1) * (blind - 1);");
  checkKernel(readR1cs(r1cs), SIZE);
});

test("another number of constraints, or a public signal, is refused", async () => {
  const { r1cs } = await variant("z <== blind * blind;", "z <== blind * blind;\n    z * yhat === 0;");
  assert.throws(() => checkShape(readR1cs(r1cs), SIZE), /16 constraints, expected 15/);
  const output = await variant("signal z;", "signal output z;");
  assert.throws(() => checkShape(readR1cs(output.r1cs), SIZE), { code: "key/circuit-shape" });
});

test("a circuit that does not compile gives the compiler's report", async () => {
  await assert.rejects(variant("z <== blind * blind;", "z <== blind * nothing;"), (error: Error) => {
    assert.match(error.message, /nothing/);
    return "code" in error && error.code === "key/circuit-does-not-compile";
  });
});
