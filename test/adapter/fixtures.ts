/** Real fixtures, and copies of them with one thing changed. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { DeltapayError } from "../../runner/protocol/errors.ts";

export const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
export const adapterDir = (name: string): string => join(FIXTURES, name);
export const modelPath = (name: string): string => join(FIXTURES, "base", name);

/** A folder that is removed when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "deltapay-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of a fixture adapter in a folder of its own. */
export function copyAdapter(t: TestContext, name: string): string {
  const dir = join(temporaryFolder(t), name);
  cpSync(adapterDir(name), dir, { recursive: true });
  return dir;
}

/** Changes fields of adapter_config.json; undefined deletes. */
export function editConfig(dir: string, changes: Record<string, unknown>): void {
  const path = join(dir, "adapter_config.json");
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), ...changes }));
}

/** A tensor in a safetensors header. */
export interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}
export type Header = Record<string, HeaderEntry>;

/** Rewrites adapter_model.safetensors after `edit` changed its header and data. */
export function editWeights(dir: string, edit: (header: Header, data: Buffer) => Buffer | undefined): void {
  const path = join(dir, "adapter_model.safetensors");
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, end).toString()) as Header;
  delete header["__metadata__"];
  const data = Buffer.from(bytes.subarray(end));
  const edited = edit(header, data) ?? data;
  writeFileSync(path, packSafetensors(JSON.stringify(header), edited));
}

/** The bytes of a safetensors file: header length, header, data. */
export function packSafetensors(header: string, data: Uint8Array): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

/** Matches a DeltapayError by code and, when given, a part of its field. */
export function failure(code: string, field?: string): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof DeltapayError)) return false;
    if (error.code !== code) throw new Error(`expected ${code}, got ${error.code}: ${error.message}`);
    if (field !== undefined && !error.field?.includes(field))
      throw new Error(`expected the field ${field}, got ${error.field}: ${error.message}`);
    return true;
  };
}
