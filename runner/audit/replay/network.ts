/** A fresh Hardhat network inside this process, with the release's contracts at the addresses they always have. */
import { concat } from "ethers";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { Hex } from "../primitives/bytes.ts";
import { AuditError } from "../problem.ts";
import { DEPLOYMENT_PROXY, DEPLOYMENT_SALT, type ReleasedContract, ROOT } from "../release.ts";
import { once } from "../verdict.ts";

/** Code of the deterministic deployment proxy, the same on every chain. */
const PROXY_CODE =
  "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3";
/** Sends the creations; no private key is known to it. */
const DEPLOYER = "0x00000000000000000000000000000000000d3b10";
const PLENTY = `0x${(10n ** 30n).toString(16)}`;
/** More than any chain gives a transaction: not all have the bound of EIP-7825. */
const GAS = 2n ** 30n;
/** Seconds before the first replayed transaction at which the chain begins. */
const HEAD_START = 3600;

export interface ReplayNetwork {
  request<Result>(method: string, params?: readonly unknown[]): Promise<Result>;
  /** Sends a call as `from`, mined at `timestamp`. */
  send(call: { from: Hex; to: Hex; data: Hex; value: bigint }, timestamp: bigint): Promise<ReplayedReceipt>;
  close(): Promise<void>;
}

export interface ReplayedReceipt {
  status: Hex;
  gasUsed: Hex;
  transactionHash: Hex;
  logs: { address: Hex; topics: Hex[]; data: Hex }[];
}

/**
 * Made once for all networks. It is shown no artifacts: it would read all build information of the project, only to name
 * Solidity lines in stack traces.
 */
const environment = once(() =>
  createHardhatRuntimeEnvironment(
    { networks: { replay: { type: "edr-simulated" } }, paths: { artifacts: `${ROOT}/artifacts/none` } },
    {},
    ROOT,
  ),
);

async function connect(chainId: bigint, from: bigint) {
  const { network } = await environment();
  const connection = await network.create({
    network: "replay",
    override: {
      chainId: Number(chainId),
      initialBaseFeePerGas: 0,
      allowBlocksWithSameTimestamp: true,
      transactionGasCap: false,
      blockGasLimit: GAS,
      initialDate: new Date((Number(from) - HEAD_START) * 1000),
    },
  });
  return { provider: connection.provider, close: () => connection.close() };
}

/**
 * Starts the network and deploys the contracts.
 * @param from time of the first transaction to come, seconds
 */
export async function startReplayNetwork(
  chainId: bigint,
  from: bigint,
  contracts: readonly ReleasedContract[],
): Promise<ReplayNetwork> {
  const { provider, close } = await connect(chainId, from);
  const request = <Result>(method: string, params: readonly unknown[] = []): Promise<Result> =>
    provider.request({ method, params: [...params] }) as Promise<Result>;
  const send: ReplayNetwork["send"] = async ({ from: sender, to, data, value }, timestamp) => {
    await request("hardhat_impersonateAccount", [sender]);
    await request("hardhat_setBalance", [sender, PLENTY]);
    await request("evm_setNextBlockTimestamp", [`0x${timestamp.toString(16)}`]);
    const transaction = {
      from: sender,
      to,
      data,
      value: `0x${value.toString(16)}`,
      gas: `0x${GAS.toString(16)}`,
      gasPrice: "0x0",
    };
    const hash = await request<Hex>("eth_sendTransaction", [transaction]);
    return request<ReplayedReceipt>("eth_getTransactionReceipt", [hash]);
  };
  const network = { request, send, close };
  try {
    await deploy(network, from, contracts);
  } catch (error) {
    await close();
    throw error;
  }
  return network;
}

async function deploy(
  network: ReplayNetwork,
  from: bigint,
  contracts: readonly ReleasedContract[],
): Promise<void> {
  await network.request("hardhat_setCode", [DEPLOYMENT_PROXY, PROXY_CODE]);
  for (const { name, creationCode, address } of contracts) {
    const call = {
      from: DEPLOYER,
      to: DEPLOYMENT_PROXY,
      data: concat([DEPLOYMENT_SALT, creationCode]),
      value: 0n,
    };
    await network.send(call, from - BigInt(HEAD_START / 2));
    if ((await network.request<Hex>("eth_getCode", [address, "latest"])) === "0x")
      throw new AuditError("audit/bad-release", `${name} is not at ${address} after its creation`);
  }
}
