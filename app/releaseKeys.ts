/** The contracts and verifying keys of this release, put together from pins and generated verifiers when the page is built. */
import { readFileSync } from "node:fs";
import { contractsOfRelease } from "../runner/chain/releaseContracts.ts";
import { releaseVerifiers, verifierName } from "../runner/chain/verifiers.ts";
import { pinnedKey } from "../runner/keys/pinned.ts";
import type { Hex } from "../runner/protocol/bytes.ts";
import { ensure } from "../runner/protocol/errors.ts";
import { verifyingKeyHash } from "../runner/protocol/key.ts";
import type { Address } from "../runner/protocol/typedData.ts";
import { decodeVerifyingKey, type ReleaseKey } from "./src/verification/releaseKey.ts";

/** The words of one point of a generated verifier, in the order the contract has them, which is that of the files. */
function pointOf(source: string, name: string): Hex {
  const assignment = new RegExp(`key\\.${name} = \\[([^\\]]+)\\]`).exec(source);
  const words = assignment?.[1]?.match(/0x[0-9a-f]{64}/g) ?? [];
  return `0x${words.map((word) => word.slice(2)).join("")}`;
}

/**
 * All keys of the release by ascending size; each hashes to the vkHash that is pinned.
 * @throws DeltapayError `key/not-pinned`
 */
export function releaseKeys(): ReleaseKey[] {
  return releaseVerifiers().map(({ size, address, codeHash, vkHash, ...trust }) => {
    const { r1csHash, ic0, basesHash, zkeyHash, wasmHash } = pinnedKey(size);
    const path = new URL(`../contracts/verifiers/${verifierName(size)}.sol`, import.meta.url);
    const source = readFileSync(path, "utf8");
    const points = {
      alpha1: pointOf(source, "alpha1"),
      beta2: pointOf(source, "beta2"),
      gamma2: pointOf(source, "gamma2"),
      delta2: pointOf(source, "delta2"),
      ic0,
    };
    const key = {
      size,
      vkHash,
      verifier: address,
      codeHash,
      trust,
      r1csHash,
      basesHash,
      zkeyHash,
      wasmHash,
      points,
    };
    const found = verifyingKeyHash(decodeVerifyingKey(key));
    ensure(found === vkHash, "key/not-pinned", `${verifierName(size)} has the key ${found}`, {
      field: "vkHash",
      hint: "run npm run generate",
    });
    return key;
  });
}

/** Where this release puts registry and escrow on every chain. */
export function releaseContracts(): Record<"registry" | "escrow", Address> {
  const { registry, escrow } = contractsOfRelease();
  return { registry: registry.address, escrow: escrow.address };
}
