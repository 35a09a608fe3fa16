/** A whole ceremony verified in one go, with a finding a check instead of one error. */
import type { Curve } from "ffjavascript";
import type { PinnedKey } from "../keys/artefacts.ts";
import type { OnProgress } from "../keys/devPtau.ts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { type CheckOptions, checkEven, checkedPtau, checkKeyOf } from "./checkCeremony.ts";
import type { CeremonyFolder } from "./folder.ts";
import type { CeremonyParameters } from "./parameters.ts";
import { eachSize } from "./progress.ts";
import type { Ptau } from "./ptau.ts";
import {
  finishedKey,
  pinnedPart,
  secretContributions,
  type Transcript,
  type TranscriptKey,
  transcriptHash,
  transcriptKey,
} from "./transcript.ts";

export interface CeremonyCheck {
  name: string;
  result: "passed" | "failed";
  detail: string;
}

export interface CeremonyReport {
  verdict: "passed" | "failed";
  ptau: CeremonyParameters["ptau"] | null;
  /** Contributions with a secret, of the key that has the fewest. */
  contributions: number;
  transcriptHash: Hex | null;
  keys: TranscriptKey[];
  checks: CeremonyCheck[];
}

const NOTHING = { verdict: "failed", ptau: null, contributions: 0, transcriptHash: null, keys: [] } as const;

export interface VerifyOptions extends CheckOptions {
  /** Keys a release pins: they must be this ceremony's. */
  release?: readonly PinnedKey[];
  /** Attestations: every contribution in them must be in the keys. */
  attestations?: readonly string[];
}

/** Runs a check; a DeltapayError is a finding, all else a fault of the program. */
class Findings {
  readonly checks: CeremonyCheck[] = [];

  async run<Result>(
    name: string,
    work: () => Promise<Result> | Result,
    detail: (found: Result) => string,
  ): Promise<Result | undefined> {
    try {
      const found = await work();
      this.checks.push({ name, result: "passed", detail: detail(found) });
      return found;
    } catch (error) {
      if (!(error instanceof DeltapayError)) throw error;
      this.checks.push({ name, result: "failed", detail: `${error.code}: ${error.message}` });
      return undefined;
    }
  }

  get passed(): boolean {
    return this.checks.every(({ result }) => result === "passed");
  }
}

/** A key as the transcript and as a release have it. */
interface VerifiedKey {
  described: TranscriptKey;
  pinned: ReturnType<typeof pinnedPart>;
}

/** What the release says otherwise of a key than the ceremony gives; undefined when nothing. */
function differenceOf(
  { described, pinned }: VerifiedKey,
  hash: Hex,
  release: readonly PinnedKey[],
): string | undefined {
  const said: Record<string, unknown> | undefined = release.find(({ size }) => size === described.size);
  if (said === undefined) return "it is not there";
  const contributions = secretContributions(described);
  const expected = { state: "ceremony", contributions, transcriptHash: hash, ...pinned };
  const differs = Object.entries(expected).find(([name, value]) => said[name] !== value);
  return differs === undefined ? undefined : `${differs[0]} must be ${differs[1]}`;
}

/** @returns sizes of the release that are keys of no ceremony or of another */
function checkRelease(
  transcript: Transcript,
  verified: readonly VerifiedKey[],
  release: readonly PinnedKey[],
): number[] {
  const hash = transcriptHash(transcript);
  for (const [i, { size }] of release.entries())
    ensure(
      release.findIndex((key) => key.size === size) === i,
      "ceremony/other-release",
      `the release has two keys of size ${size}`,
      { field: `keys.${size}`, hint: "do not use this release" },
    );
  for (const key of verified) {
    const { size } = key.described;
    const differs = differenceOf(key, hash, release);
    ensure(
      differs === undefined,
      "ceremony/other-release",
      `the release's key of size ${size} is not the one this ceremony made: ${differs}`,
      { field: `keys.${size}`, hint: "do not use this release" },
    );
  }
  const others = release.filter(({ size }) => transcript.keys.every((key) => key.size !== size));
  const claimed = others.find((key) => key.state === "ceremony" && key.transcriptHash === hash);
  ensure(
    claimed === undefined,
    "ceremony/other-release",
    `the release says that its key of size ${claimed?.size} is of this ceremony, which made none of that size`,
    { field: `keys.${claimed?.size}`, hint: "do not use this release" },
  );
  return others.map(({ size }) => size);
}

function checkAttestation(keys: readonly TranscriptKey[], text: string): number {
  const named = [...text.matchAll(/^ {2}contribution {2}(0x[0-9a-f]{128})$/gm)].map(([, hash]) => hash!);
  ensure(named.length > 0, "ceremony/bad-attestation", "no contribution is named in the attestation", {
    field: "attestation",
  });
  const known = new Set(keys.flatMap(({ contributions }) => contributions.map(({ hash }) => hash as string)));
  const missing = named.find((hash) => !known.has(hash));
  ensure(
    missing === undefined,
    "ceremony/left-out",
    `the contribution ${missing} is in none of the keys: it was left out`,
    { field: "attestation", hint: "ask the organisers; do not count on your own contribution" },
  );
  return named.length;
}

/** Every key, each a finding. */
function checkKeys(
  curve: Curve,
  folder: CeremonyFolder,
  parameters: CeremonyParameters,
  ptau: Ptau,
  findings: Findings,
  onProgress: OnProgress,
): Promise<(VerifiedKey | undefined)[]> {
  const entries = new Map(parameters.keys.map((entry) => [entry.size, entry]));
  return eachSize("verifying keys", [...entries.keys()], onProgress, (size) =>
    findings.run(
      `key ${size}`,
      async () => {
        const key = await finishedKey(curve, await checkKeyOf(curve, folder, entries.get(size)!, ptau));
        return { described: transcriptKey(curve, key), pinned: pinnedPart(key) };
      },
      ({ described: { vkHash, contributions } }) => `vkHash ${vkHash}, ${contributions.length} contributions`,
    ),
  );
}

/** How many contributed a secret to every key. */
function countSecrets(keys: readonly TranscriptKey[]): number {
  const count = keys.length === 0 ? 0 : Math.min(...keys.map(secretContributions));
  ensure(count > 0, "ceremony/nobody-contributed", "nobody contributed a secret to every key", {
    hint: "a key of this ceremony is a dev key: anyone can forge proofs under it",
  });
  return count;
}

/**
 * Verifies everything: powers of tau, circuits, initial keys, every contribution; then the release and attestations, if
 * given. Never throws what is wrong with the ceremony: it is in the report.
 * @throws DeltapayError `ceremony/no-ceremony`
 */
export async function verifyCeremony(
  curve: Curve,
  folder: CeremonyFolder,
  options: VerifyOptions = {},
): Promise<CeremonyReport> {
  const { onProgress = () => {}, release, attestations = [] } = options;
  const parameters = folder.parameters();
  const findings = new Findings();
  const ptau = await findings.run(
    "powers of tau",
    () => checkedPtau(folder, parameters, options.acceptUnknownPtau ?? false),
    ({ name, blake2b }) =>
      `${name ?? "not public ones: verified, vouched for by whoever accepts them"}, ${blake2b}`,
  );
  if (ptau === undefined) return { ...NOTHING, keys: [], checks: findings.checks };
  const found = await checkKeys(curve, folder, parameters, ptau, findings, onProgress);
  const verified = found.filter((key) => key !== undefined);
  const keys = verified.map(({ described }) => described);
  await findings.run(
    "contributions",
    () => checkEven(folder.round(), keys),
    () => `${folder.round()} to every key`,
  );
  const contributions = await findings.run(
    "somebody contributed",
    () => countSecrets(keys),
    (count) => `${count} with a secret; the keys are sound if one of them was honest`,
  );
  const transcript: Transcript = { protocol: 1, ptau: parameters.ptau, keys };
  if (release !== undefined)
    await findings.run(
      "release",
      () => checkRelease(transcript, verified, release),
      (others) =>
        others.length === 0
          ? "pins these very keys"
          : `pins these very keys; its keys of size ${others.join(", ")} are not of this ceremony`,
    );
  for (const [i, text] of attestations.entries())
    await findings.run(
      `attestation ${i + 1}`,
      () => checkAttestation(keys, text),
      (count) => `all ${count} contributions it names are in the keys`,
    );
  return {
    verdict: findings.passed ? "passed" : "failed",
    ptau: parameters.ptau,
    contributions: contributions ?? 0,
    transcriptHash: findings.passed ? transcriptHash(transcript) : null,
    keys,
    checks: findings.checks,
  };
}
