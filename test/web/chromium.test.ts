import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { findChromium } from "../../scripts/chromium.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const posix = { skip: process.platform === "win32" ? "programs there are no scripts" : false };

/** A program that calls itself something. */
function program(file: string, says: string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
  return file;
}

test("the Chromium named counts, and no other", posix, (context) => {
  const folder = temporaryDirectory(context);
  const named = program(path.join(folder, "mine"), "Chromium 1");
  program(path.join(folder, "bin", "chromium"), "Chromium 2");
  const PATH = path.join(folder, "bin");
  assert.equal(findChromium({ PATH, CHROMIUM: named }), named);
  assert.equal(findChromium({ PATH, CHROMIUM: path.join(folder, "none") }), undefined);
  assert.equal(findChromium({ PATH }), path.join(PATH, "chromium"));
});

test("what does not start, or is something else, is passed over for Playwright's", posix, (context) => {
  const folder = temporaryDirectory(context);
  const bin = path.join(folder, "bin");
  program(path.join(bin, "chromium"), "a wrapper that says: install me with snap");
  const cached = program(path.join(folder, "cache", "chromium-1200", "chrome-linux", "chrome"), "Chromium 3");
  const env = { PATH: bin, PLAYWRIGHT_BROWSERS_PATH: path.join(folder, "cache") };
  assert.equal(findChromium(env, []), cached);
  assert.equal(findChromium({ PATH: bin, PLAYWRIGHT_BROWSERS_PATH: bin }, []), undefined);
});
