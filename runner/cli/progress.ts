/** Progress of long work on stderr: a bar on a terminal, a line now and then elsewhere. */
import { SingleBar } from "cli-progress";

/** Milliseconds between lines where there is no terminal. */
const LINE_PAUSE = 2000;
/** Work done faster than this is not worth a line. */
const SHORT = 500;

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #bar: SingleBar | undefined;
  #label: string | undefined;
  #startedAt = 0;
  #lastLineAt = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** `done` of `total` of what `label` names; another label begins anew. */
  update(label: string, done: number, total: number): void {
    if (label !== this.#label) this.#begin(label, total);
    if (this.#bar !== undefined) this.#bar.update(done);
    else this.#line(done, total);
    if (done >= total) this.pause();
  }

  /** Ends the bar, so that other text can be printed. */
  pause(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#label = undefined;
  }

  #begin(label: string, total: number): void {
    this.pause();
    this.#label = label;
    this.#startedAt = performance.now();
    this.#lastLineAt = this.#startedAt;
    if (!this.#stream.isTTY) return;
    const format = `${label} [{bar}] {percentage}% {value}/{total} {eta_formatted}`;
    this.#bar = new SingleBar({ format, stream: this.#stream, hideCursor: true, clearOnComplete: false });
    this.#bar.start(total, 0);
  }

  #line(done: number, total: number): void {
    const now = performance.now();
    const isOver = done >= total;
    if (now - (isOver ? this.#startedAt : this.#lastLineAt) < (isOver ? SHORT : LINE_PAUSE)) return;
    this.#lastLineAt = now;
    const seconds = (now - this.#startedAt) / 1000;
    const left = done > 0 ? `, about ${Math.ceil((seconds * (total - done)) / done)} s left` : "";
    this.#stream.write(`${this.#label}: ${done}/${total}${isOver ? ` (${seconds.toFixed(1)} s)` : left}\n`);
  }
}
