/** The round under way: keys are kept as they are made, and become a round in one step. */
import * as fs from "node:fs";
import * as path from "node:path";
import { ensure } from "../protocol/errors.ts";
import { readFileIfThere } from "../storage/files.ts";
import { type CeremonyFolder, writing } from "./folder.ts";

/** Rounds whose keys are kept; of older ones the attestations are. Later keys hold every proof of the earlier ones. */
const KEPT_ROUNDS = 2;

export class NextRound {
  readonly #folder: CeremonyFolder;
  readonly #from: number;

  /** Takes up what an interrupted run left, unless the ceremony went on meanwhile or it was somebody else's. */
  constructor(folder: CeremonyFolder, owner: string) {
    this.#folder = folder;
    this.#from = folder.round();
    const mark = JSON.stringify({ from: this.#from, owner });
    const found = readFileIfThere(folder.file(".next", "from.json"));
    if (found !== undefined && new TextDecoder().decode(found) === mark) return;
    fs.rmSync(folder.file(".next"), { recursive: true, force: true });
    folder.write(path.join(".next", "from.json"), mark);
  }

  /** What an earlier run left of a size; not to be trusted. */
  read(size: number): Uint8Array | undefined {
    return readFileIfThere(this.#folder.file(".next", `${size}.zkey`));
  }

  write(size: number, bytes: Uint8Array): void {
    this.#folder.write(path.join(".next", `${size}.zkey`), bytes);
  }

  /**
   * Makes it a round.
   * @returns its number
   * @throws DeltapayError `ceremony/overtaken`
   */
  finish(attestation: string): number {
    const folder = this.#folder;
    const round = this.#from + 1;
    folder.write(path.join(".next", "attestation.txt"), attestation);
    fs.rmSync(folder.file(".next", "from.json"));
    const target = path.dirname(folder.roundFile(round, "_"));
    writing(target, () => fs.mkdirSync(path.dirname(target), { recursive: true }));
    ensure(
      !fs.existsSync(target),
      "ceremony/overtaken",
      `round ${round} was finished by somebody else meanwhile`,
      {
        field: target,
        hint: "run the command again: it contributes to the key as it is now",
      },
    );
    writing(target, () => fs.renameSync(folder.file(".next"), target));
    this.#forget(round - KEPT_ROUNDS);
    return round;
  }

  #forget(round: number): void {
    const directory = path.dirname(this.#folder.roundFile(Math.max(round, 0), "_"));
    if (round < 1 || !fs.existsSync(directory)) return;
    for (const name of fs.readdirSync(directory))
      if (name.endsWith(".zkey")) fs.rmSync(path.join(directory, name));
  }
}
