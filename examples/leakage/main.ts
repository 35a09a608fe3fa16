/**
 * Shows what selling by the token gives away: `node examples/leakage/main.ts [ADAPTER_DIR]` (default the tiny kjv-attn).
 *
 * The buyer below sees exact answers only, as in a session. See docs/leakage.md.
 */
import { fileURLToPath } from "node:url";
import { loadPeftAdapter } from "../../runner/adapter/peft.ts";
import { answer, quantiseAdapterModule } from "../../runner/protocol/quantise.ts";
import { recoverModule } from "./recover.ts";

const TRIALS = 16;
const dir = process.argv[2] ?? fileURLToPath(new URL("../../fixtures/kjv-attn", import.meta.url));
const adapter = await loadPeftAdapter(dir);
let stolen = 0;

for (const module of adapter.modules) {
  const { r, dIn, dOut } = module;
  const { Aq, Bq } = quantiseAdapterModule(module);
  const oracle = async (X: Int16Array, tokens: number) => answer(Aq, Bq, X, tokens, dIn, dOut, r);
  const started = performance.now();
  const found = await recoverModule(oracle, module);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (found === undefined) {
    console.log(`${module.path}: not recovered (${seconds} s)`);
    continue;
  }
  const X = Int16Array.from({ length: TRIALS * dIn }, () => Math.round((Math.random() - 0.5) * 65534));
  const truth = await oracle(X, TRIALS);
  const copied = answer(
    Int8Array.from(found.A.flat()),
    Int8Array.from({ length: dOut * r }, (_, i) => found.B[i % r]![Math.floor(i / r)]!),
    X,
    TRIALS,
    dIn,
    dOut,
    r,
  );
  const equal = truth.every((value, i) => value === copied[i]);
  if (equal) stolen += 1;
  console.log(
    `${module.path} (${dIn} -> ${dOut}, rank ${r}): ${equal ? "recovered" : "wrong"} from ${found.tokensUsed} tokens in ${seconds} s;` +
      ` ${TRIALS} fresh inputs ${equal ? "get the very same answers" : "differ"}`,
  );
}
console.log(`${stolen} of ${adapter.modules.length} modules recovered exactly.`);
process.exitCode = stolen === adapter.modules.length ? 0 : 1;
