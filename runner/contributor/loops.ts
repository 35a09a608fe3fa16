/** Work that repeats until it is stopped, one run at a time. */

export interface Loop {
  /** Waits for the run under way. */
  stop(): Promise<void>;
}

/** Runs `work` again `pauseMs` after each run has ended, also when it failed. */
export function repeat(work: () => Promise<void>, pauseMs: number, onError: (error: unknown) => void): Loop {
  let stopped = false;
  let wake = (): void => {};
  const running = (async () => {
    while (!stopped) {
      await work().catch(onError);
      if (stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  return {
    stop: () => {
      stopped = true;
      wake();
      return running;
    },
  };
}
