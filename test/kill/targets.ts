/** Which step a process is killed at next: those never killed at come first; steps are those that were seen. */
import type { Kill, LogLine } from "./faultPlan.ts";
import type { SeededRandom } from "./random.ts";

/** Times a step is aimed at without being reached before it is left alone. */
const MOST_MISSES = 8;

interface Target {
  /** Most often it was reached in one process. */
  most: number;
  kills: number;
  aimed: number;
}

export class Targets {
  readonly #random: SeededRandom;
  readonly #roles = new Map<string, Map<string, Target>>();
  /** Most steps one process of a role took. */
  readonly #steps = new Map<string, number>();

  readonly #only: RegExp | undefined;
  /** Steps seen, by lane, role and what went on. */
  readonly #seen = new Map<string, Set<string>>();

  /** @param only aim only where `role: step` matches */
  constructor(random: SeededRandom, only?: RegExp) {
    this.#random = random;
    this.#only = only;
  }

  #of(role: string): Map<string, Target> {
    const known = this.#roles.get(role) ?? new Map<string, Target>();
    this.#roles.set(role, known);
    return known;
  }

  #target(role: string, step: string): Target {
    const targets = this.#of(role);
    const known = targets.get(step) ?? { most: 0, kills: 0, aimed: 0 };
    targets.set(step, known);
    return known;
  }

  #seenIn(...where: [lane: number, role: string, phase: string]): Set<string> {
    const key = where.join(" ");
    const known = this.#seen.get(key) ?? new Set<string>();
    this.#seen.set(key, known);
    return known;
  }

  /** Learns the steps a process took. @param phase what went on: the agreement's phase, or more closely */
  saw(lane: number, role: string, phase: string, lines: readonly LogLine[]): void {
    const counts = new Map<string, number>();
    for (const line of lines) if ("step" in line) counts.set(line.step, (counts.get(line.step) ?? 0) + 1);
    for (const [step, count] of counts) {
      this.#seenIn(lane, role, phase).add(step);
      const target = this.#target(role, step);
      target.most = Math.max(target.most, count);
    }
    const total = lines.filter((line) => "step" in line).length;
    this.#steps.set(role, Math.max(this.#steps.get(role) ?? 0, total));
  }

  killedAt(role: string, step: string): void {
    this.#target(role, step).kills++;
  }

  /**
   * Where the next process of a role ends: six times of seven at a named step, else after any number of steps.
   * @param phases what goes on and is still to come in this life of the agreement, the soonest first
   */
  next(lane: number, role: string, phases: readonly string[]): Kill | undefined {
    const seen = new Set(phases.flatMap((phase) => [...this.#seenIn(lane, role, phase)]));
    const known = [...this.#of(role)]
      .filter(([step]) => seen.has(step))
      .filter(([, { aimed, kills }]) => aimed - kills < MOST_MISSES)
      .filter(([step]) => this.#only?.test(`${role}: ${step}`) !== false);
    const steps = this.#steps.get(role);
    if (steps === undefined || steps === 0) return undefined;
    // Others have steps where none was killed yet.
    const mayRest = known.every(([, { kills }]) => kills > 0) && this.#isMissing();
    if (mayRest && this.#only === undefined && this.#random.next() < 0.4) return undefined;
    const anywhere = known.length === 0 || this.#random.next() < 0.15;
    if (anywhere) return this.#only === undefined ? { after: 1 + this.#random.below(steps) } : undefined;
    const never = (phase: string): [string, Target][] =>
      known.filter(([step, { kills }]) => kills === 0 && this.#seenIn(lane, role, phase).has(step));
    // A process that waits for a later phase is not killed in this one.
    const soonest = phases.map(never).find((targets) => targets.length > 0) ?? known;
    const fewest = Math.min(...soonest.map(([, { kills, aimed }]) => kills * 2 + aimed));
    const [step, target] = this.#random.pick(soonest.filter(([, t]) => t.kills * 2 + t.aimed === fewest))!;
    target.aimed++;
    const isFirst = target.kills === 0 || this.#random.next() < 0.5;
    return { step, nth: isFirst ? 1 : 1 + this.#random.below(Math.min(3, target.most)) };
  }

  /** Whether there are steps that can be reached and where no process was killed. */
  #isMissing(): boolean {
    const all = [...this.#roles.values()].flatMap((targets) => [...targets.values()]);
    return all.some(({ kills, aimed }) => kills === 0 && aimed < MOST_MISSES);
  }

  /** Milliseconds after which a process is killed from outside, one of twenty. */
  nextMoment(role: string): number | undefined {
    if (this.#random.next() >= 0.05) return undefined;
    return this.#random.below(role === "serve" ? 6000 : 2500);
  }

  /** Kills by role and step. */
  get kills(): Record<string, number> {
    const entries = [...this.#roles].flatMap(([role, targets]) =>
      [...targets].map(([step, { kills }]): [string, number] => [`${role}: ${step}`, kills]),
    );
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
