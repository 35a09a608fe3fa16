/** A Chromium for the browser tests: found on this machine, or installed by Playwright, or by Debian's package. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

const PLAYWRIGHT = fileURLToPath(new URL("../node_modules/playwright-core/cli.js", import.meta.url));
/** Milliseconds an installation may take. */
const INSTALL_TIMEOUT = 300_000;

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
/** Where systems put it that do not put it into PATH. */
const PLACES = [
  "/usr/bin/chromium",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];
/** Programs inside a folder of Playwright's cache, by system. */
const CACHED = [
  "chromium*/chrome-*/{chrome,headless_shell,chrome-headless-shell,chrome.exe,chrome-headless-shell.exe}",
  "chromium*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
];

/** Where Playwright keeps browsers. */
function playwrightCache(env: NodeJS.ProcessEnv): string {
  const home = os.homedir();
  if (env["PLAYWRIGHT_BROWSERS_PATH"]) return env["PLAYWRIGHT_BROWSERS_PATH"];
  if (process.platform === "darwin") return path.join(home, "Library", "Caches", "ms-playwright");
  if (process.platform === "win32") return path.join(home, "AppData", "Local", "ms-playwright");
  return path.join(env["XDG_CACHE_HOME"] || path.join(home, ".cache"), "ms-playwright");
}

/** Whether a program starts and says that it is a Chromium. */
function works(program: string): boolean {
  if (!fs.existsSync(program)) return false;
  // Chrome on Windows opens a window for --version.
  if (process.platform === "win32") return true;
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 30_000 });
  return status === 0 && /chrom/i.test(stdout);
}

/** A Chromium that starts: of CHROMIUM, PATH, the usual places or Playwright's cache. */
export function findChromium(
  env: NodeJS.ProcessEnv = process.env,
  places: readonly string[] = PLACES,
): string | undefined {
  if (env["CHROMIUM"]) return works(env["CHROMIUM"]) ? env["CHROMIUM"] : undefined;
  const inPath = (env["PATH"] ?? "")
    .split(path.delimiter)
    .flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  const cache = playwrightCache(env);
  const cached = fs.existsSync(cache)
    ? fs.globSync(CACHED, { cwd: cache }).map((name) => path.join(cache, name))
    : [];
  return [...inPath, ...places, ...cached.sort().reverse()].find(works);
}

/** Runs an installer with its words on stderr. */
function install(program: string, args: readonly string[]): void {
  console.error(`$ ${path.basename(program)} ${args.join(" ")}`);
  spawnSync(program, args, {
    stdio: ["ignore", 2, 2],
    timeout: INSTALL_TIMEOUT,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** apt-get as root, or as somebody who may become root without being asked. */
function aptGet(): string[] | undefined {
  if (!fs.existsSync("/usr/bin/apt-get")) return undefined;
  if (process.getuid?.() === 0) return ["/usr/bin/apt-get"];
  return spawnSync("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n", "/usr/bin/apt-get"] : undefined;
}

/** A Chromium, installed when there is none; undefined when that fails too. */
export function ensureChromium(): string | undefined {
  const found = findChromium();
  if (found !== undefined || process.env["CHROMIUM"]) return found;
  console.error("there is no Chromium on this machine: installing one for the browser tests");
  install(process.execPath, [PLAYWRIGHT, "install", "--only-shell", "chromium"]);
  const installed = findChromium();
  if (installed !== undefined) return installed;
  const apt = aptGet();
  if (apt === undefined) return undefined;
  const [program, ...words] = apt;
  install(program!, [...words, "update"]);
  install(program!, [...words, "install", "-y", "--no-install-recommends", "chromium"]);
  return findChromium();
}
