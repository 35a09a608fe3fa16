/** Figures of a run: percentiles, the memory of a process over time, what it used of the processor. */
import * as fs from "node:fs";

/** The value below which a share of the sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Least squares: how much y grows with each x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0) / spread;
}

const TICKS_A_SECOND = 100;
const SAMPLE_MS = 1000;

/** Megabytes a process holds. Linux. */
function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** Seconds of processor time a process used. Linux. */
function cpuSeconds(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

export interface Usage {
  rssStartMb: number;
  rssEndMb: number;
  rssMaxMb: number;
  /** Least squares over one sample a second, megabytes a minute. */
  rssSlopeMbPerMinute: number;
  cpuSeconds: number;
}

/** Watches a process from now until `end`. */
export class Meter {
  readonly #pid: number;
  readonly #began = performance.now();
  readonly #cpu: number;
  readonly #samples: [minutes: number, mb: number][] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#cpu = cpuSeconds(pid);
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  #sample(): void {
    this.#samples.push([(performance.now() - this.#began) / 60_000, residentMb(this.#pid)]);
  }

  end(): Usage {
    clearInterval(this.#timer);
    this.#sample();
    const memory = this.#samples.map(([, mb]) => mb);
    return {
      rssStartMb: Math.round(memory[0]!),
      rssEndMb: Math.round(memory.at(-1)!),
      rssMaxMb: Math.round(Math.max(...memory)),
      rssSlopeMbPerMinute: Number(slope(this.#samples).toFixed(1)),
      cpuSeconds: Number((cpuSeconds(this.#pid) - this.#cpu).toFixed(1)),
    };
  }
}
