/**
 * Times the protocol's steps for M random modules: registration, manifest check, fold, both sides of a receipt, proof.
 *
 *   node scripts/bench-protocol.ts [--modules 24] [--din 768] [--dout 2304] [--rank 8] [--tokens 128] [--per-proof all]
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { loadProvingKey } from "../runner/keys/load.ts";
import { decodeKeyPoints } from "../runner/protocol/commitment.ts";
import { checkManifest } from "../runner/protocol/commitmentsFile.ts";
import { loadCurve } from "../runner/protocol/curve.ts";
import { addPass, initialState } from "../runner/protocol/fold.ts";
import { assignGroups, keySizeFor } from "../runner/protocol/groups.ts";
import { vkHash } from "../runner/protocol/key.ts";
import { answer } from "../runner/protocol/quantise.ts";
import { registerAdapter, registrationBlinds } from "../runner/protocol/registration.ts";
import { buyerStatements, columnSums, groupWitness, witnessStatement } from "../runner/protocol/statement.ts";
import { Prover } from "../runner/prover/prove.ts";

const { values } = parseArgs({
  options: {
    modules: { type: "string", default: "24" },
    din: { type: "string", default: "768" },
    dout: { type: "string", default: "2304" },
    rank: { type: "string", default: "8" },
    tokens: { type: "string", default: "128" },
    "per-proof": { type: "string", default: "all" },
  },
});
const [M, dIn, dOut, r, tokens] = [values.modules, values.din, values.dout, values.rank, values.tokens].map(
  Number,
) as [number, number, number, number, number];
const integers = (count: number, limit: number): number[] =>
  Array.from({ length: count }, () => Math.floor(Math.random() * (2 * limit + 1)) - limit);

const timings: Record<string, number> = {};
async function timed<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  const start = performance.now();
  const result = await work();
  timings[name] = Math.round(performance.now() - start);
  process.stderr.write(`${name}: ${timings[name]} ms\n`);
  return result;
}

const grouping = assignGroups(
  new Array<number>(M).fill(r),
  values["per-proof"] === "all" ? "all" : Number(values["per-proof"]),
);
const keySize = keySizeFor(grouping.slotsNeeded);
const curve = await loadCurve();
const provingKey = await timed("key", () => loadProvingKey(keySize));
const key = await decodeKeyPoints(curve, provingKey.commitKey);
const modules = Array.from({ length: M }, (_, m) => ({
  name: `layer.${m}`,
  dIn,
  dOut,
  r,
  group: grouping.group[m]!,
  Aq: Int8Array.from(integers(r * dIn, 127)),
  Bq: Int8Array.from(integers(dOut * r, 127)),
  b: Float64Array.from({ length: dOut }, Math.random),
}));
const input = {
  chainId: 31337,
  registry: "0x00000000000000000000000000000000000000aa",
  contributor: "0x00000000000000000000000000000000000000bb",
  vkHash: vkHash(provingKey.commitKey),
  keySize,
  baseModel: null,
  modules,
  seed: randomBytes(32),
  adapterSalt: randomBytes(32),
  scaleSalt: randomBytes(32),
} as const;
const registration = await timed("register", () => registerAdapter(curve, key, { ...input, modules }));
const checked = await timed("manifestCheck", () =>
  checkManifest(curve, key, registration.manifest, registration.commitmentsFile),
);
const { layout, commitments } = checked;
const X = modules.map(() => Int16Array.from(integers(tokens * dIn, 32767)));
const Y = await timed("answers", () =>
  modules.map(({ Aq, Bq }, m) => answer(Aq, Bq, X[m]!, tokens, dIn, dOut, r)),
);
const pass = { passSalt: new Uint8Array(randomBytes(32)), tokens, X, Y };
const state = await timed("fold", () => addPass(layout, initialState(layout, new Uint8Array(32)), pass));
const sums = await timed("columnSums", () => columnSums(curve, commitments));
const blinds = await timed("blinds", () => registrationBlinds({ ...input, modules }));
const V = await timed("receiptBuyer", () => buyerStatements(curve, key, layout, commitments, sums, state));
const groups = Array.from({ length: layout.groups }, (_, g) => g);
const witnesses = await timed("witnesses", () =>
  groups.map((g) => groupWitness(layout, modules, blinds, state, g)),
);
await timed("receiptContributor", () => Promise.all(witnesses.map((w) => witnessStatement(curve, key, w))));
const prover = new Prover(provingKey);
await timed("firstProof", () => prover.prove(witnesses[0]!, V[0]!));
await timed("allProofs", async () => {
  for (const g of groups) await prover.prove(witnesses[g]!, V[g]!);
});
const memory = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  `${JSON.stringify({ modules: M, shape: [dIn, dOut, r], tokens, keySize, groups: layout.groups, commitmentsFileBytes: registration.commitmentsFile.length, peakMemoryMb: Math.round(memory), timings })}\n`,
);
await curve.terminate();
