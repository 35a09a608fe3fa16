/** The verifiers this version vouches for, computed from keys and bytecode when the page is built. */
import type { Plugin } from "vite";
import { releaseVerifiers } from "../runner/chain/verifiers.ts";
import { releaseContracts, releaseKeys } from "./releaseKeys.ts";

const ID = "virtual:deltapay-release";

/** Provides `virtual:deltapay-release`. */
export function releasePlugin(): Plugin {
  return {
    name: "deltapay-release",
    resolveId: (source) => (source === ID ? `\0${ID}` : null),
    load: (id) =>
      id === `\0${ID}`
        ? [
            `export const RELEASE_VERIFIERS = ${JSON.stringify(releaseVerifiers())};`,
            `export const RELEASE_CONTRACTS = ${JSON.stringify(releaseContracts())};`,
            `export const RELEASE_KEYS = ${JSON.stringify(releaseKeys())};`,
          ].join("\n")
        : null,
  };
}
