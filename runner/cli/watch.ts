/** A view that is drawn again and again until it is stopped: in place on a terminal, else whenever it changes. */
import { asDeltapayError } from "../protocol/errors.ts";
import { untilStopped } from "./interrupt.ts";

const HOME_AND_CLEAR = "\u001b[H\u001b[2J";

/**
 * Draws what `read` gives every `seconds`; a failure is shown and tried again.
 * @param screen standard output
 */
export async function watch(
  read: () => Promise<readonly string[]>,
  seconds: number,
  screen: Pick<NodeJS.WriteStream, "write" | "isTTY">,
): Promise<void> {
  let stopped = false;
  const stop = untilStopped().then(() => {
    stopped = true;
  });
  let drawn = "";
  while (!stopped) {
    const frame = (await read().catch(failureLines)).join("\n");
    if (stopped) return;
    if (screen.isTTY === true)
      screen.write(
        `${HOME_AND_CLEAR}${frame}\n\n${new Date().toISOString()}, every ${seconds} s; Ctrl-C ends\n`,
      );
    else if (frame !== drawn) screen.write(`${frame}\n\n`);
    drawn = frame;
    const pause = Promise.withResolvers<void>();
    const timer = setTimeout(pause.resolve, 1000 * seconds);
    await Promise.race([stop, pause.promise]);
    clearTimeout(timer);
  }
}

function failureLines(error: unknown): string[] {
  const { message, hint } = asDeltapayError(error);
  return [`not to be had now: ${message}`, ...(hint === undefined ? [] : [hint])];
}
