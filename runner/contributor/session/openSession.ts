/** Opening a session (protocol 5.1): who may, and taking an agreement up that is seen for the first time. */
import { fromHex, type Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { initialState } from "../../protocol/fold.ts";
import { encodeState } from "../../protocol/sessionState.ts";
import { checkSignature, type Domain, type SessionProof } from "../../protocol/typedData.ts";
import { AgreementParties } from "../agreementParties.ts";
import type { Authentication } from "../authentication.ts";
import type { AgreementView, ContributorChain } from "../chainView.ts";
import type { ContributorData } from "../dataFolder.ts";
import { findOffer } from "../offers.ts";
import { type AgreementStore, LATEST_DEADLINE } from "../store/agreements.ts";
import type { SessionAdapter } from "./liveSessions.ts";

export interface SessionOpeningOptions {
  data: ContributorData;
  chain: ContributorChain;
  adapters: ReadonlyMap<Hex, SessionAdapter>;
  authentication: Authentication;
  agreements: AgreementStore;
}

function notOurOffer(): DeltapayError {
  return new DeltapayError("session/not-our-offer", "this agreement was not opened on an offer served here", {
    field: "agreementId",
  });
}

export class SessionOpening {
  readonly #options: SessionOpeningOptions;
  readonly #domain: Domain;
  readonly #parties: AgreementParties;

  constructor(options: SessionOpeningOptions) {
    this.#options = options;
    this.#domain = { chainId: options.chain.chainId, escrow: options.chain.escrow };
    this.#parties = new AgreementParties(options.chain);
  }

  /**
   * A token for whoever holds the agreement's signer key. Nothing on disk is looked at before that is shown. An agreement
   * seen for the first time must be open in a final block, on an offer of ours.
   * @throws DeltapayError `session/...-nonce`, `session/unknown-agreement`, `session/not-open`, `session/not-our-offer`,
   * `session/deadline-too-far`, `signature/...`
   */
  async open(proof: SessionProof, signature: Hex): Promise<{ token: string; expiresAt: number }> {
    const { adapters, agreements, authentication, chain } = this.#options;
    authentication.checkNonce(proof);
    const party = await this.#parties.find(proof.agreementId);
    if (party === undefined) throw this.#unknownAgreement(proof.agreementId);
    await checkSignature(this.#domain, "Session", proof, signature, party.signer);
    if (!adapters.has(party.adapterId)) throw notOurOffer();
    // How it was opened takes a search of the chain: for its own signer only.
    if (agreements.find(proof.agreementId) === undefined) {
      const agreement = await chain.readAgreement(proof.agreementId, "final");
      if (agreement === undefined) throw this.#unknownAgreement(proof.agreementId);
      if (agreements.find(proof.agreementId) === undefined) this.#accept(proof.agreementId, agreement);
    }
    return authentication.open(proof);
  }

  #unknownAgreement(agreementId: Hex): DeltapayError {
    const { chainId } = this.#options.chain;
    return new DeltapayError(
      "session/unknown-agreement",
      `no agreement ${agreementId} is final on chain ${chainId}`,
      { field: "agreementId", hint: "wait until the block of `open` is final" },
    );
  }

  /** Takes an agreement up. */
  #accept(agreementId: Hex, agreement: AgreementView): void {
    const adapter = this.#options.adapters.get(agreement.adapterId);
    const offer = findOffer(this.#options.data, agreement.offerHash);
    if (adapter === undefined || offer?.offer.adapterId !== agreement.adapterId) throw notOurOffer();
    if (agreement.status !== "open")
      throw new DeltapayError("session/not-open", `the agreement is ${agreement.status}`, {
        field: "agreementId",
      });
    if (agreement.deadline > LATEST_DEADLINE)
      throw new DeltapayError("session/deadline-too-far", "the agreement's deadline is too far away", {
        field: "deadline",
        hint: "close this agreement and open one that ends sooner",
      });
    const state = initialState(adapter.layout, fromHex(agreementId, 32));
    this.#options.agreements.add(
      { agreementId, ...agreement, deadline: Number(agreement.deadline) },
      encodeState(state),
    );
  }
}
