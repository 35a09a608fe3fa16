/** A thread beside the one that runs inputs: ends the process when one takes too long or too much memory. */
import * as fs from "node:fs";
import { workerData } from "node:worker_threads";
import { UnderWork } from "./underWork.ts";

/** Seconds of processor time for one input; of the clock, on a busy machine, many more. */
const INPUT_CPU_SECONDS = 5;
const INPUT_SECONDS = 60;
const LOOK_MS = 20;

const { shared, verdict } = workerData as { shared: SharedArrayBuffer; verdict: string };
const underWork = new UnderWork(shared);

let seen = 0;
let began = 0;
let cpu = process.cpuUsage();

function overrun(): string | undefined {
  const { number, limitMb } = underWork;
  if (limitMb === 0) {
    seen = 0;
    return undefined;
  }
  const taken = Math.round(process.memoryUsage.rss() / 2 ** 20);
  if (taken > limitMb) return `memory: ${taken} MB, more than ${limitMb}`;
  if (number !== seen) {
    seen = number;
    began = performance.now();
    cpu = process.cpuUsage();
    return undefined;
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  if ((user + system) / 1e6 < INPUT_CPU_SECONDS && seconds < INPUT_SECONDS) return undefined;
  return `hang: one input takes more than ${INPUT_CPU_SECONDS} s`;
}

setInterval(() => {
  const why = overrun();
  if (why === undefined) return;
  fs.writeFileSync(`${verdict}.input`, underWork.input);
  fs.writeFileSync(verdict, why);
  process.kill(process.pid, "SIGKILL");
}, LOOK_MS);
