/** What the operating system and SQLite refuse, in words that name the file or port and say what to do. */
import { DeltapayError } from "../protocol/errors.ts";

type Words = readonly [problem: string, hint: string];

/** By Node's `error.code`: errno(3). */
const OF_SYSTEM: Readonly<Record<string, Words>> = {
  ENOENT: ["is not there", "see that the name is right"],
  EACCES: ["may not be used by this user", "change its permissions, or choose another"],
  EPERM: ["may not be used by this user", "change its permissions, or choose another"],
  EISDIR: ["is a folder, not a file", "name a file"],
  ENOTDIR: ["has a file where a folder should be", "name a folder"],
  EEXIST: ["is there already", "choose another name"],
  ENOTEMPTY: ["is not empty", "choose an empty folder"],
  EROFS: ["lies on a disk that cannot be written", "choose another place"],
  ENOSPC: ["cannot be written: the disk is full", "free some space and run the command again"],
  EDQUOT: ["cannot be written: the quota is used up", "free some space and run the command again"],
  EIO: ["cannot be read or written: the disk fails", "look after the disk; choose another place"],
  EMFILE: [
    "cannot be opened: too many files are open",
    "raise the limit (ulimit -n) and run the command again",
  ],
  ENAMETOOLONG: ["has too long a name", "choose a shorter one"],
  EADDRINUSE: ["is in use", "another program listens there: stop it, or choose another --port"],
  EADDRNOTAVAIL: ["is no address of this machine", "choose another --host"],
};

/** By the primary result code of SQLite, https://sqlite.org/rescode.html. */
const OF_SQLITE: Readonly<Record<number, Words>> = {
  5: ["is locked by another process", "end the other command that uses this data folder, or wait for it"],
  8: ["cannot be written", "change its permissions, or choose another --data"],
  10: ["cannot be read or written: the disk fails or is full", "free some space, or look after the disk"],
  11: ["is damaged", "bring a backup back: deltapay restore"],
  13: ["cannot be written: the disk is full", "free some space and run the command again"],
  14: ["cannot be opened", "change its permissions, or choose another --data"],
  26: ["is no database", "see that --data names the right folder; or bring a backup back: deltapay restore"],
};

interface SystemError extends Error {
  code?: string;
  path?: string;
  dest?: string;
  address?: string;
  port?: number;
  errcode?: number;
}

function whatOf({ path, address, port }: SystemError): string | undefined {
  if (path !== undefined) return path;
  return port === undefined ? undefined : `port ${port} of ${address ?? "this machine"}`;
}

function said(
  code: string,
  subject: string | undefined,
  [problem, hint]: Words,
  cause: Error,
): DeltapayError {
  return new DeltapayError(code, `${subject ?? "what the command needs"} ${problem}`, {
    ...(subject === undefined ? {} : { field: subject }),
    hint,
    cause,
  });
}

/**
 * The error of the system in the form of this project; undefined when it is none that is known.
 * Codes are `system/` and the system's own, `system/enospc`.
 */
export function systemError(error: unknown): DeltapayError | undefined {
  if (!(error instanceof Error)) return undefined;
  const system = error as SystemError;
  if (system.code === "ERR_SQLITE_ERROR" && system.errcode !== undefined) {
    const words = OF_SQLITE[system.errcode & 0xff];
    return (
      words && said(`system/sqlite-${system.errcode & 0xff}`, "the data folder's database", words, error)
    );
  }
  const words = OF_SYSTEM[system.code ?? ""];
  return words && said(`system/${system.code!.toLowerCase()}`, whatOf(system), words, error);
}
