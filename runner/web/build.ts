/** The production build of the wallet UI (app/): made when it is missing or older than its source. */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { DeltapayError } from "../protocol/errors.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where the build is. */
export const BUILD_DIRECTORY = path.join(ROOT, "build", "app");
/** What the page is made of: its own source, the library it shares, pinned keys and packages. */
const SOURCES = ["app", "runner", "circuits/keys.json", "package-lock.json"];
/** Written last: its time is the build's. */
const STAMP = "index.html";

/** Newest modification below a path, milliseconds. */
function newest(place: string): number {
  const found = fs.statSync(place, { throwIfNoEntry: false });
  // An editor may have taken it away since it was listed.
  if (found === undefined) return 0;
  const { mtimeMs } = found;
  if (!found.isDirectory()) return mtimeMs;
  return fs
    .readdirSync(place)
    .reduce((time, name) => Math.max(time, newest(path.join(place, name))), mtimeMs);
}

/** Whether the build is missing or older than what it is made of. */
export function isStale(directory = BUILD_DIRECTORY): boolean {
  const built = fs.statSync(path.join(directory, STAMP), { throwIfNoEntry: false })?.mtimeMs;
  return built === undefined || SOURCES.some((name) => newest(path.join(ROOT, name)) > built);
}

/** Puts a folder in the place of another; two processes may do so at once. */
function replaceDirectory(place: string, fresh: string): void {
  for (let tries = 0; ; tries++) {
    const old = `${fresh}-old-${tries}`;
    try {
      if (fs.existsSync(place)) fs.renameSync(place, old);
      fs.renameSync(fresh, place);
      return;
    } catch (error) {
      if (tries === 5) throw error;
    } finally {
      fs.rmSync(old, { recursive: true, force: true });
    }
  }
}

/**
 * Builds the page beside the old build and puts it in its place, so that a server never sees half of one.
 * @returns where it is
 * @throws DeltapayError `app/build-failed`
 */
export async function ensureBuilt(onBuild: () => void = () => {}): Promise<string> {
  if (!isStale()) return BUILD_DIRECTORY;
  onBuild();
  const started = new Date();
  const fresh = `${BUILD_DIRECTORY}-${process.pid}`;
  try {
    const { build } = await import("vite");
    await build({
      configFile: path.join(ROOT, "app", "vite.config.ts"),
      build: { outDir: fresh, emptyOutDir: true },
      logLevel: "error",
    });
    // What changed while it was built is not in it.
    fs.utimesSync(path.join(fresh, STAMP), started, started);
    replaceDirectory(BUILD_DIRECTORY, fresh);
  } catch (cause) {
    fs.rmSync(fresh, { recursive: true, force: true });
    throw new DeltapayError("app/build-failed", `the page could not be built: ${(cause as Error).message}`, {
      field: "app",
      hint: "see that node_modules is complete: npm start installs what is missing",
      cause,
    });
  }
  return BUILD_DIRECTORY;
}
