/** What a demo leaves running and lying about: named in one file, so that other commands find it and one ends it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { hasCode, writeFileAtomic } from "../storage/files.ts";
import { OPENING_FILE } from "../storage/transcript.ts";
import { userDataDirectory } from "../storage/userFolder.ts";

const hash = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));

const schema = z.strictObject({
  /** Process of the local chain, and its genesis block: a node that answers with another is another node. */
  pid: z.number().int().min(2),
  genesis: hash,
  rpcUrl: z.url({ protocol: /^http$/, hostname: /^127\.0\.0\.1$/ }),
  /** Everything below it belongs to the demo: deployment.json, contributor/, buyer/. */
  folder: z.string().min(1),
  agreementId: hash,
  adapterId: hash,
});

/** A demo that was left running. */
export type Kept = z.output<typeof schema>;

/** Where demos keep what they leave. */
export function demosDirectory(): string {
  return path.join(userDataDirectory(), "deltapay", "demo");
}

const keptFile = (): string => path.join(demosDirectory(), "kept.json");

/** A fresh folder for a demo's data, readable by the user alone. */
export function makeDemoFolder(): string {
  fs.mkdirSync(demosDirectory(), { recursive: true, mode: 0o700 });
  return fs.mkdtempSync(path.join(demosDirectory(), "run-"));
}

/** Files of a kept demo that an auditor asks for. */
export function keptFiles({ folder, adapterId, agreementId }: Kept) {
  const transcript = path.join(folder, "buyer", "transcripts", agreementId);
  return {
    deployment: path.join(folder, "deployment.json"),
    manifest: path.join(folder, "contributor", "adapters", adapterId),
    opening: path.join(transcript, OPENING_FILE),
    transcript,
  };
}

export function writeKept(kept: Kept): void {
  const text = `${JSON.stringify(kept, null, 2)}\n`;
  writeFileAtomic(keptFile(), new TextEncoder().encode(text), 0o600);
}

/** The demo left running; undefined when there is none, or its chain is gone. */
export async function findKept(): Promise<Kept | undefined> {
  const kept = readKept();
  if (kept === undefined) return undefined;
  return (await genesisOf(kept.rpcUrl)) === kept.genesis ? kept : undefined;
}

function readKept(): Kept | undefined {
  let text: string;
  try {
    text = fs.readFileSync(keptFile(), "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DeltapayError("demo/bad-kept", "the note of the demo left running cannot be read", {
      field: keptFile(),
      hint: "remove it, and end its chain by hand if it still runs",
      cause,
    });
  }
}

/** Hash of a chain's first block; undefined when nobody answers. */
export async function genesisOf(rpcUrl: string): Promise<Hex | undefined> {
  const body = { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params: ["0x0", false] };
  try {
    const response = await fetch(rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    return ((await response.json()) as { result: { hash: Hex } }).result.hash;
  } catch {
    return undefined;
  }
}

/**
 * Ends the chain of the demo left running and removes its data. Its pid is trusted only while that chain answers.
 * @returns what was ended; undefined when there was nothing
 */
export async function stopKept(): Promise<Kept | undefined> {
  const kept = readKept();
  if (kept === undefined) return undefined;
  if ((await genesisOf(kept.rpcUrl)) === kept.genesis) process.kill(kept.pid);
  const isOurs = path.dirname(path.resolve(kept.folder)) === path.resolve(demosDirectory());
  if (isOurs) fs.rmSync(kept.folder, { recursive: true, force: true });
  fs.rmSync(keptFile(), { force: true });
  return kept;
}
