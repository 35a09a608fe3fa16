/** The manifest (docs/protocol.md 4): canonical JSON, its limits, and where each module's slots lie. */

import type { Hex } from "../primitives/bytes.ts";
import { toHex } from "../primitives/bytes.ts";
import { demand, Wrong } from "../problem.ts";

const KEY_SIZES = Array.from({ length: 10 }, (_, i) => 2 ** (i + 4) - 2);
const MAX_MODULES = 4096;
const MAX_GROUPS = 1024;
const MAX_WIDTH = 2 ** 20;
const MAX_TEXT = 256;

export interface Module {
  name: string;
  dIn: number;
  dOut: number;
  r: number;
  group: number;
  /** First slot in its group. */
  slot: number;
}

export interface Manifest {
  chainId: bigint;
  registry: Hex;
  contributor: Hex;
  vkHash: Hex;
  keySize: number;
  groups: number;
  adapterSalt: Hex;
  baseModel: { name: string; sha256: Hex } | null;
  modules: Module[];
  commitments: { sha256: Hex; bytes: number };
}

type Json = Record<string, unknown>;

/** The fields of an object, these and in this order. */
function fields(value: unknown, names: readonly string[], where: string): Json {
  demand(typeof value === "object" && value !== null && !Array.isArray(value), `${where} is not an object`);
  const found = Object.keys(value);
  demand(
    found.length === names.length && found.every((name, i) => name === names[i]),
    `${where} has the fields ${found.slice(0, 20).join(", ")} and not ${names.join(", ")}`,
  );
  return value as Json;
}

function integer(value: unknown, least: number, most: number, where: string): number {
  demand(
    typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most,
    `${where} is not an integer from ${least} to ${most}`,
  );
  return value;
}

function hex(value: unknown, length: number, where: string): Hex {
  demand(
    typeof value === "string" && value.length === 2 + 2 * length && /^0x[0-9a-f]+$/.test(value),
    `${where} is not ${length} bytes in lower-case hex`,
  );
  return value;
}

function shortText(value: unknown, where: string): string {
  demand(
    typeof value === "string" && value.length >= 1 && value.length <= MAX_TEXT,
    `${where} is not a text of 1 to ${MAX_TEXT} characters`,
  );
  return value;
}

const FIELDS = [
  "protocol",
  "chainId",
  "registry",
  "contributor",
  "vkHash",
  "keySize",
  "groups",
  "adapterSalt",
  "baseModel",
  "modules",
  "commitments",
];

/**
 * Parses a manifest.
 * @throws Wrong naming the field; other bytes than the canonical ones are refused
 */
export function readManifest(bytes: Uint8Array): Manifest {
  const parsed = parseCanonical(bytes);
  const json = fields(parsed, FIELDS, "the manifest");
  demand(json["protocol"] === 1, "protocol is not 1");
  const keySize = integer(json["keySize"], 1, 8190, "keySize");
  demand(KEY_SIZES.includes(keySize), `there is no key of ${keySize} slots`);
  const groups = integer(json["groups"], 1, MAX_GROUPS, "groups");
  const commitments = fields(json["commitments"], ["sha256", "bytes"], "commitments");
  return {
    chainId: BigInt(integer(json["chainId"], 1, Number.MAX_SAFE_INTEGER, "chainId")),
    registry: hex(json["registry"], 20, "registry"),
    contributor: hex(json["contributor"], 20, "contributor"),
    vkHash: hex(json["vkHash"], 32, "vkHash"),
    keySize,
    groups,
    adapterSalt: hex(json["adapterSalt"], 32, "adapterSalt"),
    baseModel: readBaseModel(json["baseModel"]),
    modules: readModules(json["modules"], groups, keySize),
    commitments: {
      sha256: hex(commitments["sha256"], 32, "commitments.sha256"),
      bytes: integer(commitments["bytes"], 1, Number.MAX_SAFE_INTEGER, "commitments.bytes"),
    },
  };
}

function parseCanonical(bytes: Uint8Array): unknown {
  let json: unknown;
  let canonical: Uint8Array;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    // fails where values are nested beyond the stack
    canonical = new TextEncoder().encode(JSON.stringify(json));
  } catch {
    throw new Wrong("the manifest is not JSON in UTF-8, or nested too deeply");
  }
  demand(toHex(canonical) === toHex(bytes), "the manifest is not in canonical form");
  return json;
}

function readBaseModel(value: unknown): Manifest["baseModel"] {
  if (value === null) return null;
  const json = fields(value, ["name", "sha256"], "baseModel");
  return {
    name: shortText(json["name"], "baseModel.name"),
    sha256: hex(json["sha256"], 32, "baseModel.sha256"),
  };
}

function readModules(value: unknown, groups: number, keySize: number): Module[] {
  demand(
    Array.isArray(value) && value.length >= 1 && value.length <= MAX_MODULES,
    `modules is not a list of 1 to ${MAX_MODULES}`,
  );
  const used = new Array<number>(groups).fill(0);
  const modules = value.map((entry, m) => {
    const where = `modules[${m}]`;
    const json = fields(entry, ["name", "shape", "group", "scalesHash"], where);
    const shape = json["shape"];
    demand(Array.isArray(shape) && shape.length === 3, `${where}.shape is not [d_in, d_out, r]`);
    const [dIn, dOut] = [0, 1].map((i) => integer(shape[i], 1, MAX_WIDTH, `${where}.shape[${i}]`));
    const r = integer(shape[2], 1, keySize, `${where}.shape[2]`);
    const group = integer(json["group"], 0, groups - 1, `${where}.group`);
    hex(json["scalesHash"], 32, `${where}.scalesHash`);
    const slot = used[group]!;
    used[group] = slot + r;
    demand(slot + r <= keySize, `${where}: the ranks of group ${group} add up to more than ${keySize}`);
    demand(answerBound({ r, dIn: dIn! }) < 2 ** 53, `${where}: answers of this shape could exceed 2^53`);
    return { name: shortText(json["name"], `${where}.name`), dIn: dIn!, dOut: dOut!, r, group, slot };
  });
  demand(new Set(modules.map(({ name }) => name)).size === modules.length, "two modules have one name");
  demand(
    used.every((slots) => slots > 0),
    `a group below ${groups} has no module`,
  );
  return modules;
}

/** Y_MAX (docs/protocol.md 2). */
export const answerBound = ({ r, dIn }: { r: number; dIn: number }): number => r * 127 * dIn * 127 * 32767;
