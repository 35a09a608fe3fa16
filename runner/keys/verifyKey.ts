/** Re-runs everything that can be verified about a built key, for `deltapay keys verify`. */
import * as fs from "node:fs";
import { equalBytes, type Hex, toHex } from "../protocol/bytes.ts";
import { type Curve, loadCurve } from "../protocol/curve.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { decodeCommitKey, encodeCommitKey, vkHash } from "../protocol/key.ts";
import { describeKeyTrust } from "../protocol/keyTrust.ts";
import { checkKernel, checkShape, checkWireOrder } from "./checkCircuit.ts";
import { checkFromInitial, checkKeyPoints } from "./checkKey.ts";
import { compileCircuit } from "./compile.ts";
import { devPtau, devSecrets, type OnProgress } from "./devPtau.ts";
import { commitKeyOf } from "./fromZkey.ts";
import { pinnedKey } from "./pinned.ts";
import { readR1cs } from "./r1cs.ts";
import { devBeacon, domainPower, initialKey } from "./setup.ts";
import { isBuilt, keyPaths, readKeyInfo } from "./store.ts";
import { readZkey } from "./zkeyFile.ts";

export interface KeyCheck {
  check: string;
  ok: boolean;
  /** What was found: a hash or count when ok, else why not. */
  detail: string;
}

/** A check's name and its work, which returns what it found or throws. */
type Check = readonly [name: string, run: () => string | Promise<string>];

/** Runs all, also those after one that fails. Only DeltapayErrors are findings. */
export async function runChecks(
  checks: readonly Check[],
  onProgress: OnProgress = () => {},
): Promise<KeyCheck[]> {
  const results: KeyCheck[] = [];
  for (const [check, run] of checks) {
    onProgress(check, results.length, checks.length);
    try {
      results.push({ check, ok: true, detail: await run() });
    } catch (error) {
      if (!(error instanceof DeltapayError)) throw error;
      results.push({ check, ok: false, detail: `${error.code}: ${error.message}` });
    }
  }
  return results;
}

function same(found: Uint8Array, expected: Uint8Array, what: string): string {
  ensure(equalBytes(found, expected), "key/not-reproducible", `${what} differs from the rebuilt one`, {
    field: what,
  });
  return `sha256 ${toHex(sha256(found))}`;
}

/** Files of a built key, each read when a check first needs it. */
function readFiles(size: number) {
  const paths = keyPaths(size);
  const read = (path: string): Uint8Array => new Uint8Array(fs.readFileSync(path));
  return {
    r1cs: read(paths.r1cs),
    wasm: read(paths.wasm),
    zkey: read(paths.zkey),
    commitKey: read(paths.commitKey),
  };
}

/** @param what the hash is, in the message */
function requirePinned(hash: Hex, pinned: Hex, what: string, field: string): Hex {
  ensure(hash === pinned, "key/not-pinned", `${what} ${hash}, pinned ${pinned}`, { field });
  return hash;
}

/** Work that several checks share: done when the first one asks. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The checks of one key; the rebuilt circuit, powers of tau and initial key are shared between them. */
function checksOf(curve: Curve, size: number): Check[] {
  // what lies beside the files says what whoever handed them on wrote there
  const pinned = pinnedKey(size);
  const files = readFiles(size);
  const circuit = once(() => compileCircuit(size));
  const ptau = once(() => devPtau(curve, domainPower(size), devSecrets(size)));
  const initial = once(async () => initialKey(size, (await circuit()).r1cs, await ptau()));
  /** Of a key out of a ceremony `deltapay ceremony verify` says the same, from its transcript. */
  const madeFromSeed: Check[] = [
    [
      "from the moved initial key",
      async () => {
        await checkFromInitial(await initial(), await ptau(), files.zkey);
        return "bases equal those of r1cs and powers of tau; contributions changed delta alone";
      },
    ],
    ["reproducible", async () => same(files.zkey, await devBeacon(size, await initial()), "key.zkey")],
  ];
  return [
    [
      "circuit compiles to the key's r1cs",
      async () => same(files.r1cs, (await circuit()).r1cs, "lora_statement.r1cs"),
    ],
    ["witness generator", async () => same(files.wasm, (await circuit()).wasm, "lora_statement.wasm")],
    [
      "constraint count",
      () => {
        checkShape(readR1cs(files.r1cs), size);
        return `${size + 1} constraints, all inputs private`;
      },
    ],
    [
      "wire order",
      async () => {
        checkWireOrder((await circuit()).sym, size);
        return `yhat | h[${size}] | s[${size}] | blind`;
      },
    ],
    [
      "kernel",
      () => {
        checkKernel(readR1cs(files.r1cs), size);
        return `${2 * size + 2} committed wires are fixed by the matrices: commitments bind`;
      },
    ],
    [
      "points",
      () => {
        checkKeyPoints(curve, readZkey(files.zkey));
        return "finite, on the curve, distinct; gamma is the generator, delta is not";
      },
    ],
    ...(pinned.state === "dev" ? madeFromSeed : []),
    [
      "commit key",
      async () => {
        const derived = await commitKeyOf(curve, size, files.r1cs, readZkey(files.zkey));
        return same(files.commitKey, encodeCommitKey(derived), "commit-key.bin");
      },
    ],
    [
      "vkHash is pinned",
      () => {
        const hash = vkHash(decodeCommitKey(files.commitKey));
        return requirePinned(hash, pinned.vkHash, "vkHash", "vkHash");
      },
    ],
    [
      "key.zkey is pinned",
      () => {
        const hash = toHex(sha256(files.zkey));
        return `sha256 ${requirePinned(hash, pinned.zkeyHash, "sha256", "key.zkey")}`;
      },
    ],
    ["state", () => describeKeyTrust(pinned)],
  ];
}

/**
 * Verifies the built key of size L against its source, its seed and the pinned list.
 * @returns one entry a check; the key is good when all are ok
 * @throws DeltapayError `key/not-built`, `key/malformed` (info.json)
 */
export async function verifyKey(
  size: number,
  options: { onProgress?: OnProgress } = {},
): Promise<KeyCheck[]> {
  pinnedKey(size);
  const info = isBuilt(size) ? readKeyInfo(size) : undefined;
  if (info === undefined)
    throw new DeltapayError("key/not-built", `the key of size ${size} is not built`, {
      field: "size",
      hint: `run \`deltapay keys build --size ${size}\``,
    });
  return runChecks(checksOf(await loadCurve(), size), options.onProgress);
}
