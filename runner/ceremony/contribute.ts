/** Taking part: every key is checked first, then each delta multiplied by a secret of its own that nobody keeps. */
import type { Curve } from "ffjavascript";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { type Attested, attestationText } from "./attestation.ts";
import { type CheckedKey, type CheckOptions, checkCeremony } from "./checkCeremony.ts";
import { checkOneMore, checkReceived } from "./checkReceived.ts";
import type { Beacon } from "./contributions.ts";
import type { CeremonyFolder } from "./folder.ts";
import { NextRound } from "./nextRound.ts";
import { eachSize } from "./progress.ts";
import { attested, checkName, nextKey, type Step } from "./step.ts";

export interface Made {
  round: number;
  attestation: string;
  keys: Attested[];
}

/** What an interrupted run made of a key, when it is right and by the same name. */
async function usable(
  curve: Curve,
  { initial, zkey }: CheckedKey,
  left: Uint8Array | undefined,
  name: string,
): Promise<Uint8Array | undefined> {
  if (left === undefined) return undefined;
  try {
    const contributions = await checkReceived(curve, initial, left);
    checkOneMore(zkey, left);
    return contributions.at(-1)!.name === name ? left : undefined;
  } catch (error) {
    if (error instanceof DeltapayError) return undefined;
    throw error;
  }
}

/**
 * Checks the whole ceremony, then makes the next round of it.
 * @throws DeltapayError `ceremony/closed`, `ceremony/bad-name`, `ceremony/overtaken`, `ceremony/cannot-write`, and as
 *   `checkCeremony`: nothing is contributed to keys that are not right
 */
export async function makeRound(
  curve: Curve,
  folder: CeremonyFolder,
  name: string,
  step: Step,
  options: CheckOptions & { beacon?: Beacon } = {},
): Promise<Made> {
  checkName(name);
  const { parameters, round, keys } = await checkCeremony(curve, folder, options);
  ensure(
    keys[0]!.contributions.at(-1)?.beacon == null,
    "ceremony/closed",
    "a beacon has ended this ceremony",
    { field: "contributions", hint: "finalize it: deltapay ceremony finalize" },
  );
  const next = new NextRound(folder, name);
  const bySize = new Map(keys.map((key) => [key.size, key]));
  const made = await eachSize(
    "contributing",
    [...bySize.keys()],
    options.onProgress ?? (() => {}),
    async (size) => {
      const key = bySize.get(size)!;
      const left = await usable(curve, key, next.read(size), name);
      const zkey = left ?? (await nextKey(curve, key.initial, key.zkey, step));
      if (left === undefined) next.write(size, zkey);
      return attested(curve, size, zkey);
    },
  );
  const attestation = attestationText(parameters, round + 1, name, made, options.beacon ?? null);
  return { round: next.finish(attestation), attestation, keys: made };
}
