/**
 * Gas of one call of the Solidity verifier that peers.py let EZKL write.
 *
 *   node scripts/compare/gas.mjs WORK_DIRECTORY
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { network } from "hardhat";
import solc from "solc";

const directory = process.argv[2];
const source = readFileSync(join(directory, "Verifier.sol"), "utf8");
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { "Verifier.sol": { content: source } },
      settings: {
        optimizer: { enabled: true, runs: 1 },
        outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.deployedBytecode.object"] } },
      },
    }),
  ),
);
const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
const { evm } = Object.values(output.contracts["Verifier.sol"]).find((c) => c.evm.bytecode.object !== "");

const { provider } = await network.create({
  override: { allowUnlimitedContractSize: true, blockGasLimit: 1_000_000_000n },
});
const [from] = await provider.request({ method: "eth_accounts" });
const send = async (transaction) => {
  const hash = await provider.request({
    method: "eth_sendTransaction",
    params: [{ from, gas: "0x1000000", ...transaction }],
  });
  return provider.request({ method: "eth_getTransactionReceipt", params: [hash] });
};
const deployed = await send({ data: `0x${evm.bytecode.object}` });
const data = `0x${readFileSync(join(directory, "calldata.bytes")).toString("hex")}`;
const accepted = await provider.request({
  method: "eth_call",
  params: [{ from, to: deployed.contractAddress, data, gas: "0x1000000" }],
});
const called = await send({ to: deployed.contractAddress, data });
process.stdout.write(
  `${JSON.stringify({
    codeBytes: evm.deployedBytecode.object.length / 2,
    deployGas: Number(deployed.gasUsed),
    verifyGas: Number(called.gasUsed),
    calldataBytes: data.length / 2 - 1,
    accepted: accepted === `0x${"1".padStart(64, "0")}`,
  })}\n`,
);
