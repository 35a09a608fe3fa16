/** One way to tamper with a chain or with the files of a sale, and the checks of the audit that must name it. */
import type { Market, Sale, SaleFiles, SaleTerms } from "./sale.ts";

/** What the auditor is given in place of the honest node and files. */
export interface Tampered {
  rpcUrl?: string;
  files?: Partial<SaleFiles>;
  /** Other copies of the transcript. */
  copies?: string[];
  close?: () => Promise<void>;
}

export interface Tampering {
  name: string;
  /** For a person. */
  what: string;
  /** Names of the checks that must fail. */
  caughtBy: readonly string[];
  /** What the detail of the first of them must say. */
  says: RegExp;
  /** A chain of its own, with this id. */
  chainId?: number;
  /** A sale of its own, on these terms; without it the shared honest one. */
  terms?: SaleTerms;
  tamper(market: Market, sale: Sale): Promise<Tampered>;
}

/** The sale itself was not honest: nothing more is to be done. */
export const asSold = async (): Promise<Tampered> => ({});
