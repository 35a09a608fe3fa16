/** A ceremony's keys as a release takes them: key list, Solidity verifiers, key files, transcript. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Curve } from "ffjavascript";
import * as snarkjs from "snarkjs";
import { type KeyArtefacts, type PinnedKey, pinnedOf, snarkjsVersion } from "../keys/artefacts.ts";
import { compilerVersion } from "../keys/compile.ts";
import { verifierSource } from "../keys/exportSolidity.ts";
import { writeKeyFiles } from "../keys/store.ts";
import type { Hex } from "../protocol/bytes.ts";
import { ensure } from "../protocol/errors.ts";
import { verifyingKey } from "../protocol/key.ts";
import { type CheckOptions, checkCeremony } from "./checkCeremony.ts";
import { type CeremonyFolder, writing } from "./folder.ts";
import {
  encodeTranscript,
  type FinishedKey,
  finishedKey,
  pinnedPart,
  secretContributions,
  type Transcript,
  transcriptHash,
  transcriptKey,
} from "./transcript.ts";

export interface Finalized {
  directory: string;
  transcriptHash: Hex;
  keys: PinnedKey[];
}

async function artefacts(key: FinishedKey, contributions: number, hash: Hex): Promise<KeyArtefacts> {
  const { circuit, zkey, commitKey } = key;
  return {
    info: {
      ...pinnedPart(key),
      state: "ceremony",
      contributions,
      transcriptHash: hash,
      compiler: compilerVersion(),
      snarkjs: snarkjsVersion(),
    },
    r1cs: circuit.r1cs,
    wasm: circuit.wasm,
    zkey,
    vk: await snarkjs.zKey.exportVerificationKey(zkey),
    commitKey,
  };
}

/** Writes into a folder of its own, which becomes the release in one step: none is there by half. */
function placeRelease(directory: string, write: (staged: string) => void): void {
  const target = path.resolve(directory);
  const staged = `${target}.${randomBytes(6).toString("hex")}`;
  try {
    write(staged);
    fs.renameSync(staged, target);
  } catch (error) {
    fs.rmSync(staged, { recursive: true, force: true });
    throw error;
  }
}

function writeRelease(directory: string, made: readonly KeyArtefacts[], transcript: Uint8Array): void {
  const file = (...names: string[]): string => path.join(directory, ...names);
  fs.mkdirSync(file("verifiers"), { recursive: true });
  for (const key of made) {
    writeKeyFiles(file("keys"), key);
    fs.writeFileSync(
      file("verifiers", `LoraVerifier${key.info.size}.sol`),
      verifierSource(verifyingKey(key.commitKey), key.info.state),
    );
  }
  fs.writeFileSync(file("transcript.json"), transcript);
  fs.writeFileSync(file("keys.json"), `${JSON.stringify(made.map(pinnedOf), null, 2)}\n`);
}

/**
 * Verifies the ceremony once more and writes OUT/keys.json, verifiers/, keys/<L>/ and transcript.json.
 * @throws DeltapayError `ceremony/nobody-contributed`, `ceremony/exists`, `ceremony/cannot-write`, and as `checkCeremony`
 */
export async function finalizeCeremony(
  curve: Curve,
  folder: CeremonyFolder,
  directory: string,
  options: CheckOptions = {},
): Promise<Finalized> {
  ensure(!fs.existsSync(directory), "ceremony/exists", `${directory} is there already`, {
    field: directory,
    hint: "name a folder that is not there yet",
  });
  const { parameters, keys } = await checkCeremony(curve, folder, options);
  const finished: FinishedKey[] = [];
  for (const key of keys) finished.push(await finishedKey(curve, key));
  const described = finished.map((key) => transcriptKey(curve, key));
  const contributions = Math.min(...described.map(secretContributions));
  ensure(contributions > 0, "ceremony/nobody-contributed", "nobody contributed a secret to these keys", {
    field: "contributions",
    hint: "take part first: deltapay ceremony contribute. A beacon alone is no secret",
  });
  const transcript: Transcript = { protocol: 1, ptau: parameters.ptau, keys: described };
  const hash = transcriptHash(transcript);
  const made: KeyArtefacts[] = [];
  for (const key of finished) made.push(await artefacts(key, contributions, hash));
  writing(directory, () =>
    placeRelease(directory, (staged) => writeRelease(staged, made, encodeTranscript(transcript))),
  );
  return { directory, transcriptHash: hash, keys: made.map(pinnedOf) };
}
