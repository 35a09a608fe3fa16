/** What the service shows to anybody: its record, offers, manifests, and that the contributor's key is live. */
import type { LocalAccount } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";
import { type Domain, type ServiceRecord, typedData } from "../protocol/typedData.ts";
import { stringifyMessage } from "../wire/messages.ts";
import type { ServedAdapter } from "./adapters.ts";
import type { ContributorData } from "./dataFolder.ts";
import { tokensLeft } from "./leakage/policy.ts";
import { openOffers } from "./offers.ts";
import type { PublicContent } from "./server.ts";
import { nowSeconds } from "./store/rows.ts";

export interface PublicContentOptions {
  data: ContributorData;
  domain: Domain;
  /** The contributor. */
  account: LocalAccount;
  adapters: ReadonlyMap<Hex, Pick<ServedAdapter, "record" | "layout" | "manifestBytes" | "commitments">>;
  tlsCertificate: Hex;
}

const DAY = 86_400;

/** Keeps the answers ready in memory: strangers cause no reading of the disk. */
export class ServiceContent implements PublicContent {
  readonly #options: PublicContentOptions;
  readonly #records = new Map<Hex, { record: ServiceRecord; recordSignature: Hex }>();
  #url: string | undefined;
  #service: string | undefined;

  constructor(options: PublicContentOptions) {
    this.#options = options;
  }

  /** Shows the service, from now on, under the URL at which clients reach it. */
  async publish(url: string): Promise<void> {
    this.#url = url;
    await this.refresh();
  }

  /** Reads the offers again and renews records that are about to expire. */
  async refresh(): Promise<void> {
    const { data, domain, adapters } = this.#options;
    const shown = [];
    for (const [adapterId, { record, layout }] of adapters)
      shown.push({
        adapterId,
        manifestHash: record.manifestHash,
        // What would not be served must not be paid for.
        offers: tokensLeft(data.database, adapterId, layout) === 0 ? [] : openOffers(data, adapterId),
        ...(await this.#record(adapterId)),
      });
    this.#service = stringifyMessage({
      protocol: PROTOCOL_VERSION,
      chainId: domain.chainId,
      registry: [...adapters.values()][0]!.record.registry,
      escrow: domain.escrow,
      adapters: shown,
    });
  }

  async #record(adapterId: Hex): Promise<{ record: ServiceRecord; recordSignature: Hex }> {
    const known = this.#records.get(adapterId);
    const now = nowSeconds();
    if (known !== undefined && known.record.expiry > BigInt(now + DAY / 2)) return known;
    const { account, domain, tlsCertificate } = this.#options;
    const record = { adapterId, url: this.#url!, tlsCertificate, expiry: BigInt(now + DAY) };
    const recordSignature = await account.signTypedData(typedData(domain, "ServiceRecord", record));
    this.#records.set(adapterId, { record, recordSignature });
    return { record, recordSignature };
  }

  /** @throws DeltapayError `wire/starting` */
  service(): string {
    if (this.#service === undefined)
      throw new DeltapayError("wire/starting", "the service is starting", { hint: "try again in a moment" });
    return this.#service;
  }

  manifest(adapterId: Hex): Uint8Array {
    return this.#adapter(adapterId).manifestBytes;
  }

  commitments(adapterId: Hex): Uint8Array {
    return this.#adapter(adapterId).commitments;
  }

  /** A fresh signed answer. */
  async liveness(adapterId: Hex, nonce: Hex): Promise<{ liveness: object; signature: Hex }> {
    this.#adapter(adapterId);
    const { account, domain } = this.#options;
    const liveness = { adapterId, nonce, time: BigInt(nowSeconds()) };
    return { liveness, signature: await account.signTypedData(typedData(domain, "Liveness", liveness)) };
  }

  #adapter(adapterId: Hex): Pick<ServedAdapter, "manifestBytes" | "commitments"> {
    const adapter = this.#options.adapters.get(adapterId);
    if (adapter === undefined)
      throw new DeltapayError("adapter/unknown", `adapter ${adapterId} is not served here`, {
        field: "adapterId",
        hint: "GET /v1/service lists what is",
      });
    return adapter;
  }
}
