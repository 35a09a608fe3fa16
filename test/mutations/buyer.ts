/** Checks on the buyer's side that no attack of the demonstration covers. */
import type { Mutation } from "./list.ts";

export const BUYER_MUTATIONS: readonly Mutation[] = [
  {
    name: "note-unsealed",
    attack: "a note that an adapter was verified, planted in the buyer's folder",
    file: "runner/buyer/adapterCache.ts",
    find: "    if (!timingSafeEqual(mac, this.#mac(files, sums))) return undefined;\n",
    replace: "",
    test: "test/buyer/verifyAdapter.test.ts",
    pattern: "takes no check away",
  },
];
