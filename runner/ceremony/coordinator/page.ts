/** The coordinator's page for those who take part in a browser: built when the coordinator starts, served from memory. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { DeltapayError } from "../../protocol/errors.ts";

const CONFIG = fileURLToPath(new URL("../../../app/ceremony/vite.config.ts", import.meta.url));

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Only this coordinator, no inline code; WebAssembly and workers from blobs are what the curve arithmetic needs. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self'",
  "img-src data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export interface Page {
  /** By path; `/` is the page. */
  files: ReadonlyMap<string, Buffer>;
  /** SHA-256 of all of them: for those who compare what different people were served. */
  sha256: string;
}

function readAll(directory: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const served = `/${path.relative(directory, file).split(path.sep).join("/")}`;
    files.set(served === "/index.html" ? "/" : served, fs.readFileSync(file));
  }
  return files;
}

function hashOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash("sha256");
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}

/**
 * Builds the page; takes some seconds.
 * @throws DeltapayError `ceremony/page-not-built`
 */
export async function buildPage(): Promise<Page> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-ceremony-page-"));
  try {
    const { build } = await import("vite");
    await build({ configFile: CONFIG, build: { outDir: directory, emptyOutDir: true }, logLevel: "error" });
    const files = readAll(directory);
    return { files, sha256: hashOf(files) };
  } catch (cause) {
    throw new DeltapayError(
      "ceremony/page-not-built",
      `the page could not be built: ${(cause as Error).message}`,
      {
        field: "app/ceremony",
        hint: "serve without it: --no-page",
        cause,
      },
    );
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Serves the page's files, and only those, whatever a path says. */
export function servePage(app: FastifyInstance, { files }: Page): void {
  for (const [served, bytes] of files)
    app.get(served, (_, reply) =>
      reply
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header("cross-origin-opener-policy", "same-origin")
        .type(served === "/" ? TYPES[".html"]! : (TYPES[path.extname(served)] ?? "application/octet-stream"))
        .send(bytes),
    );
}
