/** What is said when a command that signs was told no account. */
import { DeltapayError } from "../protocol/errors.ts";
import { isLocalChain } from "./localChain.ts";

/** Nobody to sign with. */
export function accountMissing(chainId: number): DeltapayError {
  const local = isLocalChain(chainId) ? "--account N (a test account of the local chain), " : "";
  return new DeltapayError("account/missing", "this needs an account to sign with", {
    field: "account",
    hint: `give ${local}--keystore FILE, or set DELTAPAY_PRIVATE_KEY`,
  });
}
