/** Output scales b, kept from everyone until `open`, and their check against the manifest (protocol 1). */
import { equalBytes, fromHex, takeFrom } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { decodeScales, type Manifest, scalesHash } from "../../protocol/manifest.ts";

const SALT_BYTES = 32;

/** Length of the scales message: scaleSalt, then b of every module. */
export function scalesBytes(manifest: Manifest): number {
  return manifest.modules.reduce((sum, { shape: [, dOut] }) => sum + 8 * dOut, SALT_BYTES);
}

/**
 * b of every module, each checked against the hash its manifest holds.
 * @throws DeltapayError `scales/bad-length`, `scales/out-of-range`, `scales/hash`, `scales/zero-module` naming the module
 */
export function checkScales(manifest: Manifest, bytes: Uint8Array): Float64Array[] {
  if (bytes.length !== scalesBytes(manifest))
    throw new DeltapayError("scales/bad-length", `${bytes.length} bytes, expected ${scalesBytes(manifest)}`, {
      field: "scales",
    });
  const take = takeFrom(bytes);
  const salt = take(SALT_BYTES);
  return manifest.modules.map(({ name, shape: [, dOut], scalesHash: expected }, m) => {
    const b = decodeScales(take(8 * dOut), dOut, `${name}.b`);
    if (!equalBytes(scalesHash(salt, m, b), fromHex(expected, 32)))
      throw new DeltapayError(
        "scales/hash",
        `the scales of '${name}' are not the ones that were registered`,
        {
          field: `${name}.b`,
          hint: "do not send activations; close the agreement to get the money back",
        },
      );
    if (b.every((scale) => scale === 0))
      throw new DeltapayError("scales/zero-module", `'${name}' is all zero: it would change nothing`, {
        field: `${name}.b`,
        hint: "send nothing; close the agreement to get the money back",
      });
    return b;
  });
}
