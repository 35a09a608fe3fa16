/** Checks that keep secrets out of logs and metrics, and let a service end well. */
import type { Mutation } from "./list.ts";

const LOG = "runner/contributor/operations/log.ts";

const tried = (pattern: string, mutation: Omit<Mutation, "test" | "pattern">): Mutation => ({
  ...mutation,
  test: "test/contributor/operations.test.ts",
  pattern,
});

const stopped = (pattern: string, mutation: Omit<Mutation, "test" | "pattern">): Mutation => ({
  ...mutation,
  test: "test/contributor/stopping.test.ts",
  pattern,
});

const asked = (pattern: string, mutation: Omit<Mutation, "test" | "pattern" | "file">): Mutation => ({
  ...mutation,
  file: "runner/cli/interrupt.ts",
  test: "test/cli/interrupt.test.ts",
  pattern,
});

export const OPERATIONS_MUTATIONS: readonly Mutation[] = [
  tried("no log and no metric holds a secret", {
    name: "salt-in-the-log",
    attack: "whoever reads the log reads the salts that hide the answers",
    file: "runner/contributor/session/answerPasses.ts",
    find: '        type: "pass",\n',
    replace: '        type: "pass",\n        ...{ told: Buffer.from(passSalt).toString("base64") },\n',
  }),
  tried("no log and no metric holds a secret", {
    name: "weights-in-the-log",
    attack: "whoever reads the log has the adapter",
    file: "runner/contributor/settlement.ts",
    find: 'this.#options.onEvent?.({ type: "proving", agreementId,',
    replace:
      'this.#options.onEvent?.({ type: "proving", ...{ told: adapter.weights[0]!.Aq.join(", ") }, agreementId,',
  }),
  tried("no log and no metric holds a secret", {
    name: "node-key-in-the-log",
    attack: "the access key in the RPC address is read from the log",
    file: LOG,
    find: 'name === "message" || name === "hint" ? withoutAddresses(String(value)) : value,',
    replace: "name === undefined ? null : value,",
  }),
  tried("a field named as a secret", {
    name: "secrets-by-name-written",
    attack: "a mistake elsewhere writes a field named seed",
    file: LOG,
    find: "paths: SECRET_NAMES.flatMap(",
    replace: "paths: SECRET_NAMES.slice(0, 0).flatMap(",
  }),
  tried("a field named as a secret", {
    name: "foreign-errors-quoted",
    attack: "a library's error quotes a key it could not read",
    file: LOG,
    find: "method.apply(this, given.map(kindOnly) as typeof given);",
    replace: "method.apply(this, given);",
  }),
  tried("on a full disk", {
    name: "full-log-stops-service",
    attack: "a disk filled with logs ends the service, and its deadlines pass",
    file: "runner/cli/serveLog.ts",
    find: '  file.on("error", (error: Error) => {',
    replace: '  file.on("finish", (error?: Error) => {\n    if (error === undefined) return;',
  }),
  tried("nobody reads any more", {
    name: "unread-log-stops-service",
    attack: "the program that reads the service's lines ends, and the service with it, its deadlines near",
    file: "runner/cli/output.ts",
    find: '  process.stderr.off("error", loseLine).on("error", loseLine);\n',
    replace: "",
  }),
  tried("no stranger's text", {
    name: "strangers-methods-as-labels",
    attack: "rows of metrics without end, one for every method a stranger thinks of",
    file: "runner/contributor/operations/metrics.ts",
    find: 'METHODS.has(method) ? method : "other"',
    replace: "method",
  }),
  tried("for this machine only", {
    name: "metrics-by-rebinding",
    attack: "a web page reads the operator's earnings by a name rebound to this machine",
    file: "runner/contributor/operations/server.ts",
    find: 'if (!["127.0.0.1", "localhost"].some(',
    replace: "if ([].some(",
  }),
  tried("takes no writes, are told", {
    name: "silent-chain-is-healthy",
    attack: "a node that hangs is never noticed, and deadlines pass",
    file: "runner/contributor/operations/health.ts",
    find: 'if (headAge === null) problems.push("the chain does not answer");\n    else if (headAge > ',
    replace: "if (headAge !== null && headAge > ",
  }),
  stopped("takes nothing new", {
    name: "stopping-takes-passes",
    attack: "tokens served while the service ends, and no time left to take their receipt",
    file: "runner/contributor/drain.ts",
    find: "      if (this.#isStopping)\n        throw",
    replace: "      if (this.#answering < 0)\n        throw",
  }),
  stopped("takes nothing new", {
    name: "stopping-cuts-answers",
    attack: "an answer under way is lost when the service ends",
    file: "runner/contributor/drain.ts",
    find: "    const worked = Promise.all([this.#answered(), this.#holds.idle()]);",
    replace: "    const worked = Promise.resolve(this.#app.server.closeAllConnections());",
  }),
  stopped("although its buyer has gone", {
    name: "stopping-forgets-receipts",
    attack: "a receipt that is being checked is lost when the service ends",
    file: "runner/contributor/holds.ts",
    find: "await Promise.allSettled(this.#running);",
    replace: "",
  }),
  stopped("ends in time", {
    name: "stopping-waits-for-ever",
    attack: "a node that mines nothing keeps the service from ending: it is killed instead",
    file: "runner/contributor/service.ts",
    find: "await Promise.race([work, late]);",
    replace: "await Promise.race([work, sleep(3000)]);",
  }),
  asked("is one wish", {
    name: "one-ctrl-c-kills",
    attack: "Ctrl-C in a terminal, which comes twice, cuts the answers under way",
    find: "now - askedAt > ONE_WISH",
    replace: "true",
  }),
  asked("asked again later", {
    name: "second-wish-unheard",
    attack: "a service that hangs while it ends cannot be ended by who runs it",
    find: "askedAt !== undefined && now",
    replace: "askedAt === null && now",
  }),
];
