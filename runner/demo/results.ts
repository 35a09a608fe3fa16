/** What the demo reads of the commands' JSON documents. Amounts are decimal strings. */
import type { Hex } from "../protocol/bytes.ts";

export interface ModuleResult {
  name: string;
  node: string;
  shape: [number, number, number];
  group: number;
}

export interface RegisterResult {
  adapterId: Hex;
  vkHash: Hex;
  keySize: number;
  groups: number;
  modules: ModuleResult[];
  gasUsed: string;
  commitmentsBytes: number;
  registerMs: number;
}

export interface OpenResult {
  agreementId: Hex;
  amount: string;
  openingFee: string;
  gasUsed: string;
  timings: { livenessMs: number; manifestCheckMs: number };
}

export interface PurchaseResult {
  passes: number;
  tokensTotal: number;
  owed: string;
  leakage: { tokensSold: number; dInHalf: number; ratio: number; rank: number | null };
  receiptMs: number | null;
}

export interface EvaluateResult {
  perplexity: { adapter: number; base: number };
  agreements: [PurchaseResult];
  timings: { evaluateMs: number };
}

export interface GenerateResult {
  text: string;
  agreements: [PurchaseResult];
  timings: { generateMs: number };
}

export interface SettledEvent {
  txHash: Hex;
  tokens: number;
  owed: string;
}
