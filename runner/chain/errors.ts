/** What goes wrong on a chain, in words: every custom error of the contracts, and everything between here and there. */
import {
  BaseError,
  type ContractErrorArgs,
  type ContractErrorName,
  decodeErrorResult,
  HttpRequestError,
  InsufficientFundsError,
  isHex,
  NonceTooHighError,
  NonceTooLowError,
  parseAbi,
  TimeoutError,
} from "viem";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { adapterRegistryAbi, loraEscrowAbi } from "./generated/abi.ts";

const tokenErrorsAbi = parseAbi([
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
]);
const errorsAbi = [...loraEscrowAbi, ...adapterRegistryAbi, ...tokenErrorsAbi] as const;

type ErrorName = ContractErrorName<typeof errorsAbi>;
type ErrorArgs<Name extends ErrorName> = ContractErrorArgs<typeof errorsAbi, Name>;

interface Words {
  message: string;
  field?: string;
  hint?: string;
}

/** Statuses of an agreement, by their number in ILoraEscrow.Status. */
export const AGREEMENT_STATUSES = ["none", "open", "closing", "refunded", "released"] as const;

/** Unix seconds as a date people read. */
export function when(seconds: bigint | number): string {
  const milliseconds = Number(seconds) * 1000;
  // Beyond the years a Date holds the number itself says more.
  return Math.abs(milliseconds) > 8.64e15 ? String(seconds) : new Date(milliseconds).toISOString();
}

const askForAnother = "ask the contributor for another offer";
const notOurs = "this should not happen: please report it";

const WORDS: { [Name in ErrorName]: (args: ErrorArgs<Name>) => Words } = {
  AdapterAlreadyRegistered: ([id]) => ({
    message: `adapter ${id} is registered already`,
    field: "salt",
    hint: "register again with a fresh salt",
  }),
  VerifierNotAContract: ([verifier]) => ({
    message: `there is no fixed code at ${verifier}`,
    field: "verifier",
    hint: "deploy the verifiers first: deltapay deploy",
  }),
  GroupsOutOfRange: ([groups, most]) => ({
    message: `${groups} groups; an adapter has 1 to ${most}`,
    field: "groups",
    hint: "put more modules into one proof: --modules-per-proof",
  }),
  UriTooLong: ([length, most]) => ({
    message: `the URI has ${length} bytes, at most ${most} fit`,
    field: "uri",
  }),
  UnknownAdapter: ([id]) => ({
    message: `adapter ${id} is not registered`,
    field: "offer.adapterId",
    hint: "check the chain and the deployment",
  }),
  VerifierChanged: ([verifier]) => ({
    message: `the code at ${verifier} is not the one the adapter was registered with`,
    field: "verifier",
    hint: "do not use this adapter",
  }),
  OfferExpired: ([expiry]) => ({
    message: `the offer expired at ${when(expiry)}`,
    field: "offer.expiry",
    hint: askForAnother,
  }),
  OfferNotSignedByContributor: ([recovered, contributor]) => ({
    message: `the offer is signed by ${recovered}, not by the adapter's contributor ${contributor}`,
    field: "offerSignature",
    hint: "its terms were changed, or it is for another chain or escrow",
  }),
  OfferIsCancelled: () => ({
    message: "the contributor has cancelled this offer",
    field: "offer",
    hint: askForAnother,
  }),
  OfferExhausted: ([, most]) => ({
    message: `the offer was taken ${most} times already, all it allows`,
    field: "offer.maxOpens",
    hint: askForAnother,
  }),
  ZeroAddress: ([field]) => ({ message: `${field} must not be the zero address`, field }),
  DeadlineTooEarly: ([deadline, earliest]) => ({
    message: `the deadline ${when(deadline)} is before ${when(earliest)}, the earliest the offer allows`,
    field: "deadline",
    hint: "choose a later deadline",
  }),
  AmountTooLarge: () => ({ message: "fee and amount do not fit in 128 bits", field: "amount" }),
  AgreementExists: ([id]) => ({
    message: `agreement ${id} exists already`,
    field: "nonce",
    hint: "open with a fresh nonce",
  }),
  WrongValue: ([sent, expected]) => ({
    message: `${sent} wei were sent, the agreement takes exactly ${expected}`,
    field: "value",
  }),
  InexactTransfer: ([token, expected, actual]) => ({
    message: `token ${token} moved ${actual} instead of ${expected}`,
    field: "offer.token",
    hint: "tokens that take a fee or change balances by themselves are not supported",
  }),
  WrongStatus: ([, status]) => ({
    message: `the agreement is ${AGREEMENT_STATUSES[status] ?? status}`,
    field: "agreementId",
    hint:
      status === 0
        ? "there is no such agreement in this escrow: check the id, the chain and the deployment"
        : "this cannot be done any more",
  }),
  DeadlinePassed: ([, deadline]) => ({
    message: `the deadline was ${when(deadline)}`,
    field: "deadline",
    hint: "nothing settles any more; what is left can be refunded to the buyer",
  }),
  DeadlineNotPassed: ([, deadline]) => ({
    message: `the contributor can settle until ${when(deadline)}`,
    field: "deadline",
    hint: "wait until then, or let the buyer close the agreement",
  }),
  NotBuyer: ([, buyer]) => ({
    message: `only the buyer ${buyer} can do this`,
    field: "account",
    hint: "sign with that account: --account, --keystore or DELTAPAY_PRIVATE_KEY",
  }),
  NotContributor: ([, contributor]) => ({
    message: `only the contributor ${contributor} can do this`,
    field: "account",
    hint: "sign with that account: --account, --keystore or DELTAPAY_PRIVATE_KEY",
  }),
  NotContributorOrOperator: ([, contributor]) => ({
    message: `only the contributor ${contributor} or an operator it set can settle`,
    field: "account",
    hint: "the contributor adds one: deltapay operator add ADDRESS",
  }),
  ReceiptForOtherAgreement: ([expected, found]) => ({
    message: `the receipt is for agreement ${found}, not ${expected}`,
    field: "receipt.agreementId",
  }),
  ReceiptWithoutPass: () => ({ message: "the receipt covers no pass", field: "receipt.passes" }),
  ReceiptNotSignedBySigner: ([recovered, signer]) => ({
    message: `the receipt is signed by ${recovered}, not by the agreement's signer ${signer}`,
    field: "signature",
  }),
  WrongStatementCount: ([found, groups]) => ({
    message: `${found} statements for an adapter of ${groups} groups`,
    field: "V",
  }),
  StatementsHashMismatch: () => ({
    message: "the statements are not those the receipt was signed for",
    field: "V",
  }),
  NoClaims: () => ({ message: "there is nothing to settle", field: "claims" }),
  GroupOutOfRange: ([position, group, groups]) => ({
    message: `claim ${position} is for group ${group} of ${groups}`,
    field: `claims[${position}].group`,
  }),
  GroupsNotIncreasing: ([position, previous, group]) => ({
    message: `group ${group} comes after group ${previous}`,
    field: `claims[${position}].group`,
    hint: "sort the claims by group, each at most once",
  }),
  GroupAlreadySettled: ([, , group]) => ({
    message: `group ${group} of this receipt is settled already`,
    field: "claims",
    hint: "settle the groups that are left",
  }),
  InvalidProof: ([, , verifier]) => ({
    message: `the verifier ${verifier} rejects a proof`,
    field: "claims",
    hint: "prove again; if it stays, the answers do not follow from the registered weights",
  }),
  NothingToWithdraw: ([token, account]) => ({
    message: `${account} has no credit in ${BigInt(token) === 0n ? "ETH" : `token ${token}`}`,
    field: "token",
    hint: "money is credited by settle, release and refund",
  }),
  InvalidRecipient: ([to]) => ({ message: `money cannot be sent to ${to}`, field: "to" }),
  ECDSAInvalidSignature: () => ({ message: "no key made this signature", field: "signature" }),
  ECDSAInvalidSignatureLength: ([length]) => ({
    message: `a signature has 65 bytes, not ${length}`,
    field: "signature",
  }),
  ECDSAInvalidSignatureS: () => ({ message: "the signature is not in its low form", field: "signature" }),
  ReentrancyGuardReentrantCall: () => ({ message: "the token or receiver called back into the escrow" }),
  FailedCall: () => ({
    message: "the receiver did not accept the money",
    field: "to",
    hint: "withdraw to another address",
  }),
  InsufficientBalance: ([balance, needed]) => ({
    message: `the escrow holds ${balance}, less than ${needed}`,
    hint: notOurs,
  }),
  SafeERC20FailedOperation: ([token]) => ({
    message: `token ${token} refused the transfer`,
    field: "offer.token",
    hint: "check balance and allowance",
  }),
  InvalidShortString: () => ({ message: "the escrow's name is malformed", hint: notOurs }),
  StringTooLong: () => ({ message: "the escrow's name is too long", hint: notOurs }),
  ERC20InsufficientAllowance: ([, allowance, needed]) => ({
    message: `the escrow may take ${allowance} of the token, ${needed} are needed`,
    field: "amount",
    hint: "approve the escrow for the whole sum",
  }),
  ERC20InsufficientBalance: ([account, balance, needed]) => ({
    message: `${account} has ${balance} of the token, ${needed} are needed`,
    field: "amount",
    hint: "pay in less or get more of the token",
  }),
};

/** Names of all custom errors that have words. */
export const CONTRACT_ERRORS = Object.keys(WORDS) as ErrorName[];

/** `DeadlinePassed` -> `contract/deadline-passed`; abbreviations stay whole. */
function codeOf(name: string): string {
  return `contract/${name.replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3-$2$4").toLowerCase()}`;
}

/** The error a contract reverted with, in words; undefined when none of this project's contracts reverts so. */
export function contractError(data: Hex): DeltapayError | undefined {
  let decoded: { errorName: string; args?: readonly unknown[] | undefined };
  try {
    decoded = decodeErrorResult({ abi: errorsAbi, data });
  } catch {
    return undefined;
  }
  const words = (WORDS as Record<string, ((args: never) => Words) | undefined>)[decoded.errorName];
  if (words === undefined) return undefined;
  const { message, ...options } = words((decoded.args ?? []) as never);
  return new DeltapayError(codeOf(decoded.errorName), message, options);
}

/** What a revert carries, wherever a node puts it: `data` as hex, or one level deeper. */
function revertData(error: BaseError): Hex | undefined {
  let found: Hex | undefined;
  error.walk((inner) => {
    const data: unknown = (inner as { data?: unknown }).data;
    const nested: unknown =
      typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
    if (isHex(nested) && nested.length >= 10) found ??= nested;
    return false;
  });
  return found;
}

/** Only the host: paths and queries of RPC addresses often hold an access key. */
function hostOf(rpcUrl: string): string {
  return URL.canParse(rpcUrl) ? new URL(rpcUrl).host : "the RPC address";
}

/** Text of an error without the RPC address, which may hold an access key. */
function briefly(error: BaseError, rpcUrl: string): string {
  const innermost = error.walk();
  const text =
    innermost instanceof BaseError ? innermost.shortMessage || innermost.details : innermost.message;
  return text.replaceAll(rpcUrl, hostOf(rpcUrl)).split("\n", 1)[0]!;
}

function unreachable(rpcUrl: string): DeltapayError {
  return new DeltapayError("chain/unreachable", `no answer from the chain at ${hostOf(rpcUrl)}`, {
    field: "rpc",
    hint: "start a local chain with `deltapay chain`, or name another with --rpc URL",
  });
}

/**
 * Anything viem throws, as a DeltapayError without secrets. viem's own error is not kept as the cause: it names the whole
 * RPC address.
 */
export function asChainError(error: unknown, { rpcUrl }: { rpcUrl: string }): Error {
  if (error instanceof DeltapayError) return error;
  // A null in place of a number, say: viem trips over it as JavaScript does.
  if (error instanceof TypeError || error instanceof SyntaxError)
    return new DeltapayError(
      "chain/unreadable",
      `the chain's node at ${hostOf(rpcUrl)} gave an answer that cannot be read`,
      { field: "rpc", hint: "try again later, or ask another node: --rpc URL", cause: error },
    );
  if (!(error instanceof BaseError)) return error instanceof Error ? error : new Error(String(error));
  const data = revertData(error);
  const reverted = data === undefined ? undefined : contractError(data);
  if (reverted !== undefined) return reverted;
  const text = briefly(error, rpcUrl);
  const is = (kind: abstract new (...args: never[]) => Error): boolean =>
    error.walk((inner) => inner instanceof kind) !== null;
  if (is(InsufficientFundsError) || /enough funds|insufficient funds/i.test(text))
    return new DeltapayError("chain/insufficient-funds", "the account cannot pay for this transaction", {
      field: "account",
      hint: "send it some ETH: the sum itself and the gas",
    });
  if (is(NonceTooLowError) || is(NonceTooHighError) || /nonce/i.test(text))
    return new DeltapayError("chain/nonce", "another transaction of this account got in between", {
      field: "account",
      hint: "try again; let one process at a time use an account",
    });
  if (is(HttpRequestError) || is(TimeoutError)) return unreachable(rpcUrl);
  return new DeltapayError("chain/failed", text);
}

/** Runs a request to the chain; whatever it throws becomes a DeltapayError. */
export async function onChain<Result>(
  { rpcUrl }: { rpcUrl: string },
  request: () => Promise<Result>,
): Promise<Result> {
  try {
    return await request();
  } catch (error) {
    throw asChainError(error, { rpcUrl });
  }
}
