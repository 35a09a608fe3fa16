/** What a participant can publish and sign: which keys it received, and what it made of them. */
import { type Hex, toHex } from "../protocol/bytes.ts";
import type { Beacon } from "./contributions.ts";
import type { CeremonyParameters } from "./parameters.ts";

export interface Attested {
  size: number;
  /** BLAKE2b-512 of the contribution, as `ceremony verify` lists it. */
  contributionHash: Hex;
}

/** The text; the same for the same contribution. */
export function attestationText(
  parameters: CeremonyParameters,
  round: number,
  name: string,
  made: readonly Attested[],
  beacon: Beacon | null = null,
): string {
  const circuits = new Map(parameters.keys.map(({ size, circuitHash }) => [size, circuitHash]));
  const kind = beacon === null ? "contribution" : "beacon";
  return [
    `deltapay ceremony, round ${round}: ${kind} of ${JSON.stringify(name)}`,
    "",
    `powers of tau: ${parameters.ptau.name ?? "not public ones"}`,
    `  blake2b-512 ${parameters.ptau.blake2b}`,
    "",
    ...(beacon === null
      ? [
          "I rebuilt every initial key from circuit and powers of tau, checked the keys I received against them,",
          "and multiplied delta of each by a secret of its own, which I have not kept.",
        ]
      : [
          `The secret is the public value ${toHex(beacon.value)}`,
          `hashed 2^${beacon.iterationsExp} times with SHA-256.`,
        ]),
    "",
    ...made.flatMap(({ size, contributionHash }) => [
      `size ${size}`,
      `  circuit       ${circuits.get(size)}`,
      `  contribution  ${contributionHash}`,
    ]),
    "",
  ].join("\n");
}
