/** JSON messages of the wire. Integers that can exceed 2^53 are decimal strings; hashes and addresses 0x hex. */
import { z } from "zod";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";

export const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `expected 0x and ${bytes} bytes in hex`)
    .transform((text) => text.toLowerCase() as Hex);
export const uint = (bits: number) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]{0,77})$/, "expected a decimal integer")
    .transform((text) => BigInt(text))
    .refine((value) => value >> BigInt(bits) === 0n, `does not fit in ${bits} bits`);
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const signature = hex(65);

export const offerSchema = z.strictObject({
  adapterId: hex(32),
  payout: hex(20),
  token: hex(20),
  pricePerToken: uint(128),
  openingFee: uint(256),
  maxUnpaidTokens: uint(64),
  tokenCap: uint(64),
  minDuration: uint(64),
  closeWindow: uint(64),
  maxOpens: uint(64),
  nonce: uint(256),
  expiry: uint(64),
});

export const signedOfferSchema = z.strictObject({ offer: offerSchema, signature });

export const receiptSchema = z.strictObject({
  agreementId: hex(32),
  passes: uint(64),
  tokens: uint(64),
  head: hex(32),
  statementsHash: hex(32),
});

export const serviceSchema = z.strictObject({
  protocol: z.literal(
    PROTOCOL_VERSION,
    `what answers at this address is no service of protocol version ${PROTOCOL_VERSION}`,
  ),
  chainId: uint(64),
  registry: hex(20),
  escrow: hex(20),
  adapters: z
    .array(
      z.strictObject({
        adapterId: hex(32),
        manifestHash: hex(32),
        offers: z.array(signedOfferSchema).max(64),
        record: z.strictObject({
          adapterId: hex(32),
          url: z.string().max(2048),
          tlsCertificate: hex(32),
          expiry: uint(64),
        }),
        recordSignature: signature,
      }),
    )
    .max(256),
});

export const livenessRequestSchema = z.strictObject({ nonce: hex(32) });
export const livenessSchema = z.strictObject({
  liveness: z.strictObject({ adapterId: hex(32), nonce: hex(32), time: uint(64) }),
  signature,
});

export const challengeRequestSchema = z.strictObject({ agreementId: hex(32), clientNonce: hex(32) });
export const challengeSchema = z.strictObject({ serverNonce: hex(32) });

export const sessionRequestSchema = z.strictObject({
  agreementId: hex(32),
  clientNonce: hex(32),
  serverNonce: hex(32),
  signature,
});

/** The session as the contributor sees it. */
export const sessionViewSchema = z.strictObject({
  agreementId: hex(32),
  /** Finished passes and their tokens. */
  passes: count,
  tokens: count,
  head: hex(32),
  /** What the last accepted receipt covers. */
  receipt: z.strictObject({ passes: count, tokens: count }),
  /** The pass under way: its number, tokens and the modules already answered. */
  openPass: z.strictObject({ pass: count, tokens: count, modules: z.array(count) }).nullable(),
  /** serving | ended | proving | settled | closed */
  phase: z.enum(["serving", "ended", "proving", "settled", "closed"]),
  /** Transaction that completed the settlement. */
  settlement: hex(32).nullable(),
});

/** What the answers to a buyer, over all its agreements, give away of an adapter. */
export const leakageViewSchema = z.strictObject({
  /** Tokens answered, paid or not. */
  tokensSold: count,
  /** Half the narrowest module's d_in: about as many tokens of chosen inputs give that module away. */
  dInHalf: z.number().positive(),
  /** tokensSold / dInHalf */
  ratio: z.number().min(0),
  /** Rank of the activations seen, by module in manifest order; null where it is not measured. */
  ranks: z.array(count.nullable()),
  /** Past the owner's limit: it is told, or no pass begins. */
  past: z.enum(["warn", "refuse"]),
  /** Tokens this buyer may still have; null when none are refused. */
  tokensLeft: count.nullable(),
});

export const sessionSchema = z.strictObject({
  token: z.string().max(256),
  expiresAt: count,
  session: sessionViewSchema,
});
export const receiptRequestSchema = z.strictObject({ receipt: receiptSchema, signature });

const word = uint(256);
const pair = z.tuple([word, word]);
const quad = z.tuple([word, word, word, word]);

/** A claim as `settle` takes it: b in EIP-197 order (imaginary first). */
export const claimSchema = z.strictObject({ group: count, a: pair, b: quad, c: pair });

/** Receipt, signature, V[], proofs: nothing secret. */
export const bundleSchema = z.strictObject({
  protocol: z.literal(PROTOCOL_VERSION),
  chainId: uint(64),
  escrow: hex(20),
  agreementId: hex(32),
  vkHash: hex(32),
  receipt: receiptSchema,
  signature,
  V: z.array(pair).min(1),
  claims: z.array(claimSchema),
});

export const errorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    field: z.string().optional(),
    hint: z.string().optional(),
  }),
});

export type Service = z.output<typeof serviceSchema>;
export type SignedOffer = z.output<typeof signedOfferSchema>;
export type SessionView = z.output<typeof sessionViewSchema>;
export type LeakageView = z.output<typeof leakageViewSchema>;
export type Claim = z.output<typeof claimSchema>;
export type ProofBundle = z.output<typeof bundleSchema>;

/**
 * Parses a message.
 * @throws DeltapayError `wire/malformed` naming the field
 */
export function parseMessage<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = issue.path.join(".");
  throw new DeltapayError("wire/malformed", issue.message, { field: path === "" ? name : `${name}.${path}` });
}

/** JSON text with bigints as decimal strings. */
export function stringifyMessage(value: unknown, space?: number): string {
  return JSON.stringify(
    value,
    (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item),
    space,
  );
}
