/** A folder for one test, removed after it. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export function temporaryDirectory(context: { after(work: () => void): void }): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-test-"));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}
