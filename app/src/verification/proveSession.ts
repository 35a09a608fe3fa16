/** Proves a session from its witnesses. They, and what snarkjs calls public, end here: the bundle has nothing secret. */
import { type Hex, toHex, wordsBytes } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import { sha256 } from "../../../runner/protocol/hash.ts";
import { Prover } from "../../../runner/prover/prove.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import type { ProvableSession } from "../../../runner/wire/sessionFile.ts";
import { modulesOf } from "./bundleFile.ts";
import { type ReleaseKey, requireReleaseKey } from "./releaseKey.ts";

/** The two files one proves with. */
export interface ProvingFiles {
  zkey: Uint8Array;
  /** Witness generator. */
  wasm: Uint8Array;
}

/** Hears of each group as its proof is made and verified. */
export type OnProof = (
  proof: { group: number; modules: string[]; ms: number },
  done: number,
  total: number,
) => void;

/** A file of the key, seen to be the one the release pins. */
function requirePinned(bytes: Uint8Array, hash: Hex, name: string): Uint8Array {
  const found = toHex(sha256(bytes));
  ensure(found === hash, "key/not-pinned", `${name} is not the release's: its SHA-256 is ${found}`, {
    field: name,
    hint: `take it from a release of this version; its SHA-256 is ${hash}`,
  });
  return bytes;
}

/**
 * The bundle of a session.
 * @throws DeltapayError `key/...`, `prover/...`, `session-file/malformed`
 */
export async function proveSession(
  session: ProvableSession,
  files: ProvingFiles,
  release: readonly ReleaseKey[],
  onProof: OnProof = () => {},
): Promise<ProofBundle> {
  const { keySize, modules, witnesses, ...bundle } = session;
  const key = requireReleaseKey(release, session.vkHash);
  ensure(key.size === keySize, "session-file/malformed", `the key has ${key.size} slots, not ${keySize}`, {
    field: "session.keySize",
  });
  const prover = new Prover({
    zkey: requirePinned(files.zkey, key.zkeyHash, "key.zkey"),
    wasm: requirePinned(files.wasm, key.wasmHash, "lora_statement.wasm"),
    commitKey: key.vk,
  });
  const claims: ProofBundle["claims"] = [];
  for (const { group, ...witness } of witnesses) {
    const started = performance.now();
    const statement = session.V[group];
    if (statement === undefined)
      throw new DeltapayError("session-file/malformed", `there is no statement of group ${group}`, {
        field: "session.V",
      });
    const proof = await prover.prove(witness, wordsBytes(statement));
    claims.push({ group, ...proof });
    const ms = performance.now() - started;
    onProof({ group, modules: modulesOf(modules, group), ms }, claims.length, witnesses.length);
  }
  return { ...bundle, claims };
}
