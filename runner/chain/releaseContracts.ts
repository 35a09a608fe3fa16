/** The contracts of this version, with the addresses they have on every chain: what every way of deploying puts there. */
import { type Address, concat, encodeAbiParameters, type Hex } from "viem";
import { contractCode } from "./bytecode.ts";
import { createdAddress } from "./create2.ts";
import { releaseVerifiers, verifierName } from "./verifiers.ts";

export interface ReleaseContract {
  /** As in the source. */
  name: string;
  /** ABI-encoded. */
  constructorArgs: Hex;
  creationCode: Hex;
  address: Address;
}

export function releaseContract(name: string, constructorArgs: Hex = "0x"): ReleaseContract {
  const creationCode = concat([contractCode(name).bytecode, constructorArgs]);
  return { name, constructorArgs, creationCode, address: createdAddress(creationCode) };
}

/** Registry, escrow and the verifiers by ascending size. */
export function contractsOfRelease(): {
  registry: ReleaseContract;
  escrow: ReleaseContract;
  verifiers: ReleaseContract[];
} {
  const registry = releaseContract("AdapterRegistry");
  const escrow = releaseContract(
    "LoraEscrow",
    encodeAbiParameters([{ type: "address" }], [registry.address]),
  );
  return {
    registry,
    escrow,
    verifiers: releaseVerifiers().map(({ size }) => releaseContract(verifierName(size))),
  };
}

/** All of them, in the order in which they are deployed. */
export function releaseContracts(): ReleaseContract[] {
  const { registry, escrow, verifiers } = contractsOfRelease();
  return [registry, escrow, ...verifiers];
}
