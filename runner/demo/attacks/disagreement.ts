/** Manifests that say something else than the registry. */
import { pinnedKey } from "../../keys/pinned.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { World } from "../world.ts";
import { type Attack, refused } from "./attack.ts";
import { type Forgery, honestAdapter, inspect, registerForgery } from "./forgery.ts";

/** The refusal of a forged adapter by a buyer. */
async function refusal(world: World, what: string, code: string, forgery: Forgery): Promise<string> {
  const { url } = await registerForgery(world, forgery);
  const { message } = await refused(what, code, () => inspect(world, url));
  return message;
}

export const groupsMismatch: Attack = {
  name: "groups-mismatch",
  expected:
    "several groups in the manifest, one in the registry, so that one proof settles all: refused before `open`",
  async run(world) {
    const { manifest, commitments } = await honestAdapter(world, 1);
    const how = await refusal(world, "the adapter", "manifest/groups", { manifest, commitments, groups: 1 });
    // both numbers alike, but not what the modules make
    const lie = { ...manifest, groups: 1 };
    const second = await refusal(world, "the adapter", "manifest/groups", { manifest: lie, commitments });
    return { how: `${how}; ${second}`, gained: 0n };
  },
};

export const keyMismatch: Attack = {
  name: "key-mismatch",
  expected: "commitments under one key, a verifier of another: refused before `open`",
  async run(world) {
    const { manifest, commitments } = await honestAdapter(world);
    const { verifiers } = world.contributor.ctx.deployment;
    const other = 2 * manifest.keySize + 2;
    const verifier = verifiers[String(manifest.keySize)]!.address;
    const hash = await refusal(world, "another vkHash", "manifest/key", {
      manifest: { ...manifest, vkHash: pinnedKey(other).vkHash },
      commitments,
      verifier,
    });
    const size = await refusal(world, "another key size", "manifest/key", {
      manifest: { ...manifest, keySize: other },
      commitments,
      verifier,
    });
    const elsewhere = await refusal(world, "another verifier", "manifest/key", {
      manifest,
      commitments,
      verifier: verifiers[String(other)]!.address,
    });
    return { how: [hash, size, elsewhere].join("; "), gained: 0n };
  },
};

export const contributorMismatch: Attack = {
  name: "contributor-mismatch",
  expected:
    "another's manifest and commitments registered as one's own, to be paid for them: refused before `open`",
  async run(world) {
    const { manifest, commitments } = await honestAdapter(world);
    const by = world.stranger;
    const copied = await refusal(world, "the copied adapter", "manifest/contributor", {
      manifest,
      commitments,
      by,
    });
    // under its own name the thief lacks the proofs of knowledge, which name the contributor
    const renamed = {
      ...manifest,
      contributor: by.account.address.toLowerCase() as `0x${string}`,
      adapterSalt: toHex(crypto.getRandomValues(new Uint8Array(32))),
    };
    const own = await refusal(world, "the renamed adapter", "manifest/knowledge", {
      manifest: renamed,
      commitments,
      by,
    });
    return { how: `${copied}; under its own name: ${own}`, gained: 0n };
  },
};
