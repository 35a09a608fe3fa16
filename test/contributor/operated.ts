/** A service with all that tells of it: logs at their most talkative, metrics, health. */
import assert from "node:assert/strict";
import { Output } from "../../runner/cli/output.ts";
import { openLog } from "../../runner/cli/serveLog.ts";
import { ServeOperations } from "../../runner/cli/serveOperations.ts";
import type { ContributorEvent } from "../../runner/contributor/events.ts";
import type { ServeOptions } from "../../runner/contributor/service.ts";
import { ask } from "./buyer.ts";
import { registered, type Served, served } from "./setting.ts";

/** What would go to stderr. */
export class Captured extends Output {
  readonly lines: string[];

  constructor(lines: string[]) {
    super({ json: true });
    this.lines = lines;
  }

  override note(text: string): void {
    this.lines.push(text);
  }
}

export interface Operated extends Served {
  /** Where metrics and health are. */
  url: string;
  /** Lines of the log, for people and as JSON. */
  lines: string[];
  /** The metrics as Prometheus reads them, by name and labels. */
  metrics(): Promise<Map<string, number>>;
}

/** Serves a registered adapter, settling what ends. */
export async function operated(
  context: Parameters<typeof served>[0],
  change: Partial<ServeOptions> = {},
): Promise<Operated> {
  const by = await registered(context);
  const operations = new ServeOperations(by.data);
  const lines: string[] = [];
  const logs = (["json", "pretty"] as const).map((logFormat) =>
    openLog({ logFormat, logLevel: "debug" }, new Captured(lines)),
  );
  const events: ContributorEvent[] = [];
  const contributor = await served(context, {
    by,
    serve: {
      settle: true,
      onEvent: (event) => {
        events.push(event);
        for (const log of logs) log.event(event);
        operations.metrics.event(event);
      },
      onAnswer: (answered) => {
        for (const log of logs) log.answered(answered);
        operations.metrics.answered(answered);
      },
      ...change,
    },
  });
  const opened = await operations.open({ metrics: 0 }, contributor.service);
  assert.ok(opened);
  context.after(() => opened.close());
  return { ...contributor, events, lines, url: opened.url, metrics: () => readMetrics(opened.url) };
}

/** Prometheus's text format, by name and labels. */
export async function readMetrics(url: string): Promise<Map<string, number>> {
  const { status, bytes, headers } = await ask(`${url}/metrics`);
  assert.equal(status, 200);
  assert.match(headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const rows = new TextDecoder().decode(bytes).matchAll(/^(\w+(?:\{[^}\n]*\})?) (\S+)$/gm);
  return new Map([...rows].map(([, name, value]) => [name!, Number(value)]));
}
