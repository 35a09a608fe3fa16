/**
 * The public part of a proving key that both parties commit with, and its hash (protocol 3).
 *
 * A key of size L proves `yhat = sum s_k h_k` for L slots. Its committed wires, in order, are
 * yhat | h[L] | s[L] | blind; their IC points are the Pedersen bases I, H_k, S_k, Z.
 */
import { encodeAbiParameters, keccak256 } from "viem";
import { concatBytes, type Hex, tag, takeFrom, toHex } from "./bytes.ts";
import { DeltapayError } from "./errors.ts";
import { FILE_MAGICS, PROTOCOL_VERSION, TAGS } from "./tags.ts";

/** Key sizes: L = 2^n - 2 for n = 4..13, each fills the evaluation domain 2^n. The only list; circuits are built from it. */
export const KEY_SIZES = [14, 30, 62, 126, 254, 510, 1022, 2046, 4094, 8190] as const;

/** Public key material. Points are uncompressed big-endian: G1 64 bytes (x, y), G2 128 bytes in EIP-197 order (x_im, x_re, y_im, y_re). */
export interface CommitKey {
  /** L, the number of slots. */
  size: number;
  /** SHA-256 of the .r1cs file. */
  r1csHash: Uint8Array;
  alpha1: Uint8Array;
  beta2: Uint8Array;
  gamma2: Uint8Array;
  delta2: Uint8Array;
  ic0: Uint8Array;
  /** (2L+2) * 64 bytes in the order I | H_0..H_{L-1} | S_0..S_{L-1} | Z. */
  bases: Uint8Array;
}

const MAGIC = tag(FILE_MAGICS.commitKey);
const HEADER = 32 + 4 + 32 + 64 + 3 * 128 + 64;

/** A key with the hash of its bases in their place: all that `vkHash` covers. */
export type VerifyingKey = Omit<CommitKey, "bases"> & { basesHash: Hex };

/** keccak256 of the bases. */
export function verifyingKey({ bases, ...key }: CommitKey): VerifyingKey {
  return { ...key, basesHash: keccak256(bases) };
}

/** keccak256(abi.encode(tag, protocol version, r1cs hash, L, alpha_1, beta_2, gamma_2, delta_2, IC_0, keccak256(bases))). */
export function vkHash(key: CommitKey): Hex {
  return verifyingKeyHash(verifyingKey(key));
}

/** `vkHash` of a key whose bases are known by their hash. */
export function verifyingKeyHash(key: VerifyingKey): Hex {
  const words = (bytes: Uint8Array): bigint[] =>
    Array.from({ length: bytes.length / 32 }, (_, i) => BigInt(toHex(bytes.subarray(32 * i, 32 * i + 32))));
  return keccak256(
    encodeAbiParameters(
      [
        { type: "bytes32" },
        { type: "uint256" },
        { type: "bytes32" },
        { type: "uint256" },
        { type: "uint256[2]" },
        { type: "uint256[4]" },
        { type: "uint256[4]" },
        { type: "uint256[4]" },
        { type: "uint256[2]" },
        { type: "bytes32" },
      ],
      [
        toHex(tag(TAGS.verifyingKey)),
        BigInt(PROTOCOL_VERSION),
        toHex(key.r1csHash),
        BigInt(key.size),
        words(key.alpha1) as [bigint, bigint],
        words(key.beta2) as [bigint, bigint, bigint, bigint],
        words(key.gamma2) as [bigint, bigint, bigint, bigint],
        words(key.delta2) as [bigint, bigint, bigint, bigint],
        words(key.ic0) as [bigint, bigint],
        key.basesHash,
      ],
    ),
  );
}

/** Layout: magic 32 | L u32 LE | r1csHash 32 | alpha1 64 | beta2 128 | gamma2 128 | delta2 128 | IC_0 64 | bases. */
export function encodeCommitKey(key: CommitKey): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, key.size, true);
  return concatBytes(
    MAGIC,
    size,
    key.r1csHash,
    key.alpha1,
    key.beta2,
    key.gamma2,
    key.delta2,
    key.ic0,
    key.bases,
  );
}

/**
 * Parses `encodeCommitKey`'s layout. Checks lengths only; `checkCommitKey` checks the points.
 * @throws DeltapayError `key/malformed`
 */
export function decodeCommitKey(bytes: Uint8Array): CommitKey {
  const fail = (what: string): never => {
    throw new DeltapayError("key/malformed", `commit key file: ${what}`, {
      hint: "rebuild it with `deltapay keys build`",
    });
  };
  if (bytes.length < HEADER) fail("shorter than its header");
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) fail("wrong magic");
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(32, true);
  if (!(KEY_SIZES as readonly number[]).includes(size)) fail(`L = ${size} is not a key size`);
  if (bytes.length !== HEADER + (2 * size + 2) * 64) fail("length does not match L");
  const take = takeFrom(bytes.slice(), 36);
  return {
    size,
    r1csHash: take(32),
    alpha1: take(64),
    beta2: take(128),
    gamma2: take(128),
    delta2: take(128),
    ic0: take(64),
    bases: take((2 * size + 2) * 64),
  };
}
