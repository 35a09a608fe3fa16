/** A ceremony's keys as a release takes them: key list, Solidity verifiers, key files, transcript. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Curve } from "ffjavascript";
import * as snarkjs from "snarkjs";
import { type KeyArtefacts, type PinnedKey, pinnedOf, snarkjsVersion } from "../keys/artefacts.ts";
import { compilerVersion } from "../keys/compile.ts";
import { verifierSource } from "../keys/exportSolidity.ts";
import { readR1cs } from "../keys/r1cs.ts";
import { writeKeyFiles } from "../keys/store.ts";
import { type Hex, toHex } from "../protocol/bytes.ts";
import { ensure } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { verifyingKey, vkHash } from "../protocol/key.ts";
import { type CheckOptions, checkCeremony } from "./checkCeremony.ts";
import { type CeremonyFolder, writing } from "./folder.ts";
import {
  encodeTranscript,
  type FinishedKey,
  finishedKey,
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
  const { size, circuit, zkey, commitKey } = key;
  return {
    info: {
      size,
      state: "ceremony",
      contributions,
      transcriptHash: hash,
      constraints: readR1cs(circuit.r1cs).constraints.length,
      r1csHash: toHex(sha256(circuit.r1cs)),
      wasmHash: toHex(sha256(circuit.wasm)),
      zkeyHash: toHex(sha256(zkey)),
      ic0: toHex(commitKey.ic0),
      basesHash: verifyingKey(commitKey).basesHash,
      vkHash: vkHash(commitKey),
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

/** Writes into a folder that was not there, so that no release is changed by half. */
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
  const staged = `${directory}.new`;
  writing(directory, () => {
    fs.rmSync(staged, { recursive: true, force: true });
    writeRelease(staged, made, encodeTranscript(transcript));
    fs.renameSync(staged, directory);
  });
  return { directory, transcriptHash: hash, keys: made.map(pinnedOf) };
}
