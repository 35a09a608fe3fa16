/** Whether the service can do its work: its chain answers and is not behind, its disk takes writes. Asked in the background. */

import * as fs from "node:fs";
import { statfs } from "node:fs/promises";
import * as path from "node:path";
import { isLocalChain } from "../../chain/localChain.ts";
import { writeFileAtomic } from "../../storage/files.ts";
import type { ContributorChain } from "../chainView.ts";
import { nowSeconds } from "../store/rows.ts";

export interface Health {
  ready: boolean;
  /** Unix seconds of the look; 0 before the first. */
  checkedAt: number;
  /** Seconds the newest block is behind this machine's clock; null when the chain did not answer. */
  headAge: number | null;
  /** Free bytes of the data folder's disk; null when nothing could be written. */
  diskFree: number | null;
  /** Why it is not ready. */
  problems: string[];
}

export interface HealthOptions {
  chain: Pick<ContributorChain, "chainId" | "time">;
  /** The data folder. */
  directory: string;
  /** Milliseconds the chain has to answer. Default 5000. */
  timeoutMs?: number;
}

/** Seconds without a block from which a chain in use is taken to be behind; a local one makes blocks when asked. */
const MAX_HEAD_AGE = 300;
const MIN_DISK_FREE = 256 * 2 ** 20;
const PROBE = ".write-probe";

export class HealthMonitor {
  readonly #options: HealthOptions;
  #isStopped = false;
  #newest: Health = { ready: false, checkedAt: 0, headAge: null, diskFree: null, problems: ["starting"] };

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** As of the last look. */
  get newest(): Health {
    return this.#newest;
  }

  /** Looks again. Never throws. */
  async look(): Promise<void> {
    const [headAge, diskFree] = await Promise.all([this.#headAge(), this.#diskFree()]);
    const problems: string[] = [];
    if (headAge === null) problems.push("the chain does not answer");
    else if (headAge > MAX_HEAD_AGE && !isLocalChain(this.#options.chain.chainId))
      problems.push(`the newest block is ${headAge} s old`);
    if (diskFree === null) problems.push("the data folder cannot be written to");
    else if (diskFree < MIN_DISK_FREE) problems.push(`${diskFree} bytes are free for the data folder`);
    if (this.#isStopped) return;
    this.#newest = { ready: problems.length === 0, checkedAt: nowSeconds(), headAge, diskFree, problems };
  }

  /** No longer ready: the service is ending. */
  stop(): void {
    this.#isStopped = true;
    this.#newest = { ...this.#newest, ready: false, problems: ["stopping"] };
  }

  async #headAge(): Promise<number | null> {
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), this.#options.timeoutMs ?? 5000);
    try {
      const time = await Promise.race([this.#options.chain.time(), late.promise]);
      return time === null ? null : Math.max(0, nowSeconds() - Number(time));
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  async #diskFree(): Promise<number | null> {
    const file = path.join(this.#options.directory, PROBE);
    try {
      writeFileAtomic(file, new Uint8Array(16));
      fs.rmSync(file);
      const { bavail, bsize } = await statfs(this.#options.directory);
      return bavail * bsize;
    } catch {
      return null;
    }
  }
}
