/** The release as a Hardhat Ignition module: the same creations, by the same proxy, as `deltapay deploy`. */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { creationCall, DEPLOYMENT_PROXY } from "../runner/chain/create2.ts";
import { adapterRegistryAbi, loraEscrowAbi, loraVerifierAbi } from "../runner/chain/generated/abi.ts";
import { type ReleaseContract, releaseContracts } from "../runner/chain/releaseContracts.ts";
import { sourceUnit } from "../runner/chain/sources.ts";

const ABIS: Record<string, readonly unknown[]> = {
  AdapterRegistry: adapterRegistryAbi,
  LoraEscrow: loraEscrowAbi,
};

/** What was generated and checked stands for a build: nothing is compiled here, so nothing else can be deployed. */
function artifactOf({ name, creationCode }: ReleaseContract) {
  return {
    _format: "hh3-artifact-1",
    contractName: name,
    sourceName: sourceUnit(name),
    abi: [...(ABIS[name] ?? loraVerifierAbi)],
    bytecode: creationCode,
    linkReferences: {},
    deployedBytecode: "0x",
    deployedLinkReferences: {},
  };
}

/**
 * Sends the creation of each contract for which `isMissing` holds, and names all of them.
 * The proxy reverts where a contract exists already, so those must not be created again.
 */
export function releaseModule(isMissing: (contract: ReleaseContract) => boolean) {
  return buildModule("Release", (m) => {
    const contracts = releaseContracts().map((contract) => {
      const { name, address, creationCode } = contract;
      const after = isMissing(contract)
        ? [m.send(`create_${name}`, DEPLOYMENT_PROXY, 0n, creationCall(creationCode))]
        : [];
      return [name, m.contractAt(name, artifactOf(contract), address, { after })] as const;
    });
    return Object.fromEntries(contracts);
  });
}
