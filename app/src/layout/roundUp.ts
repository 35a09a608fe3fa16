/** To three digits: a bound needs no more. */
export function roundUp(value: bigint): bigint {
  const unit = 10n ** BigInt(Math.max(0, value.toString().length - 3));
  return ((value + unit - 1n) / unit) * unit;
}
