/** A folder for the files of a target that reads files; gone with the process. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export function fuzzFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-fuzz-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}
