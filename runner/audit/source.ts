/** Where manifest and commitments come from: a file, a folder, or the service the registration names. */
import { existsSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { Agent, fetch } from "undici";
import type { Hex } from "./primitives/bytes.ts";
import { Missing } from "./problem.ts";

/** Bytes of both files; the manifest's hash decides whether they are right. */
export interface PublicFiles {
  manifest(): Promise<Uint8Array>;
  /** @param bytes length the manifest names: no more is read */
  commitments(bytes: number): Promise<Uint8Array>;
}

const MAX_MANIFEST = 4 * 1024 * 1024;
const MAX_COMMITMENTS = 1024 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

const isUrl = (text: string): boolean => /^https?:\/\//.test(text);

/**
 * @param given `--manifest`: manifest.json with commitments.bin beside it, their folder, or a service's URL
 * @param uri what the registration names
 */
export function publicFiles(given: string | undefined, uri: string, adapterId: Hex): PublicFiles {
  if (given !== undefined && !isUrl(given)) return fromDisk(given);
  const from = given ?? uri;
  if (!isUrl(from))
    throw new Missing(
      `the manifest: the registration names '${from.slice(0, 100)}', which is no address; give --manifest`,
    );
  return fromService(from, adapterId);
}

function fromDisk(given: string): PublicFiles {
  const manifest =
    existsSync(given) && statSync(given).isDirectory() ? path.join(given, "manifest.json") : given;
  const read = (file: string): Uint8Array => {
    if (!existsSync(file)) throw new Missing(`${file} is not there`);
    return readFileSync(file);
  };
  return {
    manifest: async () => read(manifest),
    commitments: async () => read(path.join(path.dirname(manifest), "commitments.bin")),
  };
}

function fromService(uri: string, adapterId: Hex): PublicFiles {
  const base = uri.endsWith("/") ? uri.slice(0, -1) : uri;
  const get = (name: string, most: number): Promise<Uint8Array> =>
    download(`${base}/v1/adapters/${adapterId}/${name}`, most);
  return {
    manifest: () => get("manifest", MAX_MANIFEST),
    commitments: (bytes) => get("commitments", Math.min(bytes, MAX_COMMITMENTS)),
  };
}

/** Contributors sign their own certificates. What comes is judged by its hash alone, so whose they are does not matter. */
const anyCertificate = (): Agent => new Agent({ connect: { rejectUnauthorized: false } });

/** @throws Missing when it cannot be had or is longer than `most` */
async function download(url: string, most: number): Promise<Uint8Array> {
  const dispatcher = anyCertificate();
  try {
    return await receive(url, most, dispatcher);
  } finally {
    await dispatcher.destroy();
  }
}

async function receive(url: string, most: number, dispatcher: Agent): Promise<Uint8Array> {
  const missing = (why: string): Missing =>
    new Missing(`${url.slice(0, 200)}: ${why}; give the files with --manifest`);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { signal, dispatcher, redirect: "error" });
    if (!response.ok || response.body === null) throw missing(`the answer is ${response.status}`);
    for await (const part of response.body) {
      length += part.length;
      if (length > most) throw missing(`the answer is longer than ${most} bytes`);
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof Missing ? error : missing("nobody answers");
  }
  return Buffer.concat(parts);
}
