/**
 * Loaded before a command of the product (`--import`): names each step that money depends on as it is reached, writes
 * it down, and ends the process there, as a power cut would, when the plan says so. The product knows nothing of it:
 * what is watched are SQLite, files, HTTP and the chain's RPC as Node gives them.
 *
 * FAULT_PLAN: a `FaultPlan` as JSON. The log has one JSON document a line: `LogLine`.
 */
import * as diagnostics from "node:diagnostics_channel";
import fs from "node:fs";
import { ServerResponse } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import * as path from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementResultingChanges, StatementSync } from "node:sqlite";
import { isMainThread } from "node:worker_threads";
import type { FaultPlan, LogLine } from "./faultPlan.ts";

const plan = JSON.parse(process.env["FAULT_PLAN"] ?? "{}") as Partial<FaultPlan>;

if (isMainThread && plan.log !== undefined) {
  const log = fs.openSync(plan.log, "a");
  const write = (line: LogLine): void => {
    fs.writeSync(log, `${JSON.stringify(line)}\n`);
  };
  const { kill } = plan;
  const counts = new Map<string, number>();
  let reached = 0;

  const reach = (step: string): void => {
    const nth = (counts.get(step) ?? 0) + 1;
    counts.set(step, nth);
    reached++;
    if (
      kill !== undefined &&
      ("step" in kill ? kill.step === step && kill.nth === nth : kill.after === reached)
    ) {
      write({ killed: step });
      process.kill(process.pid, "SIGKILL");
    }
    write({ step });
  };
  watchDatabase(reach);
  watchFiles(reach);
  watchRequests(reach, write);
  watchReplies(reach, write);
  watchTransactions(reach, write);
}

type Reach = (step: string) => void;
type Write = (line: LogLine) => void;

/** What a statement changes; undefined when it only reads. */
function changeOf(sql: string): string | undefined {
  const written = /^\s*(?:(INSERT)(?: OR \w+)? INTO|(DELETE) FROM) (\w+)/i.exec(sql);
  if (written) return `${(written[1] ?? written[2])!.toLowerCase()} ${written[3]}`;
  const updated = /^\s*UPDATE (\w+) SET (\w+)/i.exec(sql);
  return updated ? `update ${updated[1]}.${updated[2]}` : undefined;
}

/** Every change of a database: within a transaction before each, and before and after what makes them durable. */
function watchDatabase(reach: Reach): void {
  const changes = new WeakMap<DatabaseSync, Set<string>>();
  const owners = new WeakMap<StatementSync, DatabaseSync>();
  const { exec, prepare } = DatabaseSync.prototype;
  const { run } = StatementSync.prototype;
  const commit = (name: string, work: () => void): void => {
    reach(`before storing ${name}`);
    work();
    reach(`after storing ${name}`);
  };
  DatabaseSync.prototype.exec = function (sql) {
    if (/^BEGIN/.test(sql)) changes.set(this, new Set());
    const made = [...(changes.get(this) ?? [])].join(", ");
    if (/^\s*CREATE TABLE/.test(sql)) changes.get(this)?.add("schema");
    if (sql === "COMMIT" && made !== "") commit(made, () => exec.call(this, sql));
    else exec.call(this, sql);
    if (/^(COMMIT|ROLLBACK)/.test(sql)) changes.delete(this);
  };
  DatabaseSync.prototype.prepare = function (sql, ...rest) {
    const statement = prepare.call(this, sql, ...rest);
    owners.set(statement, this);
    return statement;
  };
  const watched = function (this: StatementSync, ...parameters: SQLInputValue[]) {
    const change = changeOf(this.sourceSQL);
    const database = owners.get(this);
    const apply = (): StatementResultingChanges => Reflect.apply(run, this, parameters);
    if (change === undefined || database === undefined) return apply();
    const made = changes.get(database);
    if (made === undefined) {
      let result: StatementResultingChanges | undefined;
      commit(change, () => {
        result = apply();
      });
      return result!;
    }
    reach(`within a transaction, before ${change}`);
    made.add(change);
    return apply();
  };
  StatementSync.prototype.run = watched as typeof run;
}

/** Files that take their place, or are linked to it. */
function watchFiles(reach: Reach): void {
  const nameOf = (file: fs.PathLike): string => path.basename(String(file)).replace(/[0-9a-f]{8,}/gi, "*");
  const { renameSync, linkSync } = fs;
  fs.renameSync = (from, to) => {
    reach(`before writing ${nameOf(to)}`);
    renameSync(from, to);
    reach(`after writing ${nameOf(to)}`);
  };
  fs.linkSync = (from, to) => {
    reach(`before writing ${nameOf(to)}`);
    linkSync(from, to);
    reach(`after writing ${nameOf(to)}`);
  };
  syncBuiltinESMExports();
}

const pathName = (url: string): string => url.replace(/0x[0-9a-f]+/gi, "*").replace(/\/\d+(?=\/|$)/g, "/*");

/** Requests to a contributor's service: about to leave, gone, answered. */
function watchRequests(reach: Reach, write: Write): void {
  interface Message {
    request: { method: string; path: string; body: unknown };
  }
  const on = (channel: string, listener: (name: string, request: Message["request"]) => void): void => {
    diagnostics.subscribe(channel, (message) => {
      const { request } = message as Message;
      if (request.method === "POST" && request.path.startsWith("/v1/"))
        listener(`POST ${pathName(request.path)}`, request);
    });
  };
  on("undici:request:create", (name, { path: url, body }) => {
    reach(`before sending ${name}`);
    const bytes =
      typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0);
    write({ sent: name, path: url, body: bytes.toString("base64") });
  });
  on("undici:request:bodySent", (name) => reach(`after sending ${name}`));
  on("undici:request:trailers", (name) => reach(`on the answer to ${name}`));
}

/** Answers of a service: about to leave, and gone. */
function watchReplies(reach: Reach, write: Write): void {
  const { end } = ServerResponse.prototype;
  ServerResponse.prototype.end = function (this: ServerResponse, ...parameters: unknown[]) {
    const { method, url = "" } = this.req;
    const apply = (): ServerResponse => end.apply(this, parameters as Parameters<typeof end>);
    if (method !== "POST") return apply();
    const name = `POST ${pathName(url)}`;
    const what = this.statusCode < 300 ? name : `${name} ${this.statusCode}`;
    reach(`before answering ${what}`);
    const [body] = parameters;
    const bytes =
      typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0);
    const json = bytes[0] === 0x7b ? bytes.toString() : "";
    write({ answered: name, path: url, status: this.statusCode, json });
    const result = apply();
    reach(`after answering ${what}`);
    return result;
  };
}

/** Transactions: about to leave, and taken by the node. */
function watchTransactions(reach: Reach, write: Write): void {
  const original = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const body = typeof init?.body === "string" ? init.body : "";
    if (!body.includes('"eth_sendRawTransaction"')) return original(input, init);
    const { params } = JSON.parse(body) as { params: [string] };
    reach("before sending a transaction");
    write({ transaction: params[0] });
    const answer = await original(input, init);
    reach("after sending a transaction");
    return answer;
  };
}
