/** BN254's two primes (EIP-196) and arithmetic modulo the scalar field. */

/** Order of G1, G2: the scalar field. Called p in the protocol. */
export const P = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
/** Base field of the curve: coordinates are below it. */
export const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

/** The representative in [0, p) of any integer. */
export function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}
