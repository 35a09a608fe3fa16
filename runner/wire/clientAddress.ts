/** Whom an address belongs to, as far as limits go. */

/** One address of IPv4; of IPv6 the /64 network, all of which one client owns. */
export function clientOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [left, right] = address.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const zeros = 8 - left!.length - (right?.length ?? 0);
  return [...left!, ...Array.from({ length: zeros }, () => "0"), ...(right ?? [])].slice(0, 4).join(":");
}
