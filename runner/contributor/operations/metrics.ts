/** What a running service counts and times, for Prometheus. No buyer or agreement is a label, nor any path as asked. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { ContributorData } from "../dataFolder.ts";
import type { ContributorEvent } from "../events.ts";
import { addGauges } from "./gauges.ts";
import type { Health } from "./health.ts";

/** A request answered. */
export interface Answered {
  method: string;
  /** Pattern of the path, never the path itself. */
  route: string;
  status: number;
  ms: number;
}

/** Others are for a stranger to choose, and each would be a row for ever. */
const METHODS = new Set(["GET", "HEAD", "POST"]);

/** Seconds: from a small pass on a fast machine to the longest a request may take. */
const REQUEST_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
const PROOF_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

function figures(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
    new Counter({ name: `deltapay_${name}_total`, help, labelNames, registers });
  const seconds = (name: string, help: string, buckets: number[], ...labelNames: string[]): Histogram =>
    new Histogram({ name: `deltapay_${name}_duration_seconds`, help, labelNames, buckets, registers });
  return {
    sessions: counter("sessions_opened", "Sessions opened"),
    passes: counter("passes", "Passes finished"),
    tokens: counter("tokens", "Tokens of finished passes"),
    receipts: counter("receipts", "Receipts accepted"),
    refused: counter("receipts_refused", "Receipts refused", "code"),
    settlements: counter("settlements", "Agreements settled for good"),
    pastLimits: counter("leakage_limits_passed", "Leakage limits passed", "of"),
    failures: counter("failures", "What failed and is tried again", "doing", "code"),
    requests: seconds("http_request", "Answering a request", REQUEST_SECONDS, "method", "route", "status"),
    proofs: seconds("proof", "Making a proof", PROOF_SECONDS),
    receiptChecks: seconds("receipt_check", "Checking a receipt", PROOF_SECONDS),
  };
}

export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #figures = figures(this.#registry);

  constructor(data: ContributorData, health: () => Health) {
    collectDefaultMetrics({ register: this.#registry });
    addGauges(this.#registry, data, health);
  }

  /** Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  answered({ method, route, status, ms }: Answered): void {
    const labels = { method: METHODS.has(method) ? method : "other", route, status };
    this.#figures.requests.observe(labels, ms / 1000);
  }

  event(event: ContributorEvent): void {
    const { sessions, passes, tokens, receipts, refused, settlements, pastLimits, failures } = this.#figures;
    if (event.type === "session-opened") sessions.inc();
    if (event.type === "pass") {
      passes.inc();
      tokens.inc(event.tokens);
    }
    if (event.type === "receipt") {
      receipts.inc();
      this.#figures.receiptChecks.observe(event.computeMs / 1000);
    }
    if (event.type === "receipt-refused") refused.inc({ code: event.code });
    if (event.type === "proving") this.#figures.proofs.observe(event.proveMs / 1000);
    if (event.type === "settled") settlements.inc();
    if (event.type === "leakage") pastLimits.inc({ of: event.of });
    if (event.type === "failed") failures.inc({ doing: event.doing, code: event.error.code });
  }
}
