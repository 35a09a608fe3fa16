/** Ending what runs until somebody stops it. */

/** Resolves when the process is asked to end (Ctrl-C, SIGTERM, SIGHUP). A second Ctrl-C ends it at once. */
export function untilStopped(): Promise<"stopped"> {
  return new Promise((resolve) => {
    // Handlers of signals do not keep a process alive.
    const alive = setInterval(() => undefined, 60_000);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => {
        clearInterval(alive);
        resolve("stopped");
      });
  });
}
