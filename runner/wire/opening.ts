/** An opening prepared by a buyer's client for its owner's wallet to send: the terms, nothing secret. */
import { z } from "zod";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";
import { hex, offerSchema, uint } from "./messages.ts";

export const openingSchema = z.strictObject({
  protocol: z.literal(PROTOCOL_VERSION),
  chainId: uint(64),
  escrow: hex(20),
  /** Who sends it and pays. */
  buyer: hex(20),
  /** What the escrow will call the agreement. */
  agreementId: hex(32),
  offer: offerSchema,
  offerSignature: hex(65),
  /** Whose key signs the receipts; the client holds it. */
  signer: hex(20),
  amount: uint(128),
  deadline: uint(64),
  nonce: uint(256),
});

export type PreparedOpening = z.output<typeof openingSchema>;
