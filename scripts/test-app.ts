/**
 * The wallet UI in a real browser: `node scripts/test-app.ts [--required] [FILE...]`, all files of test/app/browser by default.
 *
 * Without a Chromium, and none to be installed, it fails where tests must not be left out (--required, CI=true) and says
 * loudly elsewhere that they were.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ensureBuilt } from "../runner/web/build.ts";
import { ensureChromium } from "./chromium.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Milliseconds one file may take. */
const FILE_TIMEOUT = 240_000;

const args = process.argv.slice(2);
const files = args.filter((arg) => !arg.startsWith("--"));
const required = args.includes("--required") || process.env["CI"] === "true";

const chromium = ensureChromium();
if (chromium === undefined) {
  const what = process.env["CHROMIUM"] ? `CHROMIUM=${process.env["CHROMIUM"]} does not start` : "no Chromium";
  console.error(`
*** ${what}: the wallet UI was NOT tested in a browser.
*** Install chromium or Google Chrome, or name one in CHROMIUM, and run: npm run test:app
`);
  process.exit(required ? 1 : 0);
}
await ensureBuilt(() => console.error("building the page"));
const { status } = spawnSync(
  process.execPath,
  [
    ...["--test", "--test-concurrency=2", `--test-timeout=${FILE_TIMEOUT}`],
    ...(files.length > 0 ? files : ["test/app/browser/**/*.browser.ts"]),
  ],
  { cwd: ROOT, stdio: "inherit", env: { ...process.env, CHROMIUM: chromium } },
);
process.exit(status ?? 1);
