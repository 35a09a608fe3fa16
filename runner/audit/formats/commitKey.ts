/** Commit key file and vkHash (docs/protocol.md 3). */
import { keccak256 } from "ethers";
import { type Hex, Reader } from "../primitives/bytes.ts";
import { type PointG1, type PointG2, pointG1, pointG2, pointsG1, words } from "../primitives/curve.ts";
import { tag, taggedKeccak } from "../primitives/hashes.ts";
import { Wrong } from "../problem.ts";

/** Largest key size; a file that says more is refused before anything is allocated. */
const MAX_SIZE = 8190;

export interface CommitKey {
  /** L. */
  size: number;
  r1csHash: Hex;
  vkHash: Hex;
  alpha: PointG1;
  beta: PointG2;
  gamma: PointG2;
  delta: PointG2;
  ic0: PointG1;
  /** Base of the answer, of each h, of each s, of the blind. */
  I: PointG1;
  H: PointG1[];
  S: PointG1[];
  Z: PointG1;
}

/**
 * Parses a commit key file and computes its vkHash.
 * @throws Wrong for malformed bytes, infinity, and bases that are equal or opposite
 */
export function readCommitKey(bytes: Uint8Array): CommitKey {
  const file = new Reader(bytes, "the commit key file");
  file.magic(tag("commit-key"));
  const size = file.u32();
  if (size < 1 || size > MAX_SIZE) throw new Wrong(`there is no key of ${size} slots`);
  const r1csHash = file.hex(32);
  const alphaWords = words(file.take(64));
  const [betaWords, gammaWords, deltaWords] = [0, 1, 2].map(() => words(file.take(128)));
  const ic0Words = words(file.take(64));
  const encodedBases = file.take(64 * (2 * size + 2));
  file.end();
  const vkHash = taggedKeccak(
    "verifying-key",
    [
      "uint256",
      "bytes32",
      "uint256",
      "uint256[2]",
      "uint256[4]",
      "uint256[4]",
      "uint256[4]",
      "uint256[2]",
      "bytes32",
    ],
    [1, r1csHash, size, alphaWords, betaWords, gammaWords, deltaWords, ic0Words, keccak256(encodedBases)],
  );
  const bases = pointsG1(encodedBases, "base");
  const ic0 = pointG1(ic0Words, "IC_0");
  refuseRelated([ic0, ...bases]);
  return {
    size,
    r1csHash,
    vkHash,
    alpha: pointG1(alphaWords, "alpha_1"),
    beta: pointG2(betaWords!, "beta_2"),
    gamma: pointG2(gammaWords!, "gamma_2"),
    delta: pointG2(deltaWords!, "delta_2"),
    ic0,
    I: bases[0]!,
    H: bases.slice(1, 1 + size),
    S: bases.slice(1 + size, 1 + 2 * size),
    Z: bases.at(-1)!,
  };
}

/** Equal or opposite points have one x. */
function refuseRelated(points: readonly PointG1[]): void {
  const seen = new Set(points.map((point) => point.toAffine().x));
  if (seen.size !== points.length) throw new Wrong("two bases of the key are equal or opposite");
}
