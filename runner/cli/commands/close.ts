/** `deltapay close`: the buyer ends an agreement. */
import type { Command } from "commander";
import { buyerChain } from "../../buyer/chainView.ts";
import { connectRecorded } from "../../buyer/client/discover.ts";
import { closeAgreement } from "../../buyer/follow.ts";
import { Session } from "../../buyer/session/session.ts";
import type { BuyerData } from "../../buyer/store/dataFolder.ts";
import { loadSigner } from "../../buyer/store/signerKey.ts";
import type { AgreementTerms } from "../../buyer/store/storedRows.ts";
import type { ChainContext } from "../../chain/connect.ts";
import { domainOf } from "../../chain/connect.ts";
import { when } from "../../chain/errors.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { type ChainFlags, openSigningChain, withChain, withSigner } from "../connection.ts";
import { closing, type DataFlags, openBuyer, withData } from "../folders.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { hash } from "../parsers.ts";

interface Flags extends ChainFlags, DataFlags, OutputFlags {
  tell: boolean;
}

/** A contributor that keeps a request waiting costs a buyer who wants to get out this long, not an hour. */
const TELLING = { attempts: 1, timeoutMs: 30_000 };

/** Hands in the last receipt and says that this was all. A contributor that does not answer is no obstacle. */
async function tellContributor(
  out: Output,
  ctx: ChainContext,
  data: BuyerData,
  terms: AgreementTerms,
): Promise<boolean> {
  out.note("handing the last receipt to the contributor (--no-tell leaves it out)");
  const client = connectRecorded(terms.record, TELLING);
  const session = new Session(client, domainOf(ctx), terms.agreementId, loadSigner(data.vault, terms.signer));
  try {
    await session.connect();
    const last = data.store.lastReceipt(terms.agreementId);
    if (last !== undefined && !last.accepted)
      await session.call((token) => client.receipt(token, last.receipt, last.signature));
    await session.call((token) => client.end(token));
    return true;
  } catch (error) {
    if (!(error instanceof DeltapayError)) throw error;
    out.warn(`the contributor was not told: ${error.message}`);
    return false;
  } finally {
    await client.http.close();
  }
}

async function run(agreementId: Hex, flags: Flags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  await closing(await openBuyer(flags), async (data) => {
    const { terms } = data.store.agreement(agreementId);
    const told = flags.tell && (await tellContributor(out, ctx, data, terms));
    const { txHash, deadline } = await closeAgreement(buyerChain(ctx), data.store, agreementId);
    out.result({ agreementId, status: "closing", deadline, told, txHash, warnings: out.warnings }, () => [
      `closing: the contributor can settle until ${when(deadline)}`,
      `after that: deltapay refund ${agreementId}, then deltapay withdraw`,
    ]);
  });
}

export function registerClose(program: Command): void {
  const command = program
    .command("close")
    .description("as buyer: end an agreement; the contributor has its close window to settle")
    .argument("<agreement>", "agreement id", hash)
    .option("--no-tell", "do not hand the last receipt to the contributor first");
  withOutput(withData(withSigner(withChain(command)), "buyer")).action(run);
}
