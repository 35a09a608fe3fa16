/** More than one receipt: an old one settled first, or two wanted for the same passes. */

import { ContributorClient } from "../../buyer/client/contributorClient.ts";
import { HttpClient } from "../../buyer/client/httpClient.ts";
import { RemoteAdapter } from "../../buyer/session/remoteAdapter.ts";
import { loadSigner } from "../../buyer/store/signerKey.ts";
import { setOperator } from "../../chain/escrow.ts";
import { loadServedAdapter } from "../../contributor/adapters.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { encodePassRequest } from "../../wire/passRequest.ts";
import { PRICE, type Purchase, type World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { EvilContributor } from "./evilContributor.ts";
import { proveState, settleByHand } from "./settling.ts";
import { type SignedReceipt, WireBuyer } from "./wireBuyer.ts";

export const oldReceipt: Attack = {
  name: "old-receipt",
  expected:
    "an old receipt settled to close for less: the newer one pays the rest, an older one nothing more",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const { url } = await world.serve({ adapters: [adapterId] });
    const buyer = await WireBuyer.open(world, url);
    const receipts: SignedReceipt[] = [];
    for (const tokens of [2, 3, 4]) {
      await buyer.pass(tokens);
      receipts.push(await buyer.pay());
    }
    const adapter = loadServedAdapter(world.data, adapterId);
    // an operator in the buyer's pay
    await setOperator(world.contributor.ctx, world.stranger.account.address, true);
    const paid: bigint[] = [];
    const settle = async (index: number, by = world.stranger): Promise<void> => {
      const signed = receipts[index]!;
      await settleByHand(by.ctx, signed, await proveState(adapter, signed.state));
      paid.push(await world.credit(world.contributor));
    };
    await settle(0);
    await settle(2, world.contributor);
    await settle(1);
    const again = await refused("the oldest once more", "contract/group-already-settled", () => settle(0));
    await world.passTime(3 * 3600);
    await world.buyerChain.refund(buyer.agreementId);
    const earned = await gainOf(world, "contributor", 9n * PRICE);
    if (earned !== 0n) throw new AttackSucceeded(`the contributor was paid ${earned} wei beyond what is due`);
    return {
      how: `paid after the receipts for 2, 9 and 5 tokens at ${PRICE} wei: ${paid.join(", ")} wei; ${again.message}`,
      gained: await gainOf(world, "buyer", buyer.amount - 9n * PRICE),
    };
  },
};

export const twoReceipts: Attack = {
  name: "two-receipts",
  expected: "the buyer asked for two receipts for the same passes: it signs one, and sends that one again",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const evil = await EvilContributor.serve(world, adapterId);
    const purchase = await world.buy(evil.url);
    await runPass(purchase.remote, 5);
    await purchase.remote.signReceipt();
    await purchase.remote.signReceipt();
    const signatures = new Set(evil.receipts.map(({ signature }) => signature));
    // the same contributor, with another story of what it served
    const other = await EvilContributor.serve(world, adapterId);
    const forgot = await refused("a session of no passes", "session/contributor-behind", () =>
      returnTo(world, purchase, other.url).then((remote) => remote.signReceipt()),
    );
    await serveOther(other, purchase, 5);
    const differs = await refused("a session of other passes", "session/heads-differ", () =>
      returnTo(world, purchase, other.url).then((remote) => remote.signReceipt()),
    );
    for (const { signature } of other.receipts) signatures.add(signature);
    if (evil.receipts.length !== 2 || signatures.size !== 1)
      throw new AttackSucceeded(`the buyer signed ${signatures.size} receipts for one pass`);
    return {
      how: `asked twice it sent the same signature twice; ${forgot.message}; ${differs.message}`,
      gained: await gainOf(world, "contributor"),
    };
  },
};

/** One pass of zeros. */
async function runPass(remote: RemoteAdapter, tokens: number): Promise<void> {
  const { modules } = remote.layout;
  await remote.beginPass(tokens);
  for (const [m, { dIn }] of modules.entries()) await remote.answer([m], new Int16Array(tokens * dIn));
  await remote.finishPass();
}

/** The buyer comes back to the agreement, and finds another service there. */
async function returnTo(world: World, purchase: Purchase, url: string): Promise<RemoteAdapter> {
  const { terms } = purchase.remote;
  const http = new HttpClient(url);
  world.onClose(() => http.close());
  const remote = new RemoteAdapter({
    curve: await loadCurve(),
    adapter: purchase.verified,
    terms,
    client: new ContributorClient(http),
    store: purchase.store,
    signer: loadSigner(purchase.vault, terms.signer),
  });
  await remote.connect();
  return remote;
}

/** A pass that the buyer never asked for. */
async function serveOther(evil: EvilContributor, { verified }: Purchase, tokens: number): Promise<void> {
  const http = new HttpClient(evil.url);
  const modules = verified.layout.modules.map((_, m) => m);
  const X = new Int16Array(tokens * verified.layout.modules[0]!.dIn).fill(1);
  const request = { modules, passSalt: new Uint8Array(32), tokens, X };
  await new ContributorClient(http).pass("t", 1, encodePassRequest(request), 2 ** 24);
  await http.close();
}
