/** Which proof covers which module, and which slots of the key a module owns (protocol 2). */
import { DeltapayError, ensure } from "./errors.ts";
import { KEY_SIZES } from "./key.ts";

/** How many modules one proof covers; "all" means as few proofs as fit. */
export type ModulesPerProof = number | "all";

export interface Grouping {
  /** Group of each module, 0..groups-1, in manifest order. */
  group: number[];
  /** First slot of each module within its group: the running sum of ranks. */
  slot: number[];
  groups: number;
  /** Rank sum of the largest group: the key needs at least this many slots. */
  slotsNeeded: number;
}

const LARGEST_KEY = KEY_SIZES[KEY_SIZES.length - 1]!;

/**
 * Smallest key size with at least `slots` slots.
 * @throws DeltapayError `groups/too-large`
 */
export function keySizeFor(slots: number): number {
  const size = KEY_SIZES.find((candidate) => candidate >= slots);
  if (size === undefined)
    throw new DeltapayError("groups/too-large", `${slots} slots exceed the largest key, ${LARGEST_KEY}`, {
      hint: "put fewer modules into one proof",
    });
  return size;
}

/**
 * Puts consecutive modules into groups of at most `modulesPerProof`, starting another group where the rank sum would
 * exceed the largest key.
 *
 * @param ranks rank of each module in manifest order
 * @throws DeltapayError `groups/bad-count`, `groups/bad-rank`, `groups/too-large`
 */
export function assignGroups(ranks: readonly number[], modulesPerProof: ModulesPerProof): Grouping {
  ensure(
    modulesPerProof === "all" || (Number.isSafeInteger(modulesPerProof) && modulesPerProof > 0),
    "groups/bad-count",
    `modules per proof is ${modulesPerProof}, expected a positive integer or "all"`,
    {
      field: "modulesPerProof",
    },
  );
  ensure(ranks.length > 0, "groups/bad-rank", "an adapter needs at least one module", { field: "ranks" });
  const limit = modulesPerProof === "all" ? Number.POSITIVE_INFINITY : modulesPerProof;
  const result: Grouping = { group: [], slot: [], groups: 1, slotsNeeded: 0 };
  let members = 0;
  let used = 0;
  for (const [m, rank] of ranks.entries()) {
    checkRank(rank, m);
    if (members === limit || used + rank > LARGEST_KEY) {
      result.groups++;
      members = used = 0;
    }
    result.group.push(result.groups - 1);
    result.slot.push(used);
    members++;
    used += rank;
    result.slotsNeeded = Math.max(result.slotsNeeded, used);
  }
  return result;
}

function checkRank(rank: number, module: number): void {
  const field = `ranks[${module}]`;
  ensure(
    Number.isSafeInteger(rank) && rank > 0,
    "groups/bad-rank",
    `rank of module ${module} is ${rank}, not a positive integer`,
    { field },
  );
  ensure(
    rank <= LARGEST_KEY,
    "groups/too-large",
    `rank ${rank} of module ${module} exceeds the largest key, ${LARGEST_KEY} slots`,
    {
      field,
    },
  );
}
