/** Ending what runs until somebody stops it. */
import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Milliseconds in which one wish may come twice: a terminal and the process that started this one both pass Ctrl-C on. */
const ONE_WISH = 500;

/** Resolves when the process is asked to end (Ctrl-C, SIGTERM, SIGHUP). Asked a second time, the process ends at once. */
export function untilStopped(): Promise<"stopped"> {
  return new Promise((resolve) => {
    // Handlers of signals do not keep a process alive.
    const alive = setInterval(() => undefined, 60_000);
    let askedAt: number | undefined;
    const ask = (signal: (typeof SIGNALS)[number]): void => {
      const now = performance.now();
      if (askedAt !== undefined && now - askedAt > ONE_WISH) process.exit(128 + constants.signals[signal]);
      askedAt ??= now;
      clearInterval(alive);
      resolve("stopped");
    };
    for (const signal of SIGNALS) process.on(signal, ask);
  });
}
