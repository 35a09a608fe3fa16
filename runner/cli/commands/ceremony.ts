/** `deltapay ceremony`: make keys by many hands, so that one honest one is enough. */
import * as fs from "node:fs";
import type { Command } from "commander";
import { CeremonyFolder } from "../../ceremony/folder.ts";
import type { PinnedKey } from "../../keys/artefacts.ts";
import { fromHex, type Hex } from "../../protocol/bytes.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { KEY_SIZES } from "../../protocol/key.ts";
import { hasCode } from "../../storage/files.ts";
import { onProgress, type PtauFlags, typedEntropy, withPtau } from "../ceremonyFlags.ts";
import { badValue, ExitCode } from "../failure.ts";
import { Output, table } from "../output.ts";
import { several, wholeNumber } from "../parsers.ts";
import { registerCoordinator } from "./ceremonyOnline.ts";

interface InitFlags extends PtauFlags {
  ptau: string;
  sizes?: number[];
}

interface VerifyFlags extends PtauFlags {
  release?: string;
  attestation?: string[];
}

interface BeaconFlags extends PtauFlags {
  value: string;
  iterationsExp: number;
  name: string;
}

/** @throws DeltapayError `ceremony/cannot-read` */
export function readFile(file: string): Uint8Array {
  try {
    return new Uint8Array(fs.readFileSync(file));
  } catch (cause) {
    if (!hasCode(cause, "ENOENT") && !hasCode(cause, "EACCES") && !hasCode(cause, "EISDIR")) throw cause;
    throw new DeltapayError("ceremony/cannot-read", `${file} cannot be read`, {
      field: file,
      hint: "see that the name is right and that this user may read it",
      cause,
    });
  }
}

async function init(directory: string, flags: InitFlags): Promise<void> {
  const out = new Output(flags);
  const { initCeremony } = await import("../../ceremony/init.ts");
  const parameters = await initCeremony(await loadCurve(), {
    directory,
    ptau: readFile(flags.ptau),
    acceptUnknownPtau: flags.acceptUnknownPtau === true,
    ...(flags.sizes === undefined ? {} : { sizes: flags.sizes }),
    onProgress: onProgress(out),
  });
  if (parameters.ptau.name === null)
    out.warn("the powers of tau are not public ones: you vouch for their makers");
  out.result({ directory, ...parameters, warnings: out.warnings }, () => [
    `a ceremony for ${parameters.keys.length} keys is in ${directory}`,
    table(
      ["slots", "circuit hash"],
      parameters.keys.map(({ size, circuitHash }) => [size, circuitHash]),
    ),
    `take part in it: deltapay ceremony contribute ${directory}, or serve it: deltapay ceremony serve ${directory}`,
  ]);
}

async function contribute(directory: string, flags: PtauFlags & { name: string }): Promise<void> {
  const out = new Output(flags);
  const { makeRound } = await import("../../ceremony/contribute.ts");
  const { secretStep } = await import("../../ceremony/step.ts");
  const step = secretStep(flags.name, await typedEntropy(out));
  const made = await makeRound(await loadCurve(), new CeremonyFolder(directory), flags.name, step, {
    acceptUnknownPtau: flags.acceptUnknownPtau === true,
    onProgress: onProgress(out),
  });
  out.result(made, () => [made.attestation, "publish this text, signed if you can; the secrets are gone"]);
}

async function beacon(directory: string, flags: BeaconFlags): Promise<void> {
  const out = new Output(flags);
  const { makeRound } = await import("../../ceremony/contribute.ts");
  const { beaconStep } = await import("../../ceremony/step.ts");
  const value = { value: parseBeacon(flags.value), iterationsExp: flags.iterationsExp };
  const made = await makeRound(
    await loadCurve(),
    new CeremonyFolder(directory),
    flags.name,
    beaconStep(flags.name, value),
    {
      acceptUnknownPtau: flags.acceptUnknownPtau === true,
      beacon: value,
      onProgress: onProgress(out),
    },
  );
  out.result(made, () => [made.attestation, "the ceremony is closed: deltapay ceremony finalize"]);
}

function parseBeacon(text: string): Uint8Array {
  const hex = (text.startsWith("0x") ? text : `0x${text}`).toLowerCase() as Hex;
  if (!/^0x([0-9a-f]{2}){16,255}$/.test(hex))
    throw badValue(
      "value",
      "a beacon is 16 to 255 bytes in hex",
      "for instance the hash of a block named beforehand",
    );
  return fromHex(hex);
}

/** @throws DeltapayError `ceremony/malformed` */
function parseRelease(text: string, file: string): PinnedKey[] {
  try {
    const keys: unknown = JSON.parse(text);
    if (Array.isArray(keys) && keys.every((key) => Number.isInteger(key?.size))) return keys as PinnedKey[];
  } catch {}
  throw new DeltapayError("ceremony/malformed", `${file} is no list of keys`, {
    field: file,
    hint: "name the keys.json of a release",
  });
}

async function verify(directory: string, flags: VerifyFlags): Promise<void> {
  const out = new Output(flags);
  const { verifyCeremony } = await import("../../ceremony/verify.ts");
  const text = (file: string): string => new TextDecoder().decode(readFile(file));
  const report = await verifyCeremony(await loadCurve(), new CeremonyFolder(directory), {
    acceptUnknownPtau: flags.acceptUnknownPtau === true,
    attestations: (flags.attestation ?? []).map(text),
    ...(flags.release === undefined ? {} : { release: parseRelease(text(flags.release), flags.release) }),
    onProgress: onProgress(out),
  });
  out.result(report, () => [
    ...report.checks.map(
      ({ name, result, detail }) => `${result === "passed" ? "ok  " : "FAIL"}  ${name}: ${detail}`,
    ),
    report.verdict === "passed"
      ? `the ceremony is right: ${report.contributions} contributions, transcript ${report.transcriptHash}`
      : "the ceremony is NOT right: do not use its keys",
  ]);
  if (report.verdict !== "passed") process.exitCode = ExitCode.failed;
}

async function finalize(directory: string, flags: PtauFlags & { out: string }): Promise<void> {
  const out = new Output(flags);
  const { finalizeCeremony } = await import("../../ceremony/finalize.ts");
  const made = await finalizeCeremony(await loadCurve(), new CeremonyFolder(directory), flags.out, {
    acceptUnknownPtau: flags.acceptUnknownPtau === true,
    onProgress: onProgress(out),
  });
  out.result(made, () => [
    `${made.keys.length} keys, their verifiers and the transcript are in ${made.directory}`,
    ...made.keys.map(({ size, vkHash }) => `key ${size}: ${vkHash}`),
    `transcript ${made.transcriptHash}`,
  ]);
}

export function registerCeremony(program: Command): void {
  const ceremony = program
    .command("ceremony")
    .description("keys made by many hands: one honest one is enough");
  const sizes = `a key size, repeatable: ${KEY_SIZES.join(", ")} (default: all)`;
  withPtau(ceremony.command("init").description("begin one, from public powers of tau"))
    .argument("<dir>", "folder for it")
    .requiredOption(
      "--ptau <file>",
      "prepared powers of tau: powersOfTau28_hez_final_13.ptau serves all sizes",
    )
    .option("--sizes <slots>", sizes, several(wholeNumber(1)))
    .action(init);
  withPtau(ceremony.command("contribute").description("check all keys, then put a secret of yours into each"))
    .argument("<dir>", "folder of the ceremony")
    .requiredOption("--name <name>", "who you are, for the record")
    .action(contribute);
  withPtau(ceremony.command("beacon").description("end one with a public value nobody could choose"))
    .argument("<dir>", "folder of the ceremony")
    .requiredOption("--value <hex>", "the public value")
    .option("--iterations-exp <n>", "log2 of the times it is hashed, 10 to 20", wholeNumber(10, 20), 10)
    .option("--name <name>", "what the value is", "beacon")
    .action(beacon);
  withPtau(ceremony.command("verify").description("check a whole ceremony from circuits and powers of tau"))
    .argument("<dir>", "folder of the ceremony")
    .option("--release <file>", "keys.json of a release: it must pin these keys")
    .option("--attestation <file>", "contributions that must be in it, repeatable", several(String))
    .action(verify);
  withPtau(ceremony.command("finalize").description("verify, then write keys, verifiers and transcript"))
    .argument("<dir>", "folder of the ceremony")
    .requiredOption("--out <dir>", "folder to make for the release")
    .action(finalize);
  registerCoordinator(ceremony);
}
