/**
 * Taking part in a ceremony over the network: fetch, wait for the turn, contribute in a folder of one's own, send. Run
 * again after an interruption, it goes on: what was fetched and made is kept.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { blake2b } from "@noble/hashes/blake2.js";
import type { Curve } from "ffjavascript";
import type { OnProgress } from "../keys/devPtau.ts";
import { readZkey } from "../keys/zkeyFile.ts";
import { toHex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { readFileIfThere } from "../storage/files.ts";
import { checkedPtau } from "./checkCeremony.ts";
import { checkOneMore } from "./checkReceived.ts";
import { type Made, makeRound } from "./contribute.ts";
import { CoordinatorClient, type CoordinatorView } from "./coordinatorClient.ts";
import { CeremonyFolder, writing } from "./folder.ts";
import { checkedInitialKey } from "./initialKeys.ts";
import type { CeremonyParameters } from "./parameters.ts";
import { eachSize } from "./progress.ts";
import { checkName, type Step } from "./step.ts";

/** Milliseconds between questions whether it is one's turn. */
const POLL = 2000;
/** Bytes of a piece of an upload. */
const PIECE = 1024 * 1024;
/** Bytes that contributions may add to a key: 400 each, for thousands of them. */
const RECORDS = 4 * 1024 * 1024;

export interface JoinOptions {
  url: string;
  /** Folder of one's own for what is fetched and made. */
  directory: string;
  name: string;
  step: Step;
  acceptUnknownPtau?: boolean;
  onProgress?: OnProgress;
  /** Hears of the place in the queue. */
  onWait?: (before: number) => void;
  pollMs?: number;
}

/** A prepared ptau of some power has exactly these bytes, but for its contributions. */
function mostPtauBytes(power: number): number {
  return 2 ** power * (2 * 64 + 128 + 2 * 64 + 4 * 64 + 2 * 128 + 4 * 64) + RECORDS;
}

/** Fetches a file, going on where an earlier try ended. */
async function fetchFile(
  client: CoordinatorClient,
  folder: CeremonyFolder,
  from: string,
  name: string,
  length: number,
  onBytes: (done: number) => void,
): Promise<Uint8Array> {
  const part = folder.file(".download", name);
  writing(part, () => fs.mkdirSync(path.dirname(part), { recursive: true }));
  const start = fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  let done = Math.min(start, length);
  if (start > length) fs.rmSync(part);
  if (done < length || start > length)
    for await (const bytes of client.file(from, start > length ? 0 : done, length)) {
      writing(part, () => fs.appendFileSync(part, bytes));
      done += bytes.length;
      onBytes(done);
    }
  const found = readFileIfThere(part) ?? new Uint8Array(0);
  ensure(
    found.length === length,
    "ceremony/unreachable",
    `${name} ended after ${found.length} of ${length} bytes`,
    {
      field: name,
      hint: "run the command again: it goes on where this one ended",
    },
  );
  fs.rmSync(part);
  return found;
}

/** Parameters and powers of tau, once; a folder is for one ceremony. */
async function fetchCeremony(
  client: CoordinatorClient,
  folder: CeremonyFolder,
  view: CoordinatorView,
  onProgress: OnProgress,
): Promise<CeremonyParameters> {
  const { parameters, ptauBytes } = view;
  const text = `${JSON.stringify(parameters, null, 2)}\n`;
  const known = readFileIfThere(folder.file("ceremony.json"));
  ensure(
    known === undefined || new TextDecoder().decode(known) === text,
    "ceremony/other-ceremony",
    `${folder.directory} is of another ceremony than ${client.url}`,
    { field: folder.directory, hint: "name another folder with --dir" },
  );
  if (readFileIfThere(folder.ptauFile) === undefined) {
    const most = mostPtauBytes(parameters.ptau.power);
    ensure(ptauBytes <= most, "ceremony/too-long", `powers of tau of ${ptauBytes} bytes`, {
      field: "ptauBytes",
    });
    const bytes = await fetchFile(client, folder, "/v1/ptau", "powers.ptau", ptauBytes, (done) =>
      onProgress("fetching powers of tau", done, ptauBytes),
    );
    ensure(
      toHex(blake2b(bytes, { dkLen: 64 })) === parameters.ptau.blake2b,
      "ceremony/damaged",
      "the powers of tau arrived damaged",
      { field: "powers.ptau", hint: "run the command again: they are fetched anew" },
    );
    folder.write("powers.ptau", bytes);
  }
  folder.write("ceremony.json", text);
  return parameters;
}

/** Whether the folder's keys of a round are those the coordinator has. */
function hasRound(folder: CeremonyFolder, { round, keys }: CoordinatorView): boolean {
  return keys.every(({ size, sha256: hash }) => {
    const bytes = readFileIfThere(folder.roundFile(round, `${size}.zkey`));
    return bytes !== undefined && toHex(sha256(bytes)) === hash;
  });
}

function dropRound(folder: CeremonyFolder, round: number): void {
  fs.rmSync(path.dirname(folder.roundFile(round, "_")), { recursive: true, force: true });
}

/** The coordinator's last round, in the folder; later ones, made after another, are dropped. */
async function fetchRound(
  client: CoordinatorClient,
  folder: CeremonyFolder,
  view: CoordinatorView,
  onProgress: OnProgress,
): Promise<void> {
  const { round, keys, parameters } = view;
  ensure(
    round === 0 || parameters.keys.every(({ size }, i) => keys[i]?.size === size),
    "ceremony/malformed",
    "the coordinator does not have the keys its ceremony is about",
    { field: "keys" },
  );
  const isKnown = hasRound(folder, view);
  for (let later = folder.round(); later > (isKnown ? round + 1 : round - 1) && later > 0; later--)
    dropRound(folder, later);
  if (isKnown) return;
  const total = keys.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const { size, bytes, sha256: hash } of keys) {
    const initialBytes = 2000 * (size + 10);
    ensure(bytes <= initialBytes + RECORDS, "ceremony/too-long", `a key of ${bytes} bytes`, {
      field: `keys.${size}`,
    });
    const found = await fetchFile(
      client,
      folder,
      `/v1/rounds/${round}/${size}`,
      `${round}-${size}.zkey`,
      bytes,
      (done) => onProgress("fetching keys", before + done, total),
    );
    before += bytes;
    ensure(toHex(sha256(found)) === hash, "ceremony/damaged", `the key of size ${size} arrived damaged`, {
      field: `keys.${size}`,
      hint: "run the command again",
    });
    folder.write(path.join(".incoming", `${size}.zkey`), found);
  }
  const target = path.dirname(folder.roundFile(round, "_"));
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.renameSync(folder.file(".incoming"), target);
}

/** Waits until it is this ticket's turn. */
async function waitForTurn(client: CoordinatorClient, ticket: string, options: JoinOptions): Promise<void> {
  for (let told = -1; ; ) {
    const { position } = await client.place(ticket);
    if (position === 0) return;
    if (position !== told) options.onWait?.(position);
    told = position;
    await new Promise((resolve) => setTimeout(resolve, options.pollMs ?? POLL));
  }
}

/** Sends all keys of a round, going on where an interrupted try ended. */
async function sendRound(
  client: CoordinatorClient,
  folder: CeremonyFolder,
  ticket: string,
  round: number,
  sizes: readonly number[],
  onProgress: OnProgress,
): Promise<void> {
  const keys = new Map(sizes.map((size) => [size, folder.key(round, size)]));
  const total = [...keys.values()].reduce((sum, { length }) => sum + length, 0);
  const { received = {} } = await client.place(ticket);
  let before = 0;
  for (const [size, bytes] of keys) {
    for (let at = received[String(size)] ?? 0; at < bytes.length; ) {
      const next = await client.send(ticket, size, at, bytes.subarray(at, at + PIECE));
      ensure(next > at, "ceremony/malformed", "the coordinator's answer is not what it should be", {
        field: "received",
      });
      at = next;
      onProgress("sending keys", before + at, total);
    }
    before += bytes.length;
  }
}

/** Whether the folder holds a contribution of this name to the coordinator's last round, made by an earlier run. */
function madeBefore(folder: CeremonyFolder, { round, parameters }: CoordinatorView): boolean {
  if (folder.round() !== round + 1) return false;
  try {
    for (const { size } of parameters.keys)
      if (round > 0) checkOneMore(folder.key(round, size), folder.key(round + 1, size));
      else
        ensure(
          readZkey(folder.key(1, size)).contributions === 1,
          "ceremony/not-a-continuation",
          "not the first",
        );
    return true;
  } catch (error) {
    if (!(error instanceof DeltapayError)) throw error;
    dropRound(folder, round + 1);
    return false;
  }
}

/** Keeps the ticket alive while something long is done here. */
async function keepingTurn<Result>(
  client: CoordinatorClient,
  ticket: string,
  pauseMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const alive = setInterval(() => void client.place(ticket).catch(() => undefined), pauseMs);
  try {
    return await work();
  } finally {
    clearInterval(alive);
  }
}

/**
 * Takes part in the ceremony at a URL.
 * @throws DeltapayError `ceremony/unreachable`, `ceremony/closed`, `ceremony/other-ceremony`, `ceremony/turn-lost`,
 *   `ceremony/left-out`, and as `makeRound`
 */
export async function joinCeremony(curve: Curve, options: JoinOptions): Promise<Made> {
  checkName(options.name);
  const onProgress = options.onProgress ?? (() => {});
  const client = new CoordinatorClient(options.url);
  const folder = new CeremonyFolder(options.directory);
  const view = await client.view();
  ensure(!view.closed, "ceremony/closed", "a beacon has ended this ceremony", { field: "url" });
  const parameters = await fetchCeremony(client, folder, view, onProgress);
  const sizes = parameters.keys.map(({ size }) => size);
  // What takes long and needs no turn is done before.
  const ptau = await checkedPtau(folder, parameters, options.acceptUnknownPtau ?? false);
  await eachSize("rebuilding initial keys", sizes, onProgress, (size) =>
    checkedInitialKey(curve, size, ptau),
  );
  const ticket = await client.join(options.name);
  try {
    await waitForTurn(client, ticket, options);
    const pauseMs = 5 * (options.pollMs ?? POLL);
    return await keepingTurn(client, ticket, pauseMs, () => takeTurn(curve, client, folder, ticket, options));
  } catch (error) {
    await client.leave(ticket).catch(() => undefined);
    throw error;
  }
}

async function takeTurn(
  curve: Curve,
  client: CoordinatorClient,
  folder: CeremonyFolder,
  ticket: string,
  options: JoinOptions,
): Promise<Made> {
  const { onProgress = () => {}, name, step, acceptUnknownPtau = false } = options;
  const view = await client.view();
  await fetchRound(client, folder, view, onProgress);
  const sizes = view.parameters.keys.map(({ size }) => size);
  if (!madeBefore(folder, view))
    await makeRound(curve, folder, name, step, { acceptUnknownPtau, onProgress });
  const round = view.round + 1;
  await sendRound(client, folder, ticket, round, sizes, onProgress);
  const accepted = await client.finish(ticket);
  const file = folder.roundFile(round, "attestation.txt");
  const own = new TextDecoder().decode(readFileIfThere(file));
  ensure(
    accepted.round === round && accepted.attestation === own,
    "ceremony/left-out",
    "the coordinator says it took another contribution than the one that was sent",
    { field: file, hint: "tell the other participants; keep a copy of this file, the next run may drop it" },
  );
  return { round, attestation: own, keys: [] };
}
