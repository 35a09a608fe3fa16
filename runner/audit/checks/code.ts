/** Whose code ran, and under which key. */
import { keccak256 } from "ethers";
import { describeKeyTrust, refuseDevKey } from "../../protocol/keyTrust.ts";
import type { Hex } from "../primitives/bytes.ts";
import { demand, Wrong } from "../problem.ts";
import type { ReleasedContract } from "../release.ts";
import type { ReplayNetwork } from "../replay/network.ts";
import type { Subject } from "../subject.ts";

/** Registry, escrow and verifier have the code this release makes, at the addresses it makes them. */
export async function checkCode(subject: Subject, replay: ReplayNetwork): Promise<string> {
  const { release, history, node } = subject;
  const { registry, escrow } = history.addresses;
  const { verifier, verifierCodeHash } = await subject.registered();
  await compare(release.registry, registry, "registry");
  await compare(release.escrow, escrow, "escrow");
  const released = release.verifiers.find(({ address }) => address === verifier);
  demand(released !== undefined, `the adapter's verifier ${verifier} is none of this release`);
  const verifierHash = await compare(released, verifier, "verifier");
  demand(
    verifierCodeHash === verifierHash,
    `verifier ${verifier} was registered with code ${verifierCodeHash}, this release makes ${verifierHash}`,
  );
  return `registry ${registry}, escrow ${escrow} and ${released.name} ${verifier} have the code this release makes`;

  async function compare(contract: ReleasedContract, found: Hex, role: string): Promise<Hex> {
    demand(
      found === contract.address,
      `the ${role} ${found} is not this release's, which is at ${contract.address}`,
    );
    const expected = keccak256(await replay.request<Hex>("eth_getCode", [found, "latest"]));
    const code = await node.code(found);
    demand(code !== "0x", `there is no ${role} at ${found}`);
    const hash = keccak256(code);
    demand(hash === expected, `the ${role} ${found} has code ${hash}, this release makes ${expected}`);
    return hash;
  }
}

/** The key file hashes to the vkHash that the release pins and the registry told. */
export async function checkKey(subject: Subject): Promise<string> {
  const { vkHash } = await subject.registered();
  const pinned = await subject.pinned();
  demand(
    vkHash === pinned.vkHash,
    `the adapter was registered under key ${vkHash}, the release pins ${pinned.vkHash}`,
  );
  const key = await subject.key();
  return `key of ${key.size} slots: the built key's points hash to ${vkHash}, the vkHash pinned and registered`;
}

/** Nobody is known to be able to forge proofs under the key. */
export async function checkKeyTrust(subject: Subject): Promise<string> {
  const pinned = await subject.pinned();
  try {
    refuseDevKey(pinned, subject.node.chainId);
  } catch (error) {
    throw new Wrong((error as Error).message);
  }
  return `chain ${subject.node.chainId}; ${describeKeyTrust(pinned)}`;
}
