/** The bearer token of the admin API: random, in a file of the data folder that only its owner reads. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import { createFileAtomic, readFileIfThere } from "../../storage/files.ts";

/** Path of the token file of a data folder. */
export function adminTokenFile(directory: string): string {
  return path.join(directory, "admin.token");
}

/**
 * The data folder's token, made at first use. Delete the file and start again for another one.
 * @throws DeltapayError `admin/token-exposed`, `admin/bad-token-file`
 */
export function adminToken(directory: string): string {
  const file = adminTokenFile(directory);
  createFileAtomic(file, new TextEncoder().encode(`${randomBytes(32).toString("hex")}\n`));
  if (process.platform !== "win32" && (fs.statSync(file).mode & 0o077) !== 0)
    throw new DeltapayError("admin/token-exposed", "others on this machine can read the admin token", {
      field: file,
      hint: "delete the file, a new token is made",
    });
  const token = new TextDecoder().decode(readFileIfThere(file)).trim();
  ensure(/^[0-9a-f]{64}$/.test(token), "admin/bad-token-file", "the admin token is not 32 bytes in hex", {
    field: file,
    hint: "delete the file, a new token is made",
  });
  return token;
}

/** Whether an Authorization header carries the token, in the same time whatever it carries. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer (\S{1,256})$/.exec(authorization ?? "")?.[1] ?? "";
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
