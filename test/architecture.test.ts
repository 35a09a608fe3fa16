import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ROW = /^\| `runner\/(\w+)\/` \|[^|]*\|\s*([^|\n]*?)\s*\|$/gm;
const IMPORT = /(?:from|import)\(? ?"(\.\.?\/[^"]+\.tsx?)"/g;

/** Room of a path within the repository; undefined outside runner/. */
function roomOf(file: string): string | undefined {
  return /^runner\/(\w+)\//.exec(file.split(path.sep).join("/"))?.[1];
}

/** The rooms each room may import, by docs/architecture.md. */
function allowedImports(): Map<string, Set<string>> {
  const rows = [...readFileSync(path.join(ROOT, "docs/architecture.md"), "utf8").matchAll(ROW)];
  const rooms = rows.map(([, room]) => room!);
  const named = (list: string): string[] => {
    if (!list.startsWith("all rooms")) return list.split(", ");
    return rooms.filter((room) => !list.endsWith(` but ${room}`));
  };
  return new Map(rows.map(([, room, list]) => [room!, new Set(list === "" ? [] : named(list!))]));
}

test("every room imports only what the architecture says", () => {
  const allowed = allowedImports();
  assert.ok(allowed.size >= 11);
  const wrong: string[] = [];
  for (const file of globSync("runner/**/*.ts", { cwd: ROOT })) {
    const room = roomOf(file)!;
    if (room === "types") continue;
    for (const [, target] of readFileSync(path.join(ROOT, file), "utf8").matchAll(IMPORT)) {
      const other = roomOf(path.join(path.dirname(file), target!));
      if (other !== undefined && other !== room && allowed.get(room)?.has(other) !== true)
        wrong.push(`${file} imports ${other}`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** A way from a file back to itself by imports, types included; undefined when there is none. */
function circleFrom(start: string, imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const seen = new Set<string>();
  const follow = (file: string, way: readonly string[]): string[] | undefined => {
    for (const next of imports.get(file) ?? []) {
      if (next === start) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const circle = follow(next, [...way, next]);
      if (circle !== undefined) return circle;
    }
    return undefined;
  };
  return follow(start, [start]);
}

test("no files import each other in a circle", () => {
  const imports = new Map<string, string[]>();
  for (const file of globSync(["runner/**/*.ts", "app/**/*.{ts,tsx}", "scripts/**/*.ts"], { cwd: ROOT }))
    imports.set(
      file,
      [...readFileSync(path.join(ROOT, file), "utf8").matchAll(IMPORT)].map(([, target]) =>
        path.join(path.dirname(file), target!),
      ),
    );
  assert.ok(imports.size > 300);
  assert.deepEqual(
    [...imports.keys()].flatMap((file) => circleFrom(file, imports)?.join(" > ") ?? []),
    [],
  );
});

test("the audit shares nothing with the product but the rule for dev keys and published files", () => {
  const foreign = new Set<string>();
  for (const file of globSync("runner/audit/**/*.ts", { cwd: ROOT }))
    for (const [, target] of readFileSync(path.join(ROOT, file), "utf8").matchAll(
      /(?:from|import)\(? ?"([^"]+)"/g,
    )) {
      const isOwn = target!.startsWith(".") && roomOf(path.join(path.dirname(file), target!)) === "audit";
      if (!isOwn) foreign.add(target!.startsWith(".") ? path.join(path.dirname(file), target!) : target!);
    }
  const packages = [
    "@noble/curves/abstract/curve.js",
    "@noble/curves/bn254.js",
    "ethers",
    "hardhat/hre",
    "snarkjs",
    "undici",
  ];
  const allowed = new Set(["runner/protocol/keyTrust.ts", ...packages]);
  assert.deepEqual(
    [...foreign].filter((name) => !name.startsWith("node:") && !allowed.has(name)),
    [],
  );
});
