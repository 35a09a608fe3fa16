/** Begins a ceremony: powers of tau and circuits give the initial keys, and their hashes are what it is about. */
import type { Curve } from "ffjavascript";
import type { OnProgress } from "../keys/devPtau.ts";
import { pinnedKey } from "../keys/pinned.ts";
import { readZkey } from "../keys/zkeyFile.ts";
import { equalBytes, type Hex, toHex } from "../protocol/bytes.ts";
import { ensure } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { KEY_SIZES } from "../protocol/key.ts";
import { readFileIfThere } from "../storage/files.ts";
import { CeremonyFolder } from "./folder.ts";
import { checkedCircuit, checkedInitialKey } from "./initialKeys.ts";
import type { CeremonyParameters } from "./parameters.ts";
import { eachSize } from "./progress.ts";
import { checkPtau, type Ptau, readPtau } from "./ptau.ts";

export interface InitOptions {
  directory: string;
  ptau: Uint8Array;
  /** Default: all ten. */
  sizes?: readonly number[];
  acceptUnknownPtau?: boolean;
  onProgress?: OnProgress;
}

type KeyEntry = CeremonyParameters["keys"][number];

/** What an interrupted run worked out, for these powers of tau; participants work all of it out again. */
class Notes {
  readonly #folder: CeremonyFolder;
  readonly #ptau: Hex;
  readonly #entries: Map<number, KeyEntry>;

  constructor(folder: CeremonyFolder, ptau: Ptau) {
    this.#folder = folder;
    this.#ptau = ptau.blake2b;
    const bytes = readFileIfThere(folder.file(".init.json"));
    const noted = bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
    const entries: KeyEntry[] = noted?.ptau === this.#ptau ? noted.entries : [];
    this.#entries = new Map(entries.map((entry) => [entry.size, entry]));
  }

  get(size: number): KeyEntry | undefined {
    return this.#entries.get(size);
  }

  add(entry: KeyEntry): void {
    this.#entries.set(entry.size, entry);
    this.#folder.write(
      ".init.json",
      JSON.stringify({ ptau: this.#ptau, entries: [...this.#entries.values()] }),
    );
  }
}

/**
 * Writes ceremony.json and a copy of the powers of tau into a folder. Run again after an interruption, it goes on.
 * @throws DeltapayError `ceremony/exists`, `ceremony/bad-ptau`, `ceremony/unknown-ptau`, `ceremony/ptau-too-small`,
 *   `ceremony/cannot-write`, `key/unknown-size`, `key/...`
 */
export async function initCeremony(curve: Curve, options: InitOptions): Promise<CeremonyParameters> {
  const folder = new CeremonyFolder(options.directory);
  const sizes = [...new Set(options.sizes ?? KEY_SIZES)].sort((a, b) => a - b);
  for (const size of sizes) pinnedKey(size);
  ensure(
    readFileIfThere(folder.file("ceremony.json")) === undefined,
    "ceremony/exists",
    `there is a ceremony in ${options.directory} already`,
    { field: options.directory, hint: "name another folder" },
  );
  const ptau = readPtau(options.ptau);
  await checkPtau(ptau, sizes, options.acceptUnknownPtau ?? false);
  const stored = readFileIfThere(folder.ptauFile);
  if (stored === undefined || !equalBytes(stored, ptau.bytes)) folder.write("powers.ptau", ptau.bytes);
  const notes = new Notes(folder, ptau);
  const keys = await eachSize("initial keys", sizes, options.onProgress ?? (() => {}), async (size) => {
    const noted = notes.get(size);
    if (noted !== undefined) return noted;
    const { r1cs } = await checkedCircuit(size);
    const initial = await checkedInitialKey(curve, size, ptau);
    const entry = {
      size,
      r1csHash: toHex(sha256(r1cs)),
      circuitHash: toHex(readZkey(initial).circuitHash),
    };
    notes.add(entry);
    return entry;
  });
  const parameters: CeremonyParameters = {
    protocol: 1,
    ptau: { blake2b: ptau.blake2b, power: ptau.power, name: ptau.name },
    keys,
  };
  folder.write("ceremony.json", `${JSON.stringify(parameters, null, 2)}\n`);
  return parameters;
}
