/** The worker's half of `runWorker`: answers the one request it gets. */
import { failureOf } from "../failure.ts";
import type { WorkerMessage } from "./runWorker.ts";

/** Answers with what `work` gives, or with its failure. */
export function answerOnce<Request, Answer, Progress>(
  work: (request: Request, progress: (progress: Progress) => void) => Promise<Answer>,
): void {
  const say = (message: WorkerMessage<Answer, Progress>): void => postMessage(message);
  addEventListener("message", async ({ data }: MessageEvent<Request>) => {
    try {
      say({ type: "done", answer: await work(data, (progress) => say({ type: "progress", progress })) });
    } catch (error) {
      say({ type: "failed", failure: failureOf(error) });
    }
  });
}
