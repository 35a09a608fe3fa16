/** What a wallet answers when it does not do what it was asked, in words. */
import { BaseError, SwitchChainError, UserRejectedRequestError } from "viem";
import { DeltapayError } from "../../../runner/protocol/errors.ts";

/** The EIP-1193 code an error carries, however deep a library wrapped it. */
function codeOf(error: unknown): number | undefined {
  for (let inner = error; typeof inner === "object" && inner !== null; inner = (inner as Error).cause) {
    const { code } = inner as { code?: unknown };
    if (typeof code === "number") return code;
  }
  return undefined;
}

const REJECTED = 4001;
const UNKNOWN_CHAIN = 4902;
const ALREADY_ASKED = -32002;

/** Whether the person said no. */
export function isRejection(error: unknown): boolean {
  if (error instanceof DeltapayError) return error.code === "wallet/rejected";
  if (error instanceof BaseError && error.walk((inner) => inner instanceof UserRejectedRequestError) !== null)
    return true;
  return codeOf(error) === REJECTED;
}

/** An error of a wallet as the errors of this project look. */
export function walletError(error: unknown): DeltapayError {
  if (error instanceof DeltapayError) return error;
  if (isRejection(error))
    return new DeltapayError("wallet/rejected", "you rejected the request in the wallet", {
      hint: "nothing was sent; ask again when you are ready",
    });
  if (codeOf(error) === ALREADY_ASKED)
    return new DeltapayError("wallet/busy", "the wallet is waiting for an earlier answer", {
      hint: "open the wallet and answer there",
    });
  if (error instanceof SwitchChainError || codeOf(error) === UNKNOWN_CHAIN)
    return new DeltapayError("wallet/unknown-chain", "the wallet does not know this chain", {
      hint: "add the chain in the wallet, then try again",
    });
  const text = error instanceof BaseError ? error.shortMessage : String((error as Error)?.message ?? error);
  return new DeltapayError("wallet/failed", text.replace(/\.$/, ""), {
    hint: "look into the wallet before trying again",
  });
}
