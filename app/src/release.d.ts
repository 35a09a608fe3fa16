declare module "virtual:deltapay-release" {
  import type { ReleaseVerifier } from "../../runner/chain/verifiers.ts";
  import type { ReleaseKey } from "./verification/releaseKey.ts";

  /** All verifiers this version vouches for, by ascending size. */
  export const RELEASE_VERIFIERS: readonly ReleaseVerifier[];
  /** Where it puts registry and escrow on every chain. */
  export const RELEASE_CONTRACTS: Record<"registry" | "escrow", `0x${string}`>;
  /** The verifying keys of those, and the hashes of what proves under them. */
  export const RELEASE_KEYS: readonly ReleaseKey[];
}
