/** The registry: adapters as they were registered (protocol 6). */
import { encodeFunctionData, parseEventLogs } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import type { Address } from "../protocol/typedData.ts";
import type { ChainContext } from "./connect.ts";
import { onChain } from "./errors.ts";
import { adapterRegistryAbi } from "./generated/abi.ts";
import { type Outcome, transact } from "./transact.ts";

export interface RegisteredAdapter {
  contributor: Address;
  verifier: Address;
  verifierCodeHash: Hex;
  manifestHash: Hex;
  groups: number;
}

export interface AdapterToRegister {
  /** SHA-256 of the manifest as served. */
  manifestHash: Hex;
  /** Where the manifest is served. */
  uri: string;
  verifier: Address;
  groups: number;
  /** The manifest's adapterSalt. */
  salt: Hex;
}

/** Registers an adapter of the sender. @throws DeltapayError `contract/...`, `chain/...` */
export async function registerAdapter(
  ctx: ChainContext,
  adapter: AdapterToRegister,
): Promise<Omit<Outcome, "logs"> & { adapterId: Hex }> {
  const { manifestHash, uri, verifier, groups, salt } = adapter;
  const { logs, ...outcome } = await transact(ctx, {
    to: ctx.deployment.registry,
    data: encodeFunctionData({
      abi: adapterRegistryAbi,
      functionName: "register",
      args: [manifestHash, uri, verifier, groups, salt],
    }),
  });
  const [event] = parseEventLogs({ abi: adapterRegistryAbi, logs, eventName: "AdapterRegistered" });
  return { ...outcome, adapterId: event!.args.adapterId };
}

/**
 * A registered adapter; undefined when there is none.
 * @param blockNumber the state to read; default: the newest. Buyers pass `finalBlock`.
 */
export async function readAdapter(
  ctx: ChainContext,
  adapterId: Hex,
  blockNumber?: bigint,
): Promise<RegisteredAdapter | undefined> {
  const entry = await onChain(ctx, () =>
    ctx.publicClient.readContract({
      address: ctx.deployment.registry,
      abi: adapterRegistryAbi,
      functionName: "adapters",
      args: [adapterId],
      ...(blockNumber === undefined ? {} : { blockNumber }),
    }),
  );
  return BigInt(entry.contributor) === 0n ? undefined : { ...entry };
}
