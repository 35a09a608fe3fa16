declare module "virtual:deltapay-release" {
  import type { ReleaseVerifier } from "../../runner/chain/verifiers.ts";

  /** All verifiers this version vouches for, by ascending size. */
  export const RELEASE_VERIFIERS: readonly ReleaseVerifier[];
}
