/** Addresses that pin their code: CREATE2 through the deployment proxy that most chains have at one address. */
import {
  type Address,
  concat,
  getContractAddress,
  type Hex,
  keccak256,
  recoverTransactionAddress,
  type TransactionSerializedLegacy,
} from "viem";
import { tag, toHex } from "../protocol/bytes.ts";
import type { ChainConnection } from "./connection.ts";
import { onChain } from "./errors.ts";
import { requireSender, waitFor } from "./transact.ts";

/** github.com/Arachnid/deterministic-deployment-proxy: calldata is salt and creation code. */
export const DEPLOYMENT_PROXY: Address = "0x4e59b44847b379578588920cA78FbF26c0B4956C";

/** Signed by nobody's key, for any chain: it creates the proxy at its address. */
const PROXY_TRANSACTION: TransactionSerializedLegacy =
  "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222" as TransactionSerializedLegacy;
/** What that transaction can cost: 100,000 gas at 100 gwei. */
const PROXY_COST = 10n ** 16n;

/** The salt of all contracts of this version. */
export const DEPLOYMENT_SALT: Hex = toHex(tag("deltapay/1/deployment"));

/** Where the proxy puts a contract. */
export function createdAddress(creationCode: Hex): Address {
  return getContractAddress({
    opcode: "CREATE2",
    from: DEPLOYMENT_PROXY,
    salt: DEPLOYMENT_SALT,
    bytecodeHash: keccak256(creationCode),
  });
}

/** Calldata with which the proxy creates a contract. */
export function creationCall(creationCode: Hex): Hex {
  return concat([DEPLOYMENT_SALT, creationCode]);
}

/** Puts the proxy on a chain that lacks it, as a fresh local one does. */
export async function ensureDeploymentProxy(chain: ChainConnection): Promise<void> {
  const { publicClient } = chain;
  if ((await onChain(chain, () => publicClient.getCode({ address: DEPLOYMENT_PROXY }))) !== undefined) return;
  const { walletClient } = requireSender(chain);
  const deployer = await recoverTransactionAddress({
    serializedTransaction: PROXY_TRANSACTION,
  });
  await waitFor(
    chain,
    await onChain(chain, () => walletClient.sendTransaction({ to: deployer, value: PROXY_COST })),
  );
  await waitFor(
    chain,
    await onChain(chain, () => publicClient.sendRawTransaction({ serializedTransaction: PROXY_TRANSACTION })),
  );
}
