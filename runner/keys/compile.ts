/** Compiles circuits/lora_statement.circom for one key size with the circom compiler in WASM; the same bytes every time. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { bindings, CircomRunner } from "circom2";
import { DeltapayError } from "../protocol/errors.ts";

const TEMPLATE = fileURLToPath(new URL("../../circuits/lora_statement.circom", import.meta.url));
const require = createRequire(import.meta.url);
/** Products only ever need the default level; the constraint count is the same at all three. */
const OPTIMISATION = 1;

export interface CompiledCircuit {
  r1cs: Uint8Array;
  /** Witness generator. */
  wasm: Uint8Array;
  /** Lines `label,wire,component,name`. */
  sym: string;
}

/** Name and version of the compiler package. */
export function compilerVersion(): string {
  const { version } = JSON.parse(fs.readFileSync(require.resolve("circom2/package.json"), "utf8")) as {
    version: string;
  };
  return `circom2 ${version}`;
}

/** The main file of an instance of L slots. */
function mainSource(size: number): string {
  return `pragma circom 2.1.6;\ninclude "lora_statement.circom";\ncomponent main = LoraStatement(${size});\n`;
}

/** circom writes its report to file descriptors 1 and 2: keep it for errors, off the user's terminal. */
function captureOutput(report: Uint8Array[]): typeof fs {
  const writeSync = (
    fd: number,
    data: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ) => {
    if (fd > 2) return fs.writeSync(fd, data, offset, length, position);
    report.push(data.slice(offset, offset + length));
    return length;
  };
  return { ...fs, writeSync: writeSync as typeof fs.writeSync };
}

async function runCompiler(directory: string, args: string[]): Promise<void> {
  const report: Uint8Array[] = [];
  const runner = new CircomRunner({
    args,
    env: {},
    preopens: { ".": directory },
    bindings: { ...bindings, fs: captureOutput(report), path },
  });
  try {
    await runner.execute(fs.readFileSync(require.resolve("circom2/circom.wasm")));
  } catch (cause) {
    const text = stripVTControlCharacters(Buffer.concat(report).toString("utf8")).trim();
    throw new DeltapayError("key/circuit-does-not-compile", `circom failed: ${text}`, {
      field: "circuits/lora_statement.circom",
      hint: `see that there is room for some megabytes in ${os.tmpdir()}`,
      cause,
    });
  }
}

/**
 * Compiles `LoraStatement(size)`.
 * @param optimisation circom's --O level
 * @param template path of the template's source
 * @throws DeltapayError `key/circuit-does-not-compile` with the compiler's report
 */
export async function compileCircuit(
  size: number,
  optimisation: 0 | 1 | 2 = OPTIMISATION,
  template: string = TEMPLATE,
): Promise<CompiledCircuit> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-circuit-"));
  try {
    fs.copyFileSync(template, path.join(directory, "lora_statement.circom"));
    fs.writeFileSync(path.join(directory, "main.circom"), mainSource(size));
    await runCompiler(directory, [
      "main.circom",
      "--r1cs",
      "--wasm",
      "--sym",
      `--O${optimisation}`,
      "-o",
      ".",
    ]);
    return {
      r1cs: new Uint8Array(fs.readFileSync(path.join(directory, "main.r1cs"))),
      wasm: new Uint8Array(fs.readFileSync(path.join(directory, "main_js", "main.wasm"))),
      sym: fs.readFileSync(path.join(directory, "main.sym"), "utf8"),
    };
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}
