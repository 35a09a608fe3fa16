/** Other code than the release's, and keys that anyone can forge under. */
import { concat, encodeAbiParameters } from "viem";
import { contractCode } from "../../chain/bytecode.ts";
import { pinnedKey } from "../../keys/pinned.ts";
import type { Hex } from "../../protocol/bytes.ts";
import type { Address } from "../../protocol/typedData.ts";
import { deployAttacker, deployCode } from "../attacks/attackerContracts.ts";
import type { Market } from "./sale.ts";
import { asSold, type Tampering } from "./tampering.ts";

/** Size of the key that sales are made under. */
const KEY_SIZE = 14;

const strangerOf = ({ stranger }: Market) => ({ account: stranger.account, ctx: stranger });

const trueVerifier = (market: Market): Promise<Address> =>
  deployAttacker(strangerOf(market), "TrueVerifier", { type: "bytes32", value: pinnedKey(KEY_SIZE).vkHash });

/** The release's escrow once more, at an address that is not the release's. */
function anotherEscrow(market: Market): Promise<Address> {
  const registry = encodeAbiParameters([{ type: "address" }], [market.contributor.deployment.registry]);
  return deployCode(strangerOf(market), concat([contractCode("LoraEscrow").bytecode, registry]));
}

export const CODE_TAMPERINGS: readonly Tampering[] = [
  {
    name: "swapped-verifier",
    what: "the verifier's code was exchanged for one that accepts everything",
    caughtBy: ["code"],
    says: /the verifier 0x[0-9a-f]{40} has code/,
    tamper: async (market) => {
      const code = await market.request<Hex>("eth_getCode", [await trueVerifier(market), "latest"]);
      const { address } = market.contributor.deployment.verifiers[String(KEY_SIZE)]!;
      await market.request("hardhat_setCode", [address, code]);
      return {};
    },
  },
  {
    name: "swapped-escrow",
    what: "the escrow's code is not the release's",
    caughtBy: ["code"],
    says: /the escrow 0x[0-9a-f]{40} has code/,
    tamper: async (market) => {
      const { escrow } = market.contributor.deployment;
      const code = await market.request<Hex>("eth_getCode", [escrow, "latest"]);
      await market.request("hardhat_setCode", [escrow, `${code}00`]);
      return {};
    },
  },
  {
    name: "true-verifier",
    what: "the adapter was registered with a verifier that accepts everything",
    caughtBy: ["code", "key"],
    says: /verifier 0x[0-9a-f]{40} is none of this release/,
    terms: { verifier: trueVerifier },
    tamper: asSold,
  },
  {
    name: "foreign-escrow",
    what: "the agreement lies in an escrow that is not the release's",
    caughtBy: ["code"],
    says: /the escrow 0x[0-9a-f]{40} is not this release's/,
    terms: { escrow: anotherEscrow },
    tamper: asSold,
  },
  {
    name: "dev-key",
    what: "a key whose secrets are public, on a chain that is not local",
    caughtBy: ["key-trust"],
    says: /anyone can forge proofs under this key/,
    chainId: 31338,
    tamper: asSold,
  },
];
