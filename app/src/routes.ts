/** Pages by the part of the address after `#`. */
import type { Hex } from "../../runner/protocol/bytes.ts";

export type Route =
  | { page: "contributor" }
  | { page: "buyer" }
  | { page: "adapters" }
  | { page: "agreement"; agreementId?: Hex }
  | { page: "unknown" };

/** The page a hash names; no hash is the list of adapters. */
export function parseRoute(hash: string): Route {
  const [page, argument, ...rest] = hash
    .replace(/^#?\/?/, "")
    .split("?")[0]!
    .split("/");
  if (rest.length > 0) return { page: "unknown" };
  if (page === "" && argument === undefined) return { page: "adapters" };
  if ((page === "contributor" || page === "buyer" || page === "adapters") && argument === undefined)
    return { page };
  if (page === "agreement" && !argument) return { page };
  if (page === "agreement" && /^0x[0-9a-fA-F]{64}$/.test(argument!))
    return { page, agreementId: argument!.toLowerCase() as Hex };
  return { page: "unknown" };
}

/** The hash of a page. */
export function routeHash(route: Exclude<Route, { page: "unknown" }>): string {
  if (route.page === "agreement" && route.agreementId !== undefined)
    return `#/agreement/${route.agreementId}`;
  return `#/${route.page}`;
}
