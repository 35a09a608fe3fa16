/** The chain's newest word on an agreement, asked again only when it is some seconds old. */
import { isLocalChain } from "../chain/localChain.ts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { AgreementView, ContributorChain } from "./chainView.ts";
import { nowSeconds } from "./store/rows.ts";

export interface AgreementNow {
  agreement: AgreementView;
  /** Unix seconds: the later of this machine's clock and the newest block. */
  now: bigint;
  /** Timestamp of the newest block when it was asked. */
  chainTime: bigint;
  /** Seconds the newest block is behind: a close since then cannot be seen. */
  headAge: bigint;
}

interface Reading {
  agreement: AgreementView;
  chainTime: bigint;
  readAt: number;
}

export function notOnChain(agreementId: Hex): DeltapayError {
  return new DeltapayError("session/unknown-agreement", `the chain knows no agreement ${agreementId}`, {
    field: "agreementId",
  });
}

export class AgreementWatch {
  readonly #chain: ContributorChain;
  readonly #maxAgeMs: number;
  readonly #readings = new Map<Hex, Reading>();

  /** @param maxAgeMs a reading this old is used; must be far below every offer's closeWindow */
  constructor(chain: ContributorChain, maxAgeMs: number) {
    this.#chain = chain;
    this.#maxAgeMs = maxAgeMs;
  }

  /** @throws DeltapayError `session/unknown-agreement`, and what the chain's node says */
  async newest(agreementId: Hex): Promise<AgreementNow> {
    const seen = await this.look(agreementId);
    if (seen === undefined) throw notOnChain(agreementId);
    return seen;
  }

  /** As `newest`; undefined when the chain does not show the agreement. @throws what the chain's node says */
  async look(agreementId: Hex): Promise<AgreementNow | undefined> {
    let reading = this.#readings.get(agreementId);
    if (reading === undefined || performance.now() - reading.readAt >= this.#maxAgeMs) {
      const [agreement, chainTime] = await Promise.all([
        this.#chain.readAgreement(agreementId, "newest"),
        this.#chain.time(),
      ]);
      if (agreement === undefined) {
        this.#readings.delete(agreementId);
        return undefined;
      }
      reading = { agreement, chainTime, readAt: performance.now() };
      this.#readings.set(agreementId, reading);
    }
    const elapsed = BigInt(Math.floor((performance.now() - reading.readAt) / 1000));
    const chainNow = reading.chainTime + elapsed;
    const machineNow = BigInt(nowSeconds());
    const { agreement, chainTime } = reading;
    const now = chainNow > machineNow ? chainNow : machineNow;
    return { agreement, chainTime, now, headAge: now - chainNow };
  }

  /**
   * What can no longer change: the agreement, if it is there, and the time, both of final blocks. A node that claims a
   * time yet to come is not believed, but on a local chain, whose clock is its owner's.
   */
  async final(agreementId: Hex): Promise<{ agreement: AgreementView | undefined; time: bigint }> {
    const agreement = await this.#chain.readAgreement(agreementId, "final");
    const claimed = await this.#chain.finalTime();
    const machineNow = BigInt(nowSeconds());
    const isOwn = isLocalChain(Number(this.#chain.chainId)) || claimed < machineNow;
    return { agreement, time: isOwn ? claimed : machineNow };
  }

  forget(agreementId: Hex): void {
    this.#readings.delete(agreementId);
  }
}
