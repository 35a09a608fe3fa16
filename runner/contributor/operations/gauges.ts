/** Figures of the data folder and of health, read when Prometheus asks. */
import { Gauge, type Registry } from "prom-client";
import { leakageOf } from "../../protocol/leakage.ts";
import { manifestLayout } from "../../protocol/manifest.ts";
import { listAdapters, readManifest } from "../adapters.ts";
import type { ContributorData } from "../dataFolder.ts";
import { tokensSold } from "../leakage/sold.ts";
import { all } from "../store/rows.ts";
import type { Health } from "./health.ts";

type AddGauge = (name: string, help: string, labels: string[], read: (gauge: Gauge) => void) => void;

/** Adds them to a registry. */
export function addGauges(registry: Registry, data: ContributorData, health: () => Health): void {
  const add: AddGauge = (name, help, labelNames, read) => {
    new Gauge({
      ...{ name: `deltapay_${name}`, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        read(this);
      },
    });
  };
  addAgreements(add, data);
  addMoney(add, data);
  addLeakage(add, data);
  addHealth(add, health);
}

function addAgreements(add: AddGauge, { database }: ContributorData): void {
  add("agreements", "Agreements by phase", ["phase"], (gauge) => {
    for (const phase of ["serving", "ended", "proving", "settled", "closed"]) gauge.set({ phase }, 0);
    const sql = "SELECT phase, count(*) AS n FROM agreement GROUP BY phase";
    for (const { phase, n } of all<{ phase: string; n: number }>(database, sql)) gauge.set({ phase }, n);
  });
  add("settlement_queue", "Agreements with a receipt that are to be proven and settled", [], (gauge) => {
    const [row] = all<{ n: number }>(
      database,
      `SELECT count(*) AS n FROM agreement AS a WHERE phase IN ('ended', 'proving')
       AND EXISTS (SELECT 1 FROM receipt AS r WHERE r.agreement_id = a.agreement_id)`,
    );
    gauge.set(row!.n);
  });
}

/** Receipts are worth no more than the deposit. As floating point: for alerts, not for books. */
function addMoney(add: AddGauge, { database }: ContributorData): void {
  const receiptsIn = (phases: string) => (gauge: Gauge) => {
    for (const { token, worth } of all<{ token: string; worth: number }>(
      database,
      `SELECT json_extract(o.terms, '$.offer.token') AS token, sum(min(CAST(a.amount AS REAL), CAST(a.price AS REAL) *
         coalesce((SELECT r.tokens FROM receipt AS r WHERE r.agreement_id = a.agreement_id
           ORDER BY r.passes DESC LIMIT 1), 0))) AS worth
       FROM agreement AS a JOIN offer AS o USING (offer_hash) WHERE a.phase IN (${phases}) GROUP BY 1`,
    ))
      gauge.set({ token }, worth);
  };
  const owed = receiptsIn("'serving', 'ended', 'proving'");
  add("owed", "Worth of receipts not settled yet, smallest units", ["token"], owed);
  add("settled", "Worth of receipts settled, smallest units", ["token"], receiptsIn("'settled'"));
}

function addLeakage(add: AddGauge, data: ContributorData): void {
  const layouts = new Map<string, ReturnType<typeof manifestLayout>>();
  const perAdapter = (read: (tokens: number, ratio: number) => number) => (gauge: Gauge) => {
    for (const { adapterId, registered } of listAdapters(data)) {
      if (!registered) continue;
      const layout = layouts.get(adapterId) ?? manifestLayout(readManifest(data, adapterId));
      layouts.set(adapterId, layout);
      const { tokensSold: tokens, ratio } = leakageOf(layout, tokensSold(data.database, adapterId), null);
      gauge.set({ adapter: adapterId }, read(tokens, ratio));
    }
  };
  const tokens = perAdapter((sold) => sold);
  const ratio = perAdapter((_, found) => found);
  add("leakage_tokens_sold", "Tokens answered, over all buyers", ["adapter"], tokens);
  add("leakage_ratio", "Tokens answered over d_in/2 of the narrowest module", ["adapter"], ratio);
}

function addHealth(add: AddGauge, health: () => Health): void {
  const known = (read: (found: Health) => number | null) => (gauge: Gauge) => {
    gauge.set(read(health()) ?? Number.NaN);
  };
  const ready = known((found) => (found.ready ? 1 : 0));
  const headAge = known((found) => found.headAge);
  const diskFree = known((found) => found.diskFree);
  add("ready", "1 when the chain answers and the disk takes writes", [], ready);
  add("chain_head_age_seconds", "Age of the newest block; NaN while the chain is silent", [], headAge);
  add("disk_free_bytes", "Free for the data folder; NaN while nothing can be written", [], diskFree);
}
