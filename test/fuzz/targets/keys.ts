/** Files of keys and ceremonies, and of deployments: from the network or another's hands. */
import * as fs from "node:fs";
import { readContributions } from "../../../runner/ceremony/contributions.ts";
import { parseParameters } from "../../../runner/ceremony/parameters.ts";
import { readPtau } from "../../../runner/ceremony/ptau.ts";
import { parseDeployment } from "../../../runner/chain/deploymentFile.ts";
import { readR1cs } from "../../../runner/keys/r1cs.ts";
import { readSections, writeSections } from "../../../runner/keys/sections.ts";
import { keyPaths } from "../../../runner/keys/store.ts";
import { readZkey } from "../../../runner/keys/zkeyFile.ts";
import { concatBytes, u32, uintLE } from "../../../runner/protocol/bytes.ts";
import { Q } from "../../../runner/protocol/field.ts";
import { mutateBytes } from "../mutateBytes.ts";
import { generateJson, mutateJson } from "../mutateJson.ts";
import { bytesOf, type FuzzTarget, type Mutator, textOf } from "../target.ts";

/** Changes one section, so that all before its insides is as it should be. */
const mutateSection =
  (magic: string): Mutator =>
  (input, random) => {
    try {
      const file = readSections(input, magic, "file");
      const id = random.pick([...file.sections.keys()]);
      if (id === undefined) return input;
      const body = file.sections.get(id)!;
      const isHead = body.length > 0 && random.next() < 0.5;
      // What is counted stands at the beginning.
      const head = body.subarray(0, isHead ? 100 : body.length);
      const changed = concatBytes(mutateBytes(head, random, body), body.subarray(head.length));
      return writeSections({
        ...file,
        sections: new Map<number, Uint8Array>([...file.sections, [id, changed]]),
      });
    } catch {
      return input;
    }
  };

/** Powers of tau of 2^1 whose points are zeros: only a check of the points would tell. */
function smallPtau(): Uint8Array {
  const sizes = [3 * 64, 2 * 128, 2 * 64, 2 * 64, 128];
  const prepared = [7 * 64, 3 * 128, 3 * 64, 3 * 64];
  const sections = new Map<number, Uint8Array>([[1, concatBytes(u32(32), uintLE(Q, 32), u32(1), u32(1))]]);
  for (const [i, length] of sizes.entries()) sections.set(2 + i, new Uint8Array(length));
  sections.set(7, u32(0));
  for (const [i, length] of prepared.entries()) sections.set(12 + i, new Uint8Array(length));
  return writeSections({ magic: "ptau", version: 1, sections });
}

const hash = (digit: string, bytes = 32): string => `0x${digit.repeat(2 * bytes)}`;

const PARAMETERS = {
  protocol: 1,
  ptau: { blake2b: hash("1", 64), power: 4, name: null },
  keys: [14, 30].map((size) => ({ size, r1csHash: hash("2"), circuitHash: hash("3", 64) })),
};

const DEPLOYMENT = {
  ...{ protocol: 1, chainId: 31337, registry: hash("1", 20), escrow: hash("2", 20) },
  verifiers: {
    14: { address: hash("3", 20), codeHash: hash("4"), vkHash: hash("5"), state: "dev" },
    30: {
      ...{ address: hash("3", 20), codeHash: hash("4"), vkHash: hash("5"), state: "ceremony" },
      ...{ contributions: 3, transcriptHash: hash("6") },
    },
  },
  startBlock: "12",
  codeHashes: { registry: hash("7"), escrow: hash("8") },
  constructorArgs: { escrow: [hash("1", 20)] },
};

export function targets(): FuzzTarget[] {
  const files = keyPaths(14);
  const read = (file: string): Uint8Array => new Uint8Array(fs.readFileSync(file));
  return [
    {
      name: "zkey",
      seeds: [read(files.zkey)],
      mutators: [mutateSection("zkey"), mutateSection("zkey")],
      run: (input) => readContributions(readZkey(input)),
    },
    {
      name: "r1cs",
      seeds: [read(files.r1cs)],
      mutators: [mutateSection("r1cs"), mutateSection("r1cs")],
      run: readR1cs,
    },
    {
      name: "ptau",
      seeds: [smallPtau()],
      mutators: [mutateSection("ptau"), mutateSection("ptau")],
      run: readPtau,
    },
    {
      name: "ceremony-parameters",
      seeds: [bytesOf(JSON.stringify(PARAMETERS))],
      mutators: [mutateJson],
      generate: generateJson,
      run: (input) => parseParameters(textOf(input), "ceremony.json"),
    },
    {
      name: "deployment-file",
      seeds: [bytesOf(JSON.stringify(DEPLOYMENT))],
      mutators: [mutateJson],
      generate: generateJson,
      run: (input) => parseDeployment(textOf(input), "deployment.json"),
    },
  ];
}
