/** Groups that one word of a `GroupsSettled` event names: bit i of `bits` is group 256 * word + i. */
export function groupsOfBits(word: bigint, bits: bigint): number[] {
  const groups: number[] = [];
  for (let bit = 0n; bit < 256n; bit++) if ((bits >> bit) & 1n) groups.push(Number(256n * word + bit));
  return groups;
}
