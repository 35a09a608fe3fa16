/** A registered adapter over the key of 14 slots, accounts, terms and an agreement, small enough for many tests. */
import { privateKeyToAccount } from "viem/accounts";
import type { RegistryEntry } from "../../runner/buyer/client/discover.ts";
import type { Release, ReleasedVerifier } from "../../runner/buyer/opening/release.ts";
import { loadCommitKey } from "../../runner/keys/load.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { vkHash } from "../../runner/protocol/key.ts";
import {
  type Registration,
  type RegistrationInput,
  registerAdapter,
} from "../../runner/protocol/registration.ts";
import { type Domain, type Offer, type ServiceRecord, typedData } from "../../runner/protocol/typedData.ts";
import { REGISTRY, registrationInput, type Shape } from "../protocol/scenario.ts";

export { REGISTRY };
export const contributor = privateKeyToAccount(`0x${"11".repeat(32)}`);
export const buyer = privateKeyToAccount(`0x${"22".repeat(32)}`);
export const stranger = privateKeyToAccount(`0x${"33".repeat(32)}`);
export const ADAPTER = toHex(new Uint8Array(32).fill(5));
export const DOMAIN: Domain = { chainId: 31337n, escrow: "0x00000000000000000000000000000000000000ee" };
export const VERIFIER = "0x00000000000000000000000000000000000000cc";
export const CODE_HASH = toHex(new Uint8Array(32).fill(9));

/** q and k read one x and share a group; v reads another and has its own. */
export const SHAPES: Shape[] = [
  { dIn: 6, dOut: 5, r: 3, group: 0 },
  { dIn: 6, dOut: 4, r: 2, group: 0 },
  { dIn: 7, dOut: 3, r: 2, group: 1 },
];

export interface Adapter {
  input: RegistrationInput;
  registration: Registration;
  entry: RegistryEntry;
  release: Release;
}

/** Registers an adapter of `contributor` with random weights. */
export async function makeAdapter(change: Partial<RegistrationInput> = {}): Promise<Adapter> {
  const curve = await loadCurve();
  const commitKey = await loadCommitKey(14);
  const vk = vkHash(commitKey);
  const input: RegistrationInput = {
    ...registrationInput(SHAPES, 14, vk),
    contributor: contributor.address,
    ...change,
  };
  const registration = await registerAdapter(curve, await decodeKeyPoints(curve, commitKey), input);
  const verifier: ReleasedVerifier = {
    size: 14,
    address: VERIFIER,
    codeHash: CODE_HASH,
    vkHash: vk,
    state: "dev",
  };
  return {
    input,
    registration,
    entry: {
      contributor: contributor.address,
      verifier: VERIFIER,
      verifierCodeHash: CODE_HASH,
      manifestHash: registration.manifestHash,
      groups: 2,
    },
    release: { verifiers: [verifier] },
  };
}

/** What the base model has. */
export const TARGETS = SHAPES.map(({ dIn, dOut }, m) => ({ modulePath: `layer.${m}`, dIn, dOut }));

export const NOW = BigInt(Math.floor(Date.now() / 1000));

export function makeOffer(change: Partial<Offer> = {}): Offer {
  return {
    adapterId: ADAPTER,
    payout: contributor.address.toLowerCase() as `0x${string}`,
    token: `0x${"0".repeat(40)}`,
    pricePerToken: 10n,
    openingFee: 50n,
    maxUnpaidTokens: 8n,
    tokenCap: 100n,
    minDuration: 3600n,
    closeWindow: 600n,
    maxOpens: 2n,
    nonce: 1n,
    expiry: NOW + 3600n,
    ...change,
  };
}

/** The offer signed by `contributor`, or by another account. */
export async function signOffer(offer: Offer, account = contributor, domain = DOMAIN) {
  return { offer, signature: await account.signTypedData(typedData(domain, "Offer", offer)) };
}

export async function signRecord(record: ServiceRecord, account = contributor) {
  return account.signTypedData(typedData(DOMAIN, "ServiceRecord", record));
}

export const NO_CERTIFICATE = toHex(new Uint8Array(32));
