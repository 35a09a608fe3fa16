/** The auditor's own readers, which share nothing with the product's. */
import * as fs from "node:fs";
import { readCommitKey } from "../../../runner/audit/formats/commitKey.ts";
import { readCommitments } from "../../../runner/audit/formats/commitments.ts";
import { type Module, readManifest } from "../../../runner/audit/formats/manifest.ts";
import { readOpening } from "../../../runner/audit/formats/openingFile.ts";
import { readPass } from "../../../runner/audit/formats/passFile.ts";
import { AuditError, Missing, Wrong } from "../../../runner/audit/problem.ts";
import { keyPaths } from "../../../runner/keys/store.ts";
import { encodeManifest } from "../../../runner/protocol/manifest.ts";
import { encodePass } from "../../../runner/protocol/passFile.ts";
import { generateJson, mutateJson } from "../mutateJson.ts";
import type { FuzzTarget } from "../target.ts";
import { LAYOUT, MANIFEST } from "./layout.ts";
import { targets as protocolTargets } from "./protocol.ts";

const refusals = [Wrong, Missing, AuditError];
const MODULES: readonly Module[] = LAYOUT.modules;

function pass(): Uint8Array {
  const tokens = 2;
  return encodePass({
    ...{ passSalt: new Uint8Array(32).fill(3), tokens },
    X: LAYOUT.modules.map(({ dIn }) => new Int16Array(tokens * dIn).fill(-5)),
    Y: LAYOUT.modules.map(({ dOut }) => new Float64Array(tokens * dOut).fill(9)),
  });
}

export async function targets(): Promise<FuzzTarget[]> {
  const product = await protocolTargets();
  const seedsOf = (name: string) => product.find((target) => target.name === name)!.seeds;
  return [
    {
      name: "audit-manifest",
      seeds: [encodeManifest(MANIFEST)],
      mutators: [mutateJson],
      generate: generateJson,
      refusals,
      run: readManifest,
    },
    {
      name: "audit-commitments",
      seeds: seedsOf("commitments-file"),
      mutators: [],
      refusals,
      run: (input) => readCommitments(input, MODULES),
    },
    {
      name: "audit-opening",
      seeds: seedsOf("opening-file"),
      mutators: [],
      refusals,
      run: (input) => readOpening(input, MODULES, LAYOUT.groups),
    },
    {
      name: "audit-pass",
      seeds: [pass()],
      mutators: [],
      refusals,
      run: (input) => readPass(input, MODULES, "pass"),
    },
    {
      name: "audit-commit-key",
      seeds: [new Uint8Array(fs.readFileSync(keyPaths(14).commitKey))],
      mutators: [],
      refusals,
      run: readCommitKey,
    },
  ];
}
