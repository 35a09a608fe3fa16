/** `serve --metrics`: what Prometheus, systemd and container health checks ask. */
import type { Command } from "commander";
import type { ContributorData } from "../contributor/dataFolder.ts";
import type { Health } from "../contributor/operations/health.ts";
import { ServiceMetrics } from "../contributor/operations/metrics.ts";
import { type Operations, startOperations } from "../contributor/operations/server.ts";
import type { ContributorService } from "../contributor/service.ts";
import { wholeNumber } from "./parsers.ts";

export interface OperationsFlags {
  /** True: the default port. */
  metrics?: number | true;
}

const DEFAULT_PORT = 7422;
const STARTING: Health = {
  ready: false,
  checkedAt: 0,
  headAge: null,
  diskFree: null,
  problems: ["starting"],
};

/** Adds --metrics. */
export function withOperations(command: Command): Command {
  return command.option(
    "--metrics [port]",
    `Prometheus metrics and health (loopback only; default port ${DEFAULT_PORT}, 0 for any)`,
    wholeNumber(0, 65_535),
  );
}

/** Counts from the service's first event on; answers once it runs. */
export class ServeOperations {
  readonly metrics: ServiceMetrics;
  #service: ContributorService | undefined;

  constructor(data: ContributorData) {
    this.metrics = new ServiceMetrics(data, () => this.#health());
  }

  #health(): Health {
    return this.#service?.health() ?? STARTING;
  }

  /** Starts answering when asked for. @throws DeltapayError `operations/port-in-use` */
  async open({ metrics }: OperationsFlags, service: ContributorService): Promise<Operations | undefined> {
    this.#service = service;
    if (metrics === undefined) return undefined;
    return startOperations({
      port: metrics === true ? DEFAULT_PORT : metrics,
      metrics: () => this.metrics.text(),
      health: () => this.#health(),
    });
  }
}
