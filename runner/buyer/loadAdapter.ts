/** From what is on disk and on chain to an adapter in use: verified against the registry, this release and the base model. */
import type { ChainContext } from "../chain/connect.ts";
import { releaseVerifiers } from "../chain/verifiers.ts";
import type { TargetedModules } from "../model/moduleLists.ts";
import { hashOnnxModel, readOnnxModel } from "../model/onnxFile.ts";
import type { Hex } from "../protocol/bytes.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { buyerChain } from "./chainView.ts";
import type { ContributorClient } from "./client/contributorClient.ts";
import { connectRecorded, type RegistryEntry } from "./client/discover.ts";
import { type NodeChoices, targetsOfModel } from "./model/modelTargets.ts";
import { type VerifiedAdapter, verifyAdapter } from "./opening/verifyAdapter.ts";
import type { BuyerSessionOptions } from "./session/buyerSession.ts";
import type { BuyerData } from "./store/dataFolder.ts";
import { loadSigner } from "./store/signerKey.ts";
import type { AgreementTerms } from "./store/storedRows.ts";

/** The base model an adapter is for, and how it is used. */
export interface AdapterUse {
  modelPath: string;
  /** Node chosen by the user, by module path. */
  nodes?: NodeChoices;
  /** Off a local chain: accept a key whose secrets are public. Anyone can forge proofs for it. */
  acceptForgeableDevKey?: boolean;
  /** Layers the adapter was advertised with; a difference is refused. */
  expected?: TargetedModules;
  onProgress?: (step: string, done: number, total: number) => void;
  onWarning?: (warning: string) => void;
}

/**
 * Verifies an adapter as protocol 6 asks before `open`.
 * @throws DeltapayError as `verifyAdapter`, `targetsOfModel`
 */
export async function verifyServedAdapter(
  ctx: ChainContext,
  { cache }: BuyerData,
  adapter: { adapterId: Hex; entry: RegistryEntry; client: ContributorClient },
  { modelPath, nodes, expected, acceptForgeableDevKey = false, onProgress, onWarning }: AdapterUse,
): Promise<VerifiedAdapter> {
  const verified = await verifyAdapter({
    curve: await loadCurve(),
    ...adapter,
    chainId: BigInt(ctx.chainId),
    registry: ctx.deployment.registry,
    release: { verifiers: releaseVerifiers() },
    cache,
    findTargets: targetsOfModel(modelPath, nodes, expected),
    baseModelSha256: `0x${await hashOnnxModel(await readOnnxModel(modelPath))}`,
    acceptForgeableDevKey,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  for (const warning of verified.warnings) onWarning?.(warning);
  return verified;
}

/**
 * What a `RemoteAdapter` of an opened agreement is made of.
 * @throws DeltapayError `adapter/not-registered`, as `verifyServedAdapter`, `loadSigner`
 */
export async function loadAdapter(
  ctx: ChainContext,
  data: BuyerData,
  terms: AgreementTerms,
  use: AdapterUse & { keepTranscript?: boolean },
): Promise<BuyerSessionOptions> {
  const { adapterId } = terms.offer;
  const chain = buyerChain(ctx);
  const entry = await chain.readAdapter(adapterId);
  if (entry === undefined)
    throw new DeltapayError("adapter/not-registered", `${adapterId} is not in the registry`, {
      field: "adapterId",
      hint: "a local chain forgets everything when it stops: open a new agreement",
    });
  const client = connectRecorded(terms.record);
  return {
    curve: await loadCurve(),
    adapter: await verifyServedAdapter(ctx, data, { adapterId, entry, client }, use),
    terms,
    client,
    store: data.store,
    signer: loadSigner(data.vault, terms.signer),
    time: chain.time,
    ...(use.keepTranscript === true ? { transcriptFolder: data.transcripts } : {}),
  };
}
