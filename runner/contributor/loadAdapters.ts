/** What a service needs in memory before it answers: its adapters as they are registered, and their keys. */
import type { LocalAccount } from "viem";
import { loadCommitKey, loadProvingKey } from "../keys/load.ts";
import { pinnedTrust } from "../keys/pinned.ts";
import type { Hex } from "../protocol/bytes.ts";
import { decodeKeyPoints, type KeyPoints } from "../protocol/commitment.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { type CommitKey, vkHash } from "../protocol/key.ts";
import { refuseDevKey } from "../protocol/keyTrust.ts";
import { Prover, type ProverKey } from "../prover/prove.ts";
import {
  type AdapterRecord,
  getAdapter,
  listAdapters,
  loadServedAdapter,
  type ServedAdapter,
} from "./adapters.ts";
import type { ContributorChain } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";
import type { SessionAdapter } from "./session/liveSessions.ts";

/** Keys by size; the default is those this version pins, built when missing. */
export interface KeySource {
  commitKey(size: number): Promise<CommitKey>;
  provingKey(size: number): Promise<ProverKey>;
}

export const PINNED_KEYS: KeySource = { commitKey: loadCommitKey, provingKey: loadProvingKey };

export interface AdaptersToServe {
  data: ContributorData;
  chain: ContributorChain;
  account: LocalAccount;
  /** Default all of this account registered on this chain. */
  adapters?: readonly Hex[];
  /** Serves under a key whose secrets are public where money has value. */
  acceptForgeableDevKey?: boolean;
}

/**
 * The adapters to serve, seen to be what the registry holds, with the bases their statements are computed over.
 * @throws DeltapayError `serve/no-adapter`, `serve/not-registered`, `serve/other-account`, `serve/other-key`, `vault/...`
 */
export async function loadAdapters(
  { data, chain, account, adapters, acceptForgeableDevKey }: AdaptersToServe,
  keys: KeySource,
): Promise<Map<Hex, SessionAdapter>> {
  const chosen =
    adapters?.map((adapterId) => getAdapter(data, adapterId)) ?? (await ownAdapters(data, chain, account));
  if (chosen.length === 0)
    throw new DeltapayError("serve/no-adapter", "no adapter of this account is registered from this folder", {
      field: "adapter",
      hint: "register one: deltapay adapter register",
    });
  const points = new Map<Hex, KeyPoints>();
  const loaded = new Map<Hex, SessionAdapter>();
  for (const record of chosen) {
    await checkRegistered(chain, account, record);
    const adapter = loadServedAdapter(data, record.adapterId);
    const { vkHash } = adapter.manifest;
    refuseDevKey(pinnedTrust(vkHash), chain.chainId, acceptForgeableDevKey);
    const key = points.get(vkHash) ?? (await keyPoints(keys, adapter));
    points.set(vkHash, key);
    loaded.set(record.adapterId, { ...adapter, key });
  }
  return loaded;
}

/** What this account registered from this folder and the registry (a local chain forgets) still holds. */
async function ownAdapters(
  data: ContributorData,
  chain: ContributorChain,
  account: LocalAccount,
): Promise<AdapterRecord[]> {
  const own: AdapterRecord[] = [];
  for (const record of listAdapters(data))
    if (
      record.chainId === chain.chainId &&
      record.registry === chain.registry.toLowerCase() &&
      record.contributor === account.address.toLowerCase() &&
      (await chain.readAdapter(record.adapterId, "newest")) !== undefined
    )
      own.push(record);
  return own;
}

async function checkRegistered(
  chain: ContributorChain,
  account: LocalAccount,
  record: AdapterRecord,
): Promise<void> {
  if (record.contributor !== account.address.toLowerCase())
    throw new DeltapayError("serve/other-account", `${record.contributor} registered ${record.adapterId}`, {
      field: "account",
      hint: "serve with the account that registered the adapter",
    });
  const found = await chain.readAdapter(record.adapterId, "newest");
  if (found?.manifestHash !== record.manifestHash)
    throw new DeltapayError("serve/not-registered", `the registry does not hold ${record.adapterId}`, {
      field: "adapter",
      hint: "run `deltapay adapter register` again; a local chain forgets everything when it stops",
    });
}

async function keyPoints(keys: KeySource, { layout, manifest }: ServedAdapter): Promise<KeyPoints> {
  const key = await keys.commitKey(layout.keySize);
  if (vkHash(key) !== manifest.vkHash)
    throw new DeltapayError("serve/other-key", "the adapter was committed to with another key", {
      field: "vkHash",
      hint: "use the version of this software that registered it, or register it again",
    });
  return decodeKeyPoints(await loadCurve(), key);
}

/** Provers by key size; keys stay in memory between proofs. */
export function keptProvers(keys: Pick<KeySource, "provingKey">): (size: number) => Promise<Prover> {
  const kept = new Map<number, Promise<Prover>>();
  return (size) => {
    const known = kept.get(size);
    if (known !== undefined) return known;
    const made = keys.provingKey(size).then((key) => new Prover(key));
    kept.set(size, made);
    // a failure is tried again by the next call
    made.catch(() => kept.delete(size));
    return made;
  };
}
