/** docs/protocol.md names every path, field, limit and error code of the service: third parties write clients from it. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import * as messages from "../../runner/wire/messages.ts";
import { LIMITS, PATHS } from "../../runner/wire/paths.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(`${ROOT}${file}`, "utf8");
const document = read("docs/protocol.md");
const [, errors] = /### Errors\n([\s\S]*?)\n## 7/.exec(document)!;

/** Codes that the service's own user, or a buyer reading an answer, meets; never sent. */
const NOT_SENT = new Set(["session/still-serving", "wire/bad-answer"]);

function codesInSource(): string[] {
  const files = [
    ...globSync("runner/contributor/**/*.ts", { cwd: ROOT }).filter((file) => !/\/admin\//.test(file)),
    ...["messages", "passRequest", "unreadable"].map((name) => `runner/wire/${name}.ts`),
  ];
  const codes = files.flatMap((file) => [
    ...read(file).matchAll(
      /"((?:session|receipt|wire|signature|encoding|internal)\/[a-z-]+|adapter\/unknown)"/g,
    ),
  ]);
  return [...new Set(codes.map(([, code]) => code!))].filter((code) => !NOT_SENT.has(code));
}

test("every error code of the service", () => {
  const codes = codesInSource();
  assert.ok(codes.length > 30, `${codes.length} codes found`);
  assert.deepEqual(
    codes.filter((code) => !errors!.includes(`\`${code}\``)),
    [],
  );
});

test("every path, with its parameters in capitals", () => {
  const names: Record<string, string> = { adapterId: "ID", pass: "P" };
  const written = Object.values(PATHS).map((path) =>
    path.replace(/:(\w+)/g, (_, name: string) => names[name]!),
  );
  assert.deepEqual(
    written.filter((path) => !document.includes(` \`${path}\` `)),
    [],
  );
});

/** Names of all fields of a schema, those within others included. */
function fieldsOf(schema: unknown): string[] {
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([name, inner]) => [name, ...fieldsOf(inner)]);
  if (schema instanceof z.ZodArray) return fieldsOf(schema.element);
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) return fieldsOf(schema.unwrap());
  return [];
}

test("every field of every message", () => {
  const schemas = Object.entries(messages).filter(([name]) => name.endsWith("Schema"));
  const fields = new Set(schemas.flatMap(([, schema]) => fieldsOf(schema)));
  assert.ok(fields.size > 35, `${fields.size} fields found`);
  assert.deepEqual(
    [...fields].filter((name) => !new RegExp(`\\b${name}\\b`).test(document)),
    [],
  );
});

test("every limit", () => {
  const unit = (bytes: number): string => {
    const power = Math.floor(Math.log2(bytes) / 10);
    return `${bytes / 2 ** (10 * power)} ${["", "KiB", "MiB", "GiB"][power]}`;
  };
  const { passTokens, ...bytes } = LIMITS;
  assert.match(document, new RegExp(`T at most ${passTokens} a pass`));
  for (const [name, value] of Object.entries(bytes))
    assert.ok(document.includes(unit(value)), `${name}: ${unit(value)}`);
});
