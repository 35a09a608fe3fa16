/** The gateway: who may spend, and how much. */
import type { Mutation } from "./list.ts";

const file = "runner/gateway/access.ts";
const test = "test/gateway/access.test.ts";

export const GATEWAY_MUTATIONS: readonly Mutation[] = [
  {
    name: "gateway-origin",
    attack: "a web page open in the owner's browser spends the owner's deposit",
    file,
    find: "if (headers.origin !== undefined)",
    replace: "if (false)",
    test,
    pattern: "origin is refused",
  },
  {
    name: "gateway-rebound-name",
    attack: "a web page rebinds its own name to the gateway's address and spends without an Origin",
    file,
    find: "if (hosts !== undefined && !hosts.includes(hostName(headers.host)))",
    replace: "if (false)",
    test,
    pattern: "a name rebound",
  },
  {
    name: "gateway-key",
    attack: "whoever reaches the gateway spends the owner's deposit",
    file,
    find: "if (!timingSafeEqual(digest(given), digest(apiKey)))",
    replace: "if (false)",
    test,
    pattern: "without the key",
  },
  {
    name: "gateway-budget",
    attack: "a client spends more than the run's budget",
    file: "runner/gateway/purse.ts",
    find: "    if (cost > left)\n",
    replace: "    if (cost < 0n)\n",
    test,
    pattern: "share one budget",
  },
];
