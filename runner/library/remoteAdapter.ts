/** A paid adapter for programs: opened from a buyer's data folder in one call. */
import * as fs from "node:fs";
import * as path from "node:path";
import { buyerChain } from "../buyer/chainView.ts";
import { stillOpen } from "../buyer/follow.ts";
import { type AdapterUse, loadAdapter } from "../buyer/loadAdapter.ts";
import type { BuyerSessionOptions } from "../buyer/session/buyerSession.ts";
import { RemoteAdapter as BuyersAdapter } from "../buyer/session/remoteAdapter.ts";
import { BUYER_DATABASE, type BuyerData, openBuyerData } from "../buyer/store/dataFolder.ts";
import type { StoredAgreement } from "../buyer/store/storedRows.ts";
import { type ChainContext, connectChain, DEFAULT_RPC_URL, withDeployment } from "../chain/connect.ts";
import type { Hex } from "../protocol/bytes.ts";
import { loadCurve } from "../protocol/curve.ts";
import { ensure } from "../protocol/errors.ts";

export interface OpenOptions extends AdapterUse {
  /** The buyer's data folder, where `deltapay open --data` has put the agreement. */
  data: string;
  /** Unlocks the folder's vault, where it has a passphrase. */
  passphrase?: string | undefined;
  /** Which agreement. Default: the only one that is open. */
  agreementId?: Hex | undefined;
  /** Default: the local node. */
  rpcUrl?: string | undefined;
  /** Default: deployments/<chainId>/deployment.json. */
  deploymentFile?: string | undefined;
  /** Keep every pass for audits (large). */
  keepTranscript?: boolean;
}

const open = new Set<RemoteAdapter>();

/**
 * An agreement in use by a program. The agreement was opened before, by `deltapay open`; nothing here can spend more than was
 * paid in then.
 *
 * @example
 * const adapter = await RemoteAdapter.open({ data: "buyer", modelPath: "model.onnx" });
 * const model = await AdaptedModel.create({ modelPath: "model.onnx", adapters: [adapter] });
 * const { logits } = await model.run({ input_ids, attention_mask, position_ids });
 * await adapter.signReceipt();
 */
export class RemoteAdapter extends BuyersAdapter {
  readonly #data: BuyerData;

  private constructor(options: BuyerSessionOptions, data: BuyerData) {
    super(options);
    this.#data = data;
    open.add(this);
  }

  /**
   * Opens the data folder and verifies the agreement's adapter against registry, release and base model.
   * @throws DeltapayError `agreement/...`, `adapter/...`, `manifest/...`, `chain/...`, `storage/...`, `vault/...`
   */
  static async open(options: OpenOptions): Promise<RemoteAdapter> {
    const { passphrase, rpcUrl = DEFAULT_RPC_URL, deploymentFile } = options;
    // Opening makes what is missing: a name mistyped would look like a folder without agreements.
    ensure(
      fs.existsSync(path.join(options.data, BUYER_DATABASE)),
      "storage/no-data",
      `${options.data} has no data of a buyer`,
      { field: "data", hint: "name the folder that deltapay open --data has made" },
    );
    const ctx = await withDeployment(await connectChain({ rpcUrl }), deploymentFile);
    const data = await openBuyerData(options.data, passphrase === undefined ? {} : { passphrase });
    try {
      const { terms } = await chosen(ctx, data, options.agreementId);
      return new RemoteAdapter(await loadAdapter(ctx, data, terms, options), data);
    } catch (error) {
      data.close();
      throw error;
    }
  }

  /**
   * Closes the data folder; the last one lets the process end. Sign a receipt first: what is not signed for is signed at the
   * next connection.
   */
  async close(): Promise<void> {
    if (!open.delete(this)) return;
    this.#data.close();
    // Its workers would keep the process alive.
    if (open.size === 0) await (await loadCurve()).terminate();
  }
}

async function chosen(
  ctx: ChainContext,
  { store }: BuyerData,
  agreementId: Hex | undefined,
): Promise<StoredAgreement> {
  if (agreementId !== undefined) return store.agreement(agreementId);
  const here = store.agreements().filter(({ phase }) => phase === "open");
  const [only, ...others] = await stillOpen(buyerChain(ctx), store, here);
  ensure(only !== undefined, "agreement/none", "no agreement is open", {
    field: "agreementId",
    hint: "open one: deltapay open --contributor URL",
  });
  ensure(others.length === 0, "agreement/several", `${others.length + 1} agreements are open`, {
    field: "agreementId",
    hint: "name the one to use",
  });
  return only;
}
