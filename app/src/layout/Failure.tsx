/** What went wrong, in which field, and what to do about it. */
import { DeltapayError } from "../../../runner/protocol/errors.ts";

const OTHER_ACCOUNT = "choose that account in the wallet";

/** By code: what to do where the command line's flags do not help. */
const HINTS = new Map([
  [
    "chain/unreachable",
    "see that its node runs and that this machine is online; what is shown here is asked for again by itself",
  ],
  ["contract/not-buyer", OTHER_ACCOUNT],
  ["contract/not-contributor", OTHER_ACCOUNT],
]);

/** The parts of any error that a person can use. */
function parts(error: unknown): { message: string; field?: string; hint?: string; code?: string } {
  if (error instanceof DeltapayError) {
    const hint = HINTS.get(error.code);
    return { ...error.toJSON(), ...(hint === undefined ? {} : { hint }) };
  }
  return { message: error instanceof Error ? error.message : String(error) };
}

/** Ends as a sentence does, also where the words came from elsewhere. @param capital whether it begins as one */
function sentence(words: string, capital = true): string {
  const ended = /[.!?…]$/.test(words) ? words : `${words}.`;
  return capital ? ended.charAt(0).toUpperCase() + ended.slice(1) : ended;
}

/** @param title what was being done, as `The offer was not made` */
export function Failure({ error, title, onRetry }: { error: unknown; title?: string; onRetry?: () => void }) {
  const { message, field, hint, code } = parts(error);
  return (
    <div className="notice bad" role="alert">
      {title !== undefined && <p className="notice-title">{title}</p>}
      <p>{sentence(message)}</p>
      {hint !== undefined && <p>What to do: {sentence(hint, false)}</p>}
      <p className="fine">
        {code !== undefined && <code>{code}</code>}
        {field !== undefined && (
          <>
            {" "}
            in <code>{field}</code>
          </>
        )}
      </p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
