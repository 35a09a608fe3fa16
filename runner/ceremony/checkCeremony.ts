/** A ceremony checked from circuit and powers of tau: by each participant before contributing, by anyone afterwards. */
import type { Curve } from "ffjavascript";
import { checkFromInitial, checkKeyPoints } from "../keys/checkKey.ts";
import type { CompiledCircuit } from "../keys/compile.ts";
import type { OnProgress } from "../keys/devPtau.ts";
import { readZkey } from "../keys/zkeyFile.ts";
import { toHex } from "../protocol/bytes.ts";
import { ensure } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { checkReceived } from "./checkReceived.ts";
import type { Contribution } from "./contributions.ts";
import type { CeremonyFolder } from "./folder.ts";
import { checkedCircuit, checkedInitialKey } from "./initialKeys.ts";
import type { CeremonyParameters } from "./parameters.ts";
import { eachSize } from "./progress.ts";
import { checkPtau, type Ptau, readPtau } from "./ptau.ts";

/** A key of a ceremony, everything about it checked. */
export interface CheckedKey {
  size: number;
  circuit: CompiledCircuit;
  /** Rebuilt here. */
  initial: Uint8Array;
  /** After the last round; the initial one before the first. */
  zkey: Uint8Array;
  contributions: Contribution[];
}

export interface CheckOptions {
  /** Takes powers of tau that are not in the list of public ones, after verifying them. */
  acceptUnknownPtau?: boolean;
  onProgress?: OnProgress;
}

/**
 * The powers of tau of a ceremony: those its parameters name, fit for its sizes, public or verified.
 * @throws DeltapayError `ceremony/wrong-ptau`, and as `checkPtau`
 */
export async function checkedPtau(
  folder: CeremonyFolder,
  parameters: CeremonyParameters,
  acceptUnknown: boolean,
): Promise<Ptau> {
  const ptau = readPtau(folder.ptau());
  const { blake2b, name, power } = parameters.ptau;
  ensure(
    ptau.blake2b === blake2b && ptau.name === name && ptau.power === power,
    "ceremony/wrong-ptau",
    `powers.ptau hashes to ${ptau.blake2b}, the ceremony is about ${blake2b}`,
    { field: folder.ptauFile, hint: "fetch the powers of tau again" },
  );
  await checkPtau(
    ptau,
    parameters.keys.map(({ size }) => size),
    acceptUnknown,
  );
  return ptau;
}

/**
 * One key: rebuilt initial key as the parameters have it, every contribution since, by this project's check and by
 * snarkjs's.
 * @throws DeltapayError as `checkedCircuit`, `checkedInitialKey`, `checkReceived`, `checkFromInitial`; `ceremony/other-circuit`
 */
export async function checkKeyOf(
  curve: Curve,
  folder: CeremonyFolder,
  entry: CeremonyParameters["keys"][number],
  ptau: Ptau,
): Promise<CheckedKey> {
  const { size } = entry;
  const circuit = await checkedCircuit(size);
  const initial = await checkedInitialKey(curve, size, ptau);
  ensure(
    toHex(sha256(circuit.r1cs)) === entry.r1csHash &&
      toHex(readZkey(initial).circuitHash) === entry.circuitHash,
    "ceremony/other-circuit",
    `the ceremony's key of size ${size} is of another circuit or version of this project`,
    { field: `keys.${size}`, hint: "use the version of the project the ceremony was begun with" },
  );
  const round = folder.round();
  if (round === 0) return { size, circuit, initial, zkey: initial, contributions: [] };
  const zkey = folder.key(round, size);
  const field = folder.roundFile(round, `${size}.zkey`);
  const contributions = await checkTwice(curve, initial, zkey, ptau, field);
  return { size, circuit, initial, zkey, contributions };
}

/**
 * By this project's check, which names what is wrong, and by snarkjs's: what everybody demands of the key before
 * contributing to it.
 * @throws DeltapayError as `checkReceived`, `checkKeyPoints`, `checkFromInitial`
 */
export async function checkTwice(
  curve: Curve,
  initial: Uint8Array,
  zkey: Uint8Array,
  ptau: Ptau,
  field: string,
): Promise<Contribution[]> {
  const contributions = await checkReceived(curve, initial, zkey, field);
  if (contributions.length > 0) checkKeyPoints(curve, readZkey(zkey));
  await checkFromInitial(initial, ptau.bytes, zkey);
  return contributions;
}

/**
 * All keys have as many contributions as there were rounds, each round one kind.
 * @throws DeltapayError `ceremony/uneven`
 */
export function checkEven(
  round: number,
  keys: readonly { size: number; contributions: readonly { name: string | null; beacon: unknown }[] }[],
): void {
  const kinds = (key: (typeof keys)[number] | undefined): string =>
    JSON.stringify(key?.contributions.map(({ name, beacon }) => [name, beacon === null]));
  for (const key of keys)
    ensure(
      key.contributions.length === round && kinds(key) === kinds(keys[0]),
      "ceremony/uneven",
      `the key of size ${key.size} has not the contributions the others have`,
      { field: `keys.${key.size}`, hint: "everyone contributes to every key" },
    );
}

/**
 * Checks all of a ceremony and stops at the first thing that is wrong.
 * @throws DeltapayError as `checkedPtau`, `checkKeyOf`, `checkEven`
 */
export async function checkCeremony(
  curve: Curve,
  folder: CeremonyFolder,
  options: CheckOptions = {},
): Promise<{ parameters: CeremonyParameters; round: number; ptau: Ptau; keys: CheckedKey[] }> {
  const parameters = folder.parameters();
  const ptau = await checkedPtau(folder, parameters, options.acceptUnknownPtau ?? false);
  const entries = new Map(parameters.keys.map((entry) => [entry.size, entry]));
  const keys = await eachSize(
    "checking keys",
    [...entries.keys()],
    options.onProgress ?? (() => {}),
    (size) => checkKeyOf(curve, folder, entries.get(size)!, ptau),
  );
  const round = folder.round();
  checkEven(round, keys);
  return { parameters, round, ptau, keys };
}
