/** What went wrong, in which field, and what to do about it. */
import { DeltapayError } from "../../../runner/protocol/errors.ts";

/** What the command line says of a chain that is away does not help here. */
const CHAIN_AWAY = "see that its node runs and that this machine is online; the page asks again by itself";

/** The parts of any error that a person can use. */
function parts(error: unknown): { message: string; field?: string; hint?: string; code?: string } {
  if (error instanceof DeltapayError)
    return error.code === "chain/unreachable" ? { ...error.toJSON(), hint: CHAIN_AWAY } : error.toJSON();
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
