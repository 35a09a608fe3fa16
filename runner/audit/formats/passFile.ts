/** Pass transcript (docs/protocol.md 11): what travelled in one pass, every value in its range. */

import { Reader } from "../primitives/bytes.ts";
import { tag } from "../primitives/hashes.ts";
import { demand } from "../problem.ts";
import { answerBound, type Module } from "./manifest.ts";

const MAX_TOKENS = 65_536;

export interface PassModule {
  /** The bytes that were hashed. */
  bytesX: Uint8Array;
  bytesY: Uint8Array;
  /** T x dIn and T x dOut, row by row. */
  X: Int16Array;
  Y: Float64Array;
}

export interface Pass {
  salt: Uint8Array;
  tokens: number;
  modules: PassModule[];
}

export const passFileName = (number: number): string => `pass-${String(number).padStart(8, "0")}.bin`;

/** @throws Wrong naming module, token and column of a value out of range */
export function readPass(bytes: Uint8Array, modules: readonly Module[], name: string): Pass {
  const file = new Reader(bytes, name);
  file.magic(tag("pass-transcript"));
  const salt = file.take(32);
  const tokens = file.u32();
  demand(tokens >= 1 && tokens <= MAX_TOKENS, `${name} has ${tokens} tokens`);
  const read = modules.map((module) => {
    const bytesX = file.take(2 * tokens * module.dIn);
    const bytesY = file.take(8 * tokens * module.dOut);
    return { bytesX, bytesY, X: readX(bytesX, module, name), Y: readY(bytesY, module, name) };
  });
  file.end();
  return { salt, tokens, modules: read };
}

function place(module: Module, width: number, index: number, pass: string): string {
  return `${pass}, module ${module.name}, token ${Math.floor(index / width)}, column ${index % width}`;
}

function readX(bytes: Uint8Array, module: Module, pass: string): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const X = new Int16Array(bytes.length / 2);
  for (let i = 0; i < X.length; i++) {
    X[i] = view.getInt16(2 * i, true);
    if (X[i] === -32768) demand(false, `${place(module, module.dIn, i, pass)}: x is -32768`);
  }
  return X;
}

function readY(bytes: Uint8Array, module: Module, pass: string): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bound = answerBound(module);
  const Y = new Float64Array(bytes.length / 8);
  for (let i = 0; i < Y.length; i++) {
    const value = view.getBigInt64(8 * i, true);
    Y[i] = Number(value);
    // the bound is below 2^53, so that what passes is exact
    if (Math.abs(Y[i]!) > bound)
      demand(false, `${place(module, module.dOut, i, pass)}: y = ${value} is beyond ${bound}`);
  }
  return Y;
}
