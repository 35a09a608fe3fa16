/** The user's folder for programs' data, as each system has it. */
import * as os from "node:os";
import * as path from "node:path";

export function userDataDirectory(): string {
  const home = os.homedir();
  if (process.platform === "win32") return process.env["LOCALAPPDATA"] ?? path.join(home, "AppData", "Local");
  if (process.platform === "darwin") return path.join(home, "Library", "Application Support");
  return process.env["XDG_DATA_HOME"] || path.join(home, ".local", "share");
}
