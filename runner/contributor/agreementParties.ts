/** Who may open a session, asked of the chain for anybody: so seldom, one request at most, and in bounded memory. */
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { AgreementParty, ContributorChain } from "./chainView.ts";

/** Agreements remembered, and agreements remembered not to be there. */
const MAX_KNOWN = 10_000;
/** Milliseconds for which an agreement that is not there is not asked for again; a buyer may be waiting for its block. */
const ABSENT_MS = 500;
/** Requests for strangers that are under way at once. */
const MAX_ASKED = 32;

export class AgreementParties {
  readonly #chain: Pick<ContributorChain, "readParty">;
  readonly #known = new Map<Hex, AgreementParty>();
  readonly #absent = new Map<Hex, number>();
  readonly #asked = new Map<Hex, Promise<AgreementParty | undefined>>();

  constructor(chain: Pick<ContributorChain, "readParty">) {
    this.#chain = chain;
  }

  /**
   * The party of a final agreement; undefined when there is none.
   * @throws DeltapayError `wire/too-many-requests` while too many others are asked for, and what the chain's node says
   */
  async find(agreementId: Hex): Promise<AgreementParty | undefined> {
    const known = this.#known.get(agreementId);
    if (known !== undefined) return known;
    const absentAt = this.#absent.get(agreementId);
    if (absentAt !== undefined && performance.now() - absentAt < ABSENT_MS) return undefined;
    return this.#asked.get(agreementId) ?? this.#ask(agreementId);
  }

  #ask(agreementId: Hex): Promise<AgreementParty | undefined> {
    if (this.#asked.size >= MAX_ASKED)
      throw new DeltapayError("wire/too-many-requests", "too many agreements are being looked for", {
        hint: "wait a moment",
      });
    const asked = this.#read(agreementId).finally(() => this.#asked.delete(agreementId));
    this.#asked.set(agreementId, asked);
    return asked;
  }

  async #read(agreementId: Hex): Promise<AgreementParty | undefined> {
    const party = await this.#chain.readParty(agreementId);
    if (party === undefined) remember(this.#absent, agreementId, performance.now());
    else remember(this.#known, agreementId, party);
    return party;
  }
}

/** The oldest makes room. */
function remember<Value>(map: Map<Hex, Value>, key: Hex, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_KNOWN) map.delete(map.keys().next().value!);
}
