/** One proof in two spellings: snarkjs's JSON and the words a contract takes. Nothing else converts between them. */
import type { Groth16Proof } from "snarkjs";

/** As `settle` takes it: b is x_imaginary, x_real, y_imaginary, y_real (EIP-197). */
export interface Proof {
  a: [bigint, bigint];
  b: [bigint, bigint, bigint, bigint];
  c: [bigint, bigint];
}

const word = (text: string | undefined): bigint => BigInt(text!);

/** From snarkjs, which writes affine points with a third coordinate, and G2 with the real part first. */
export function proofFromSnarkjs({ pi_a, pi_b, pi_c }: Groth16Proof): Proof {
  return {
    a: [word(pi_a[0]), word(pi_a[1])],
    b: [word(pi_b[0]?.[1]), word(pi_b[0]?.[0]), word(pi_b[1]?.[1]), word(pi_b[1]?.[0])],
    c: [word(pi_c[0]), word(pi_c[1])],
  };
}

/** The reverse of `proofFromSnarkjs`. */
export function proofToSnarkjs({ a, b, c }: Proof): Groth16Proof {
  return {
    pi_a: [...a.map(String), "1"],
    pi_b: [
      [String(b[1]), String(b[0])],
      [String(b[3]), String(b[2])],
      ["1", "0"],
    ],
    pi_c: [...c.map(String), "1"],
    protocol: "groth16",
    curve: "bn128",
  };
}
