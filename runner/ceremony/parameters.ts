/** What a ceremony is about: ceremony.json. It never changes, and everything in it can be worked out again. */
import { z } from "zod";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { KEY_SIZES } from "../protocol/key.ts";

const hexOf = (bytes: number) =>
  z.custom<Hex>(
    (value) => typeof value === "string" && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`).test(value),
    `expected ${bytes} bytes in hex`,
  );

export const parametersSchema = z.strictObject({
  protocol: z.literal(1),
  ptau: z.strictObject({
    blake2b: hexOf(64),
    /** No larger ones are taken (`checkPtau`): whoever joins is not made to fetch them. */
    power: z.number().int().min(1).max(16),
    /** Of the public file it is; null for one its organisers vouch for. */
    name: z.string().max(64).nullable(),
  }),
  /** By ascending size; circuitHash is that of the moved initial key, which r1cs and powers of tau give. */
  keys: z
    .array(
      z.strictObject({
        size: z.number().refine((size) => (KEY_SIZES as readonly number[]).includes(size), "no key size"),
        r1csHash: hexOf(32),
        circuitHash: hexOf(64),
      }),
    )
    .min(1)
    .refine((keys) => keys.every(({ size }, i) => i === 0 || size > keys[i - 1]!.size), "not ascending"),
});

export type CeremonyParameters = z.output<typeof parametersSchema>;

/**
 * Parses what ceremony.json or a coordinator says.
 * @throws DeltapayError `ceremony/malformed`
 */
export function parseParameters(text: string, field: string): CeremonyParameters {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DeltapayError("ceremony/malformed", `${field} is not JSON`, {
      field,
      hint: "written by: deltapay ceremony init; fetch it again",
      cause,
    });
  }
  const parsed = parametersSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new DeltapayError("ceremony/malformed", issue.message, {
    field: [field, ...issue.path].join("."),
    hint: "written by: deltapay ceremony init",
  });
}
