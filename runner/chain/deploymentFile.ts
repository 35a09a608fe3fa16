/** What a deployment file holds: the contracts of a chain, their code and the keys of their verifiers. */
import { z } from "zod";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { Address, Domain } from "../protocol/typedData.ts";

const hash = z.custom<Hex>(
  (value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value),
  "expected 32 bytes in hex",
);
const address = z.custom<Address>(
  (value) => typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value),
  "expected an address",
);

const verifier = { address, codeHash: hash, vkHash: hash };

const deploymentSchema = z.strictObject({
  protocol: z.literal(1),
  chainId: z.number().int().min(1),
  registry: address,
  escrow: address,
  /** By key size L. */
  verifiers: z.record(
    z.string().regex(/^[0-9]+$/),
    z.discriminatedUnion("state", [
      z.strictObject({ ...verifier, state: z.literal("dev") }),
      z.strictObject({
        ...verifier,
        state: z.literal("ceremony"),
        contributions: z.number().int().min(1),
        transcriptHash: hash,
      }),
    ]),
  ),
  /** No event of these contracts is older. */
  startBlock: z
    .string()
    .regex(/^[0-9]{1,20}$/)
    .transform(BigInt),
  codeHashes: z.strictObject({ registry: hash, escrow: hash }),
  constructorArgs: z.strictObject({ escrow: z.tuple([address]) }),
});

/** Where the contracts are on a chain, and what their code hashes to. */
export type Deployment = z.output<typeof deploymentSchema>;

/**
 * Reads a deployment file's text.
 * @param file its name, for the words of an error
 * @throws DeltapayError `chain/bad-deployment`
 */
export function parseDeployment(text: string, file: string): Deployment {
  const bad = (message: string, field: string): DeltapayError =>
    new DeltapayError("chain/bad-deployment", message, {
      field,
      hint: `${file} is written by: deltapay deploy`,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad("not JSON", file);
  }
  const parsed = deploymentSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw bad(issue.message, issue.path.join(".") || file);
}

/** EIP-712 domain of a deployment. */
export function deploymentDomain({ chainId, escrow }: Pick<Deployment, "chainId" | "escrow">): Domain {
  return { chainId: BigInt(chainId), escrow };
}
