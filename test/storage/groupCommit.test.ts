import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { openDatabase } from "../../runner/storage/database.ts";
import { GroupCommit } from "../../runner/storage/groupCommit.ts";
import { temporaryDirectory } from "./temporary.ts";

function opened(context: Parameters<typeof temporaryDirectory>[0]) {
  const file = path.join(temporaryDirectory(context), "a.db");
  const migrations = ["CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT"];
  const database = openDatabase(file, migrations);
  const commits: number[] = [];
  const exec = database.exec.bind(database);
  const reader = openDatabase(file, migrations);
  context.after(() => {
    database.close();
    reader.close();
  });
  const stored = (): number[] =>
    reader
      .prepare("SELECT n FROM t ORDER BY n")
      .all()
      .map(({ n }) => Number(n));
  database.exec = (sql: string): void => {
    exec(sql);
    if (sql === "COMMIT") commits.push(stored().length);
  };
  const insert = (n: number) => (): number =>
    Number(database.prepare("INSERT INTO t VALUES (?)").run(n).changes);
  return { database, commits, stored, insert, group: new GroupCommit(database) };
}

test("what is due at once is committed at once, and is there when it is told", async (context) => {
  const { commits, stored, insert, group } = opened(context);
  const seen: number[][] = [];
  const all = [1, 2, 3].map((n) => group.run(insert(n)).then(() => seen.push(stored())));
  assert.deepEqual(stored(), []);
  await Promise.all(all);
  assert.deepEqual(commits, [3]);
  assert.deepEqual(seen, [
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ]);
  assert.equal(await group.run(insert(4)), 1);
  assert.deepEqual(commits, [3, 4]);
});

test("one that fails takes back its own writes and no other's", async (context) => {
  const { stored, insert, group } = opened(context);
  const failing = group.run(() => {
    insert(2)();
    throw new Error("no");
  });
  const [one, two, three, four] = await Promise.allSettled([
    group.run(insert(1)),
    failing,
    group.run(insert(1)),
    group.run(insert(3)),
  ]);
  assert.deepEqual(
    [one.status, two.status, three.status, four.status],
    ["fulfilled", "rejected", "rejected", "fulfilled"],
  );
  assert.deepEqual(stored(), [1, 3]);
});

test("a later one sees what those before it wrote: a limit holds for all together", async (context) => {
  const { database, stored, insert, group } = opened(context);
  const upToTwo = (n: number) => () => {
    const row = database.prepare("SELECT count(*) AS n FROM t").get();
    if (Number(row!["n"]) >= 2) throw new Error("limit");
    insert(n)();
  };
  const results = await Promise.allSettled([1, 2, 3].map((n) => group.run(upToTwo(n))));
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected"],
  );
  assert.deepEqual(stored(), [1, 2]);
});

test("where nothing can be written all are refused, and later ones are not", async (context) => {
  const { database, stored, insert, group } = opened(context);
  database.exec("PRAGMA query_only = 1");
  const results = await Promise.allSettled([group.run(insert(1)), group.run(insert(2))]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  database.exec("PRAGMA query_only = 0");
  await group.run(insert(3));
  assert.deepEqual(stored(), [3]);
});

test("where the commit fails nobody is told that it is stored", async (context) => {
  const { database, stored, insert, group } = opened(context);
  const { exec } = database;
  database.exec = (sql: string): void => {
    if (sql === "COMMIT") throw new Error("disk I/O error");
    exec(sql);
  };
  const results = await Promise.allSettled([group.run(insert(1)), group.run(insert(2))]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.deepEqual(stored(), []);
  database.exec = exec;
  await group.run(insert(3));
  assert.deepEqual(stored(), [3]);
});
