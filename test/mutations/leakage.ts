/** Checks that bound what answers give away, and keep it from strangers' eyes. */
import type { Mutation } from "./list.ts";

const METER = "runner/contributor/leakage/meter.ts";
const POLICY = "runner/contributor/leakage/policy.ts";

const tried = (pattern: string, mutation: Omit<Mutation, "test" | "pattern">): Mutation => ({
  ...mutation,
  test: "test/contributor/leakage.test.ts",
  pattern,
});

export const LEAKAGE_MUTATIONS: readonly Mutation[] = [
  tried("past the limits no pass begins", {
    name: "leakage-unlimited",
    attack: "tokens beyond what the owner sells, until the weights are known",
    file: METER,
    find: "if (passTokens <= left && passTokens <= leftOfAll) return;",
    replace: "return;",
  }),
  tried("past the limits no pass begins", {
    name: "leakage-by-many-buyers",
    attack: "one person buys by many addresses",
    file: METER,
    find: "if (passTokens <= left && passTokens <= leftOfAll) return;",
    replace: "if (passTokens <= left) return;",
  }),
  tried("past the limits no pass begins", {
    name: "leakage-cuts-passes",
    attack: "a limit lowered in the middle of a pass takes from a buyer what it has begun to pay for",
    file: "runner/contributor/session/answerPasses.ts",
    find: "const admit = started === undefined ? await this.#admission(agreementId, live, request) : () => {};",
    replace: "const admit = await this.#admission(agreementId, live, request);",
  }),
  tried("begun at the same time", {
    name: "leakage-unfinished-free",
    attack: "passes begun in many agreements at once and never finished",
    file: "runner/contributor/leakage/sold.ts",
    find: "AND p.pass > a.passes",
    replace: "AND false",
  }),
  tried("what a crash kept", {
    name: "leakage-forgotten-in-a-crash",
    attack: "what was shown just before a crash is not counted",
    file: METER,
    find: "this.observe(agreementId, new Map([...answers].map(([module, { X }]) => [module, X])));",
    replace: "this.observe(agreementId, new Map());",
  }),
  tried("show nothing new", {
    name: "ranks-read-back-kept",
    attack: "many buyers come back and show what they showed before: each is read into memory and stays",
    file: "runner/contributor/leakage/rankMeter.ts",
    find: "if (found.length === 0 || this.#keep(found)) return this.#forgetSome();",
    replace: "if (found.length === 0) return;\n        if (this.#keep(found)) return this.#forgetSome();",
  }),
  tried("shown its own figures", {
    name: "leakage-shows-others",
    attack: "a buyer reads how much others buy",
    file: "runner/contributor/leakage/report.ts",
    find: "const sold = tokensSold(database, adapterId, buyer);",
    replace: "const sold = tokensSold(database, adapterId);",
  }),
  tried("sold out is not offered", {
    name: "sold-out-offered",
    attack: "an opening fee for a session in which no pass begins",
    file: "runner/contributor/publicContent.ts",
    find: "tokensLeft(data.database, adapterId, layout) === 0 ?",
    replace: "false ?",
  }),
  tried("below what the adapter is worth", {
    name: "worth-unchecked",
    attack: "the adapter bought whole for less than it is worth to its owner",
    file: POLICY,
    find: "pricePerToken >= least,",
    replace: "true,",
  }),
  tried("below what the adapter is worth", {
    name: "offer-past-leakage-limit",
    attack: "an offer that promises what its maker will refuse to serve",
    file: POLICY,
    find: "tokenCap <= BigInt(most),",
    replace: "true,",
  }),
];
