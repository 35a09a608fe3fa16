/** What the buyer and the contributor remember of a session, compared at every connection. */
import { toHex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import type { SessionState } from "../../protocol/fold.ts";
import type { SessionView } from "../../wire/messages.ts";

/**
 * Compares both memories.
 * @param own the buyer's state after its last finished pass
 * @param pending number of the pass it has begun, if any
 * @returns `never-seen` when the contributor knows nothing of the pending pass: it may be begun anew
 * @throws DeltapayError `session/contributor-behind`, `session/buyer-behind`, `session/heads-differ`
 */
export function compareMemories(
  view: Pick<SessionView, "passes" | "head" | "openPass">,
  own: Pick<SessionState, "passes" | "head">,
  pending: number | undefined,
): "agree" | "never-seen" {
  const fail = (code: string, field: string, message: string, hint: string): never => {
    throw new DeltapayError(`session/${code}`, message, { field: `session.${field}`, hint });
  };
  if (view.passes < own.passes)
    fail(
      "contributor-behind",
      "passes",
      `the contributor remembers ${view.passes} passes, this buyer ${own.passes}`,
      "it lost data; the last receipt stands, open another agreement",
    );
  const served = view.openPass?.pass ?? view.passes;
  if (served > own.passes && served !== pending)
    fail(
      "buyer-behind",
      "passes",
      `the contributor served pass ${served}, this buyer remembers ${own.passes}`,
      "this data folder is an older copy, or another process uses the agreement: go on with the newest",
    );
  if (view.passes === own.passes && view.head !== toHex(own.head))
    fail(
      "heads-differ",
      "head",
      `both sides remember ${own.passes} passes, with different contents`,
      "the last receipt stands; open another agreement",
    );
  return pending !== undefined && served === own.passes ? "never-seen" : "agree";
}
