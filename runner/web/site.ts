/** The files of a built page in memory: only what was there at the start can be asked for, whatever the path says. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

export interface SiteFile {
  bytes: Buffer;
  type: string;
  etag: string;
  /** Named by its contents: never another under this name. */
  immutable: boolean;
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** A file to be served under a path that ends in `name`. */
export function siteFile(name: string, bytes: Buffer, immutable = false): SiteFile {
  return {
    bytes,
    type: TYPES[path.extname(name)] ?? "application/octet-stream",
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    immutable,
  };
}

/** All files below a folder by the path they are served at; `/` is index.html. */
export function readSite(directory: string): Map<string, SiteFile> {
  const files = new Map<string, SiteFile>();
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const served = `/${path.relative(directory, file).split(path.sep).join("/")}`;
    files.set(served, siteFile(entry.name, fs.readFileSync(file), served.startsWith("/assets/")));
  }
  const index = files.get("/index.html");
  if (index !== undefined) files.set("/", index);
  return files;
}
