/** The proving files of a key from the page's own server. */
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import { fillPath } from "../../../runner/wire/paths.ts";
import { PROVING_FILE_PATH, PROVING_FILES } from "../../../runner/wire/provingFiles.ts";
import type { ProvingFiles } from "./proveSession.ts";

async function fetchFile(size: number, name: string): Promise<Uint8Array> {
  const notServed = (cause?: unknown): DeltapayError =>
    new DeltapayError("key/not-served", `this page's server has no ${name} of the key for ${size} slots`, {
      field: name,
      hint: `choose the key's two files yourself: deltapay keys build --size ${size} says where they are`,
      cause,
    });
  let response: Response;
  try {
    response = await fetch(fillPath(PROVING_FILE_PATH, { size, name }));
  } catch (cause) {
    throw notServed(cause);
  }
  ensure(response.ok, "key/not-served", notServed().message, { field: name, hint: notServed().hint! });
  return new Uint8Array(await response.arrayBuffer());
}

/** Fetches both; who proves holds them against the pins. @throws DeltapayError `key/not-served` */
export async function fetchProvingFiles(size: number): Promise<ProvingFiles> {
  const [zkey, wasm] = await Promise.all([
    fetchFile(size, PROVING_FILES.zkey),
    fetchFile(size, PROVING_FILES.wasm),
  ]);
  return { zkey, wasm };
}
