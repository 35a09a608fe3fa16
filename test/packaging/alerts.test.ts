/** The alerts ask for metrics that the service has, and docs/operations.md knows every metric and alert. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import { ServiceMetrics } from "../../runner/contributor/operations/metrics.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");
const rules = read("packaging/prometheus-rules.yml");
const document = read("docs/operations.md");

/** Every time series of Prometheus has these. */
const PROMETHEUS = new Set(["up", "job", "instance"]);
const FUNCTIONS = new Set([
  ...["and", "by", "changes", "increase", "min_over_time", "on", "rate", "sum"],
  ...["m", "h", "s"],
]);

/** Names of metrics and labels that the service has. */
async function known(context: { after(work: () => void): void }): Promise<Set<string>> {
  const data = await openContributorData(path.join(temporaryDirectory(context), "data"));
  context.after(() => data.close());
  const nothing = { ready: true, checkedAt: 0, headAge: 0, diskFree: 0, problems: [] };
  const text = await new ServiceMetrics(data, () => nothing).text();
  const metrics = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
    type === "histogram" ? [`${name}_count`, `${name}_sum`, `${name}_bucket`] : [name!],
  );
  return new Set(metrics);
}

/** Label names by their metric's source: a gauge or counter without a sample yet shows none. */
const LABELS = new Set(
  ["metrics", "gauges"].flatMap((name) =>
    [...read(`runner/contributor/operations/${name}.ts`).matchAll(/"(\w+)"/g)].map(([, label]) => label!),
  ),
);

test("every name in every expression is one that the service exports", async (context) => {
  const metrics = await known(context);
  const expressions = [...rules.matchAll(/^\s+expr: (.+)$/gm)].map(([, expression]) => expression!);
  assert.ok(expressions.length >= 8);
  for (const expression of expressions) {
    const words = expression.replace(/"[^"]*"/g, "").match(/[a-zA-Z_]\w*/g) ?? [];
    const unknown = words.filter(
      (word) => !PROMETHEUS.has(word) && !FUNCTIONS.has(word) && !metrics.has(word) && !LABELS.has(word),
    );
    assert.deepEqual(unknown, [], expression);
    assert.ok(words.some((word) => metrics.has(word) || word === "up"));
  }
});

test("every alert says what to do, where it stands", () => {
  const anchors = [...document.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s+/g, "-"),
  );
  const alerts = [...rules.matchAll(/- alert: (\w+)[\s\S]*?runbook: docs\/operations\.md#(\S+)/g)];
  assert.equal(alerts.length, rules.match(/- alert:/g)?.length);
  assert.deepEqual(
    alerts.filter(([, , anchor]) => !anchors.includes(anchor!)).map(([, alert]) => alert),
    [],
  );
});

test("every metric of the service is described", async (context) => {
  const own = [...(await known(context))].filter((name) => name.startsWith("deltapay_"));
  const families = new Set(own.map((name) => name.replace(/_seconds_(count|sum|bucket)$/, "_seconds")));
  assert.ok(families.size > 15);
  assert.deepEqual(
    [...families].filter((name) => !document.includes(`\`${name}\``)),
    [],
  );
});
