import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import * as path from "node:path";
import { test } from "node:test";
import { createFileAtomic, makePrivateDirectory, writeFileAtomic } from "../../runner/storage/files.ts";
import { temporaryDirectory } from "./temporary.ts";

/** Folders whose entries are made durable while `work` runs. */
function synced(work: () => void): string[] {
  const { openSync, fsyncSync } = fs;
  const opened = new Map<number, string>();
  const folders: string[] = [];
  fs.openSync = (file, ...rest) => {
    const descriptor = openSync(file, ...rest);
    opened.set(descriptor, String(file));
    return descriptor;
  };
  fs.fsyncSync = (descriptor) => {
    folders.push(opened.get(descriptor)!);
    fsyncSync(descriptor);
  };
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    Object.assign(fs, { openSync, fsyncSync });
    syncBuiltinESMExports();
  }
  return folders;
}

test("a folder just made does not vanish in a power cut with what is stored in it", (context) => {
  const above = temporaryDirectory(context);
  const folder = path.join(above, "a", "b");
  if (process.platform === "win32") return;
  assert.deepEqual(synced(() => makePrivateDirectory(folder)).sort(), [above, path.join(above, "a")].sort());
  assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(
    synced(() => makePrivateDirectory(folder)),
    [],
  );
});

test("what a full disk refuses leaves nothing behind", (context) => {
  const folder = temporaryDirectory(context);
  const { writeFileSync } = fs;
  const full: typeof fs.writeFileSync = (file, bytes) => {
    writeFileSync(file, (bytes as Uint8Array).subarray(0, 4));
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  fs.writeFileSync = full;
  syncBuiltinESMExports();
  try {
    for (const write of [writeFileAtomic, createFileAtomic])
      assert.throws(() => write(path.join(folder, "pass.bin"), new Uint8Array(8)), { code: "ENOSPC" });
  } finally {
    fs.writeFileSync = writeFileSync;
    syncBuiltinESMExports();
  }
  assert.deepEqual(fs.readdirSync(folder), []);
});
