/** The key files a page proves with, as they lie on this machine; the page holds them against the pinned hashes. */
import * as fs from "node:fs";
import type { FastifyInstance } from "fastify";
import { keyPaths } from "../keys/store.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { KEY_SIZES } from "../protocol/key.ts";
import { hasCode } from "../storage/files.ts";
import { PROVING_FILE_PATH, PROVING_FILES } from "../wire/provingFiles.ts";

/** Which file a path asks for. Nothing of the path itself reaches the file system. */
function fileOf(size: string, name: string): string {
  const slots = KEY_SIZES.find((known) => String(known) === size);
  const kind = (["zkey", "wasm"] as const).find((known) => PROVING_FILES[known] === name);
  ensure(slots !== undefined && kind !== undefined, "wire/not-found", "there is no such file", {
    field: "path",
  });
  return keyPaths(slots)[kind];
}

/** Serves the proving files of every key that is built. */
export function serveProvingFiles(app: FastifyInstance): void {
  app.get<{ Params: { size: string; name: string } }>(PROVING_FILE_PATH, async ({ params }, reply) => {
    const file = fileOf(params.size, params.name);
    try {
      const { size } = await fs.promises.stat(file);
      return reply
        .type("application/octet-stream")
        .header("content-length", size)
        .header("cache-control", "no-cache")
        .send(fs.createReadStream(file));
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      throw new DeltapayError("wire/not-found", `the key of ${params.size} slots is not built here`, {
        field: "path",
        hint: `deltapay keys build --size ${params.size}`,
      });
    }
  });
}
