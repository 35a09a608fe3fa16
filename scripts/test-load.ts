/**
 * Many buyers at the same time at one service with two adapters:
 *
 *   node scripts/test-load.ts [--buyers 20] [--seconds 60] [--tokens 16] [--processes 2] [--profile FOLDER] [--json]
 *
 * Chain, contracts, service and buyers are the real ones, the buyers without the base model: their activations are random.
 * --processes is how many share the buyers. After the run every buyer signs a receipt and compares with the service. Linux.
 */
import { parseArgs } from "node:util";
import { load } from "../test/load/load.ts";

const { values } = parseArgs({
  options: {
    buyers: { type: "string", default: "20" },
    seconds: { type: "string", default: "60" },
    tokens: { type: "string", default: "16" },
    processes: { type: "string", default: "2" },
    profile: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const [buyers, seconds, tokens, processes] = [
  values.buyers,
  values.seconds,
  values.tokens,
  values.processes,
].map(Number) as [number, number, number, number];
if (![buyers, seconds, tokens, processes].every((value) => value >= 1) || processes > buyers) {
  console.error(
    "--buyers, --seconds, --tokens and --processes take numbers from 1; no process without a buyer",
  );
  process.exit(2);
}

const figures = await load({
  ...{ buyers, seconds, tokens, processes },
  ...(values.profile === undefined ? {} : { profile: values.profile }),
  onStep: (step) => console.error(step),
});
if (values.json) console.log(JSON.stringify(figures, null, 2));
else for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${JSON.stringify(value)}`);
if (figures.errors > 0 || figures.passes === 0) process.exitCode = 1;
