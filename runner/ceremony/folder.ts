/**
 * A ceremony on disk: ceremony.json, powers.ptau, and a folder of keys a round. A round's folder appears complete or not
 * at all, and what an interrupted round finished is taken up again.
 *
 *   ceremony.json            what it is about; never changes
 *   powers.ptau
 *   rounds/0003/14.zkey …    the keys after the third contribution, attestation.txt beside them
 *   .next/                   the round under way
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { hasCode, readFileIfThere, writeFileAtomic } from "../storage/files.ts";
import { type CeremonyParameters, parseParameters } from "./parameters.ts";

const MAKE_ROOM =
  "make room (the ten keys take 20 MB a round) and run the command again: what was finished is kept";
const ELSEWHERE = "name a folder you can write to";

/** Codes of a disk that cannot take more, by what to tell a person. */
const WRITE_FAILURES: Record<string, readonly [what: string, hint: string]> = {
  ENOSPC: ["there is no space left on the disk", MAKE_ROOM],
  EDQUOT: ["your quota of the disk is used up", MAKE_ROOM],
  EFBIG: ["the system lets no file become that large", "raise the limit: ulimit -f unlimited"],
  EROFS: ["the disk is read-only", ELSEWHERE],
  EACCES: ["you may not write there", ELSEWHERE],
  EPERM: ["you may not write there", ELSEWHERE],
  ENOTDIR: ["part of its path is a file", ELSEWHERE],
  ENOTEMPTY: ["something was put there meanwhile", "name a folder that is not there yet"],
};

/**
 * Does some writing and says in words what the disk refuses.
 * @throws DeltapayError `ceremony/cannot-write`
 */
export function writing<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const known = Object.keys(WRITE_FAILURES).find((code) => hasCode(cause, code));
    if (known === undefined) throw cause;
    const [what, hint] = WRITE_FAILURES[known]!;
    const message = `${file} cannot be written: ${what}`;
    throw new DeltapayError("ceremony/cannot-write", message, { field: file, hint, cause });
  }
}

/**
 * A file of a ceremony; undefined when it is not there.
 * @throws DeltapayError `ceremony/cannot-read`: a folder in its place, no permission, a damaged disk
 */
function readIfThere(file: string): Uint8Array | undefined {
  try {
    return readFileIfThere(file);
  } catch (cause) {
    throw new DeltapayError("ceremony/cannot-read", `${file} cannot be read: ${(cause as Error).message}`, {
      field: file,
      hint: "fetch the folder again",
      cause,
    });
  }
}

const SAVED = /^[0-9]{4,}$/;

export class CeremonyFolder {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  file(...names: string[]): string {
    return path.join(this.directory, ...names);
  }

  get ptauFile(): string {
    return this.file("powers.ptau");
  }

  /** @throws DeltapayError `ceremony/cannot-write` */
  write(name: string, bytes: Uint8Array | string): void {
    const file = this.file(name);
    writing(file, () => {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      writeFileAtomic(file, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, 0o644);
    });
  }

  /** @throws DeltapayError `ceremony/no-ceremony`, `ceremony/malformed`, `ceremony/cannot-read` */
  parameters(): CeremonyParameters {
    const file = this.file("ceremony.json");
    const bytes = readIfThere(file);
    ensure(bytes !== undefined, "ceremony/no-ceremony", `there is no ceremony in ${this.directory}`, {
      field: file,
      hint: "begin one: deltapay ceremony init DIR --ptau FILE, or take part in one: deltapay ceremony join URL",
    });
    return parseParameters(new TextDecoder().decode(bytes), file);
  }

  /** The last complete round; 0 before any contribution. */
  round(): number {
    const rounds = this.file("rounds");
    if (!fs.existsSync(rounds)) return 0;
    return Math.max(
      0,
      ...fs
        .readdirSync(rounds)
        .filter((name) => SAVED.test(name))
        .map(Number),
    );
  }

  roundFile(round: number, name: string): string {
    return this.file("rounds", String(round).padStart(4, "0"), name);
  }

  /**
   * The key of a size after a round that is not 0.
   * @throws DeltapayError `ceremony/missing-key`, `ceremony/cannot-read`
   */
  key(round: number, size: number): Uint8Array {
    const file = this.roundFile(round, `${size}.zkey`);
    const bytes = readIfThere(file);
    ensure(bytes !== undefined, "ceremony/missing-key", `the key of size ${size} is not there`, {
      field: file,
      hint: "fetch the folder again",
    });
    return bytes;
  }

  /** @throws DeltapayError `ceremony/no-ceremony`, `ceremony/cannot-read` */
  ptau(): Uint8Array {
    const bytes = readIfThere(this.ptauFile);
    ensure(bytes !== undefined, "ceremony/no-ceremony", "the powers of tau are not there", {
      field: this.ptauFile,
      hint: "fetch the folder again",
    });
    return bytes;
  }
}
