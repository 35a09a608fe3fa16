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
  {
    name: "fee-unlimited",
    attack: "an opening fee of all the buyer has, taken with the agreement",
    file: "runner/buyer/offer.ts",
    find: "  if (offer.openingFee > maxFee)\n",
    replace: "  if (false)\n",
    test: "test/buyer/open.test.ts",
    pattern: "a fee that was not agreed to",
  },
  {
    name: "fee-not-compared",
    attack: "a low price that hides a high opening fee",
    file: "runner/buyer/chooseOffer.ts",
    find: "cost: openingFee + pricePerToken * tokens",
    replace: "cost: pricePerToken * tokens",
    test: "test/buyer/chooseOffer.test.ts",
    pattern: "with the opening fee spread",
  },
  {
    name: "tokens-compared",
    attack: "an offer in a token whose units look cheap",
    file: "runner/buyer/chooseOffer.ts",
    find: ".filter(({ offer }) => BigInt(offer.token) === BigInt(token))",
    replace: ".slice()",
    test: "test/buyer/chooseOffer.test.ts",
    pattern: "never compared",
  },
  {
    name: "allowance-left",
    attack: "an allowance greater than the payment stays with the escrow",
    file: "runner/chain/erc20.ts",
    find: "if (allowed === amount) return;",
    replace: "if (allowed >= amount) return;",
    test: "test/chain/escrow.test.ts",
    pattern: "in an ERC-20 approves",
  },
];
