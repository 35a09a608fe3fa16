/** A participant in a browser: nothing the coordinator sends is taken on trust, but for this page. */
import pinnedKeys from "../../circuits/keys.json" with { type: "json" };
import { attestationText } from "../../runner/ceremony/attestation.ts";
import { checkReceived } from "../../runner/ceremony/checkReceived.ts";
import { CoordinatorClient, type CoordinatorView } from "../../runner/ceremony/coordinatorClient.ts";
import { checkPtau, type Ptau, readPtau } from "../../runner/ceremony/ptau.ts";
import { attested, checkName, nextKey, secretStep } from "../../runner/ceremony/step.ts";
import { checkKernel, checkShape } from "../../runner/keys/checkCircuit.ts";
import { checkInitialPoints, checkKeyPoints } from "../../runner/keys/checkKey.ts";
import { readR1cs } from "../../runner/keys/r1cs.ts";
import { initialKey } from "../../runner/keys/setup.ts";
import { readZkey } from "../../runner/keys/zkeyFile.ts";
import { concatBytes, toHex } from "../../runner/protocol/bytes.ts";
import { type Curve, loadCurve } from "../../runner/protocol/curve.ts";
import { ensure } from "../../runner/protocol/errors.ts";
import { sha256 } from "../../runner/protocol/hash.ts";
import type { Start, Told } from "./messages.ts";

const POLL = 2000;
const PIECE = 1024 * 1024;
/** Most bytes of anything fetched: powers of tau of power 16, and then some. */
const MOST = 128 * 1024 * 1024;

type Tell = (told: Told) => void;

async function fetchWhole(client: CoordinatorClient, path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of client.file(path, 0, MOST)) pieces.push(piece);
  return concatBytes(...pieces);
}

/** Does something for each size, telling how far it is. */
async function each(
  sizes: readonly number[],
  step: string,
  tell: Tell,
  work: (size: number) => Promise<void>,
) {
  for (const [done, size] of sizes.entries()) {
    tell({ kind: "progress", step, done, total: sizes.length });
    await work(size);
  }
}

/** The initial key of a size, rebuilt from a circuit whose hash this page pins. */
async function rebuilt(
  curve: Curve,
  client: CoordinatorClient,
  { parameters }: CoordinatorView,
  ptau: Ptau,
  size: number,
): Promise<Uint8Array> {
  const entry = parameters.keys.find((key) => key.size === size)!;
  const r1cs = await fetchWhole(client, `/v1/circuits/${size}`);
  const hash = toHex(sha256(r1cs));
  ensure(
    hash === entry.r1csHash && hash === pinnedKeys.find((key) => key.size === size)?.r1csHash,
    "ceremony/other-circuit",
    `the circuit of size ${size} is not the one this page knows`,
    { field: `circuits.${size}`, hint: "Take part with the command of the project's current version" },
  );
  checkShape(readR1cs(r1cs), size);
  checkKernel(readR1cs(r1cs), size);
  const initial = await initialKey(size, r1cs, ptau.bytes);
  checkInitialPoints(curve, readZkey(initial));
  ensure(
    toHex(readZkey(initial).circuitHash) === entry.circuitHash,
    "ceremony/other-circuit",
    `the initial key of size ${size} is another one here`,
    { field: `keys.${size}` },
  );
  return initial;
}

async function waitForTurn(client: CoordinatorClient, ticket: string, tell: Tell): Promise<void> {
  for (;;) {
    const { position } = await client.place(ticket);
    if (position === 0) return;
    tell({ kind: "waiting", before: position });
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

async function takeTurn(
  curve: Curve,
  client: CoordinatorClient,
  ticket: string,
  initials: ReadonlyMap<number, Uint8Array>,
  { name, entropy }: Start,
  tell: Tell,
): Promise<{ round: number; attestation: string }> {
  const { round, parameters } = await client.view();
  const sizes = [...initials.keys()];
  const made = new Map<number, Uint8Array>();
  const step = secretStep(name, entropy);
  await each(sizes, "Checking and contributing", tell, async (size) => {
    const initial = initials.get(size)!;
    const received = round === 0 ? initial : await fetchWhole(client, `/v1/rounds/${round}/${size}`);
    const contributions = await checkReceived(curve, initial, received, `key ${size}`);
    ensure(
      contributions.length === round,
      "ceremony/uneven",
      `the key of size ${size} has other contributions`,
    );
    if (round > 0) checkKeyPoints(curve, readZkey(received));
    made.set(size, await nextKey(curve, initial, received, step));
  });
  const { received = {} } = await client.place(ticket);
  await each(sizes, "Sending", tell, async (size) => {
    const zkey = made.get(size)!;
    for (let at = received[String(size)] ?? 0; at < zkey.length; )
      at = await client.send(ticket, size, at, zkey.subarray(at, at + PIECE));
  });
  tell({ kind: "progress", step: "The coordinator checks it", done: 0, total: 1 });
  const accepted = await client.finish(ticket);
  const hashes = sizes.map((size) => attested(curve, size, made.get(size)!));
  const attestation = attestationText(parameters, round + 1, name, hashes);
  ensure(
    accepted.round === round + 1 && accepted.attestation === attestation,
    "ceremony/left-out",
    "the coordinator says it took another contribution than the one that was sent",
    { hint: "Tell the other participants" },
  );
  return { round: accepted.round, attestation };
}

/**
 * Fetches, checks, waits for the turn, contributes and sends.
 * @throws DeltapayError `ceremony/...`, `key/...`
 */
export async function participate(start: Start, tell: Tell): Promise<{ round: number; attestation: string }> {
  checkName(start.name);
  const curve = await loadCurve();
  const client = new CoordinatorClient(start.url);
  const view = await client.view();
  const sizes = view.parameters.keys.map(({ size }) => size);
  tell({ kind: "progress", step: "Fetching powers of tau", done: 0, total: 1 });
  const ptau = readPtau(await fetchWhole(client, "/v1/ptau"));
  ensure(
    ptau.blake2b === view.parameters.ptau.blake2b && ptau.name === view.parameters.ptau.name,
    "ceremony/wrong-ptau",
    "the powers of tau are not those the ceremony is about",
    { hint: "Try again" },
  );
  tell({ kind: "progress", step: "Checking powers of tau", done: 0, total: 1 });
  await checkPtau(ptau, sizes, start.vouched);
  const initials = new Map<number, Uint8Array>();
  await each(sizes, "Rebuilding initial keys", tell, async (size) => {
    initials.set(size, await rebuilt(curve, client, view, ptau, size));
  });
  const ticket = await client.join(start.name);
  const alive = setInterval(() => void client.place(ticket).catch(() => undefined), 10_000);
  try {
    await waitForTurn(client, ticket, tell);
    return await takeTurn(curve, client, ticket, initials, start, tell);
  } catch (error) {
    await client.leave(ticket).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(alive);
  }
}
