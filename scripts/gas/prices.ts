/** Prices of the protocol, by the EIP that sets them: what no contract can go below. */

export const PRICE = {
  /** Of any transaction (the yellow paper's G_transaction). */
  transaction: 21_000n,
  /** EIP-2028. */
  calldataByte: 16n,
  calldataZeroByte: 4n,
  /** EIP-1108. */
  pairing: 45_000n,
  pairingPair: 34_000n,
  curveMul: 6_000n,
  curveAdd: 150n,
  /** The precompile that recovers a signer. */
  recover: 3_000n,
  /** EIP-2929: the first access of an account or a slot in a transaction. */
  coldAccount: 2_600n,
  coldSlot: 2_100n,
  /** EIP-2200 and EIP-2929: a slot from zero, and one from one value to another, after its first access. */
  newSlot: 20_000n,
  changedSlot: 2_900n,
} as const;

/** Zero and other bytes by EIP-2028. @param data hex with 0x */
export function calldataGas(data: string): bigint {
  const bytes = Buffer.from(data.slice(2), "hex");
  const zeros = bytes.filter((byte) => byte === 0).length;
  return PRICE.calldataZeroByte * BigInt(zeros) + PRICE.calldataByte * BigInt(bytes.length - zeros);
}

/** n + 3 pairings for n proofs, 4 for one. */
export function pairingGas(proofs: number): bigint {
  return PRICE.pairing + PRICE.pairingPair * BigInt(proofs + 3);
}

/** A batch weighs A, V and C of every proof and sums V and C; alpha_1 is weighted once. One proof needs none of it. */
export function curveGas(proofs: number): bigint {
  if (proofs === 1) return 0n;
  return PRICE.curveMul * BigInt(3 * proofs + 1) + PRICE.curveAdd * BigInt(2 * proofs);
}

/**
 * Storage of a settlement that completes an agreement's first receipt and is the payout's first income: the seven slots
 * of the agreement, one of them changed, the four of the adapter, and two new ones: the bitmap of groups and the credit.
 */
export function storageGas(): bigint {
  const { coldSlot, newSlot, changedSlot } = PRICE;
  return (7n + 4n + 2n) * coldSlot + 2n * newSlot + changedSlot;
}
