/** One request to a worker, its progress and its answer. The worker ends with it. */
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { errorOf, type StoredFailure } from "../failure.ts";

/** What a worker says. */
export type WorkerMessage<Answer, Progress> =
  | { type: "progress"; progress: Progress }
  | { type: "done"; answer: Answer }
  | { type: "failed"; failure: StoredFailure };

export interface RunOptions<Progress> {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
  /** Buffers of the request that the worker takes over. */
  transfer?: Transferable[];
}

/**
 * Sends a request and waits for the answer.
 * @throws DeltapayError what the worker says, `worker/failed`, `worker/stopped`
 */
export function runWorker<Request, Answer, Progress>(
  worker: Worker,
  request: Request,
  { onProgress, signal, transfer = [] }: RunOptions<Progress> = {},
): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const stopped = (): void => reject(new DeltapayError("worker/stopped", "stopped"));
    if (signal?.aborted === true) return stopped();
    signal?.addEventListener("abort", stopped, { once: true });
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage<Answer, Progress>>) => {
      if (data.type === "progress") onProgress?.(data.progress);
      else if (data.type === "done") resolve(data.answer);
      else reject(errorOf(data.failure));
    };
    worker.onerror = (event) =>
      reject(
        new DeltapayError("worker/failed", event.message || "the worker could not be started", {
          hint: "load the page again",
        }),
      );
    worker.postMessage(request, transfer);
  }).finally(() => worker.terminate());
}
