/** Whom a proving key asks one to trust, and the one rule that follows from it (protocol 3). */
import type { Hex } from "./bytes.ts";
import { ensure } from "./errors.ts";

/** Chain id of a Hardhat node, where nothing has value. */
export const LOCAL_CHAIN_ID = 31337;

/**
 * How a key came about. `dev`: its secrets are public, anyone can forge proofs under it. `ceremony`: sound if one of
 * the contributors destroyed what they drew; a beacon does not count, as everybody can compute its secret.
 */
export type KeyTrust =
  | { state: "dev" }
  | { state: "ceremony"; contributions: number /** SHA-256 of transcript.json. */; transcriptHash: Hex };

export type KeyState = KeyTrust["state"];

/** The fields of a key that say whom it asks to trust, without the others. */
export function keyTrust(key: KeyTrust): KeyTrust {
  if (key.state === "dev") return { state: "dev" };
  return { state: key.state, contributions: key.contributions, transcriptHash: key.transcriptHash };
}

/** Whether proofs under this key can be forged by anyone. What is no well-formed ceremony counts as `dev`. */
export function isForgeable(key: KeyTrust): boolean {
  return !(
    key.state === "ceremony" &&
    Number.isSafeInteger(key.contributions) &&
    key.contributions >= 1 &&
    /^0x[0-9a-f]{64}$/.test(key.transcriptHash)
  );
}

/** The trust a key asks for, as a sentence for a person. */
export function describeKeyTrust(key: KeyTrust): string {
  if (isForgeable(key) || key.state !== "ceremony")
    return "dev key: its secrets are public and anyone can forge proofs under it; for a local chain only";
  return `made by a ceremony of ${key.contributions}, transcript ${key.transcriptHash}; sound if one of them was honest`;
}

/**
 * Refuses a key whose secrets are public wherever money has value: the one rule of every party and of the auditor.
 * @param acceptForgeable the user gave the flag that names the danger
 * @throws DeltapayError `key/dev-key`
 */
export function refuseDevKey(key: KeyTrust, chainId: number | bigint, acceptForgeable = false): void {
  ensure(
    !isForgeable(key) || Number(chainId) === LOCAL_CHAIN_ID || acceptForgeable,
    "key/dev-key",
    `anyone can forge proofs under this key: its secrets are public, it is for tests on a local chain, and this is chain ${chainId}`,
    {
      field: "vkHash",
      hint: "use a key from a ceremony; --accept-forgeable-dev-key goes on and gives away what buyers pay in",
    },
  );
}
