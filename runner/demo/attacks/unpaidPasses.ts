/** A buyer that wants answers for nothing: no receipts, the same pass with other contents, passes never finished. */
import { equalBytes } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { encodePassRequest } from "../../wire/passRequest.ts";
import { PRICE, type World } from "../world.ts";
import { type Attack, AttackSucceeded, refused } from "./attack.ts";
import { WireBuyer } from "./wireBuyer.ts";

const MAX_UNPAID = 10n;

/** An open session under an offer that risks 10 tokens. */
async function openSession(world: World): Promise<WireBuyer> {
  const { adapterId } = await world.register("kjv-attn", "all");
  await world.makeOffer(adapterId, { maxUnpaidTokens: MAX_UNPAID });
  const { url } = await world.serve({ adapters: [adapterId] });
  return WireBuyer.open(world, url);
}

/** What tokens served without a receipt beyond the offer's limit are worth. */
function worthBeyondLimit(served: number): bigint {
  const beyond = BigInt(served) - MAX_UNPAID;
  return beyond > 0n ? beyond * PRICE : 0n;
}

/** Why a pass was not served; undefined when it was. */
async function refusalOf(buyer: WireBuyer, tokens: number): Promise<string | undefined> {
  try {
    await buyer.pass(tokens);
    return undefined;
  } catch (error) {
    if (error instanceof DeltapayError && error.code === "session/unpaid-limit") return error.message;
    throw error;
  }
}

export const receiptsDenied: Attack = {
  name: "receipts-denied",
  expected: `no receipt is ever signed: no more than the offer's maxUnpaidTokens (${MAX_UNPAID}) are served`,
  async run(world) {
    const buyer = await openSession(world);
    const refusals: string[] = [];
    // ever smaller passes, each in a session of its own
    for (const tokens of [11, 4, 4, 4, 2, 1, 1]) {
      await buyer.connect();
      const refusal = await refusalOf(buyer, tokens);
      if (refusal !== undefined) refusals.push(refusal);
    }
    const served = buyer.state.tokens;
    return {
      how: `${served} tokens were served, ${refusals.length} passes refused: ${refusals.at(-1)}`,
      gained: worthBeyondLimit(served),
    };
  },
};

export const repeatedPass: Attack = {
  name: "repeated-pass",
  expected:
    "a pass repeated with other activations, another salt or another T: refused, the answers are the first ones",
  async run(world) {
    const buyer = await openSession(world);
    const asked = buyer.request(5, [0, 1]);
    const first = await buyer.askBytes(1, encodePassRequest(asked));
    const refuse = (what: string, code: string, change: Partial<typeof asked>) =>
      refused(what, `session/${code}`, () => buyer.ask(1, { ...asked, ...change }));
    const other = buyer.request(5);
    const words = [
      await refuse("other activations", "changed-repeat", { X: other.X }),
      await refuse("another salt", "changed-repeat", { passSalt: other.passSalt }),
      await refuse("another salt for the rest", "changed-repeat", { ...other, modules: [2, 3] }),
      await refuse("fewer tokens", "changed-tokens", { tokens: 4, X: asked.X.subarray(asked.X.length / 5) }),
      await refuse("more tokens", "changed-tokens", { ...buyer.request(6), passSalt: asked.passSalt }),
    ];
    const rest = { ...asked, modules: [2, 3] };
    buyer.fold(asked, [...(await buyer.ask(1, asked)), ...(await buyer.ask(1, rest))]);
    words.push(await refuse("other activations after the pass", "changed-repeat", { X: other.X }));
    if (!equalBytes(await buyer.askBytes(1, encodePassRequest(asked)), first))
      throw new AttackSucceeded("a repeat got another answer");
    await refused("the salt in another pass", "session/salt-reused", () => buyer.ask(2, asked));
    const { receipt } = await buyer.pay();
    const unpaid = BigInt(buyer.state.tokens) - receipt.tokens;
    return { how: [...new Set(words.map(({ message }) => message))].join("; "), gained: unpaid * PRICE };
  },
};

export const droppedPass: Attack = {
  name: "dropped-pass",
  expected:
    "a pass dropped before its last module and started over: refused, it is finished or nothing more is served",
  async run(world) {
    const buyer = await openSession(world);
    const words = new Set<string>();
    const almost = [0, 1, 2];
    const begun = buyer.request(5, almost);
    const answers = await buyer.ask(1, begun);
    for (let round = 1; round <= 3; round++) {
      await buyer.connect();
      const fresh = buyer.request(5, almost);
      for (const [pass, code] of [
        [1, "session/changed-repeat"],
        [2, "session/wrong-pass"],
      ] as const)
        words.add((await refused("a pass begun anew", code, () => buyer.ask(pass, fresh))).message);
    }
    // finished, it is paid for; dropped for good, it is the last
    buyer.fold(begun, [...answers, ...(await buyer.ask(1, { ...begun, modules: [3] }))]);
    const { receipt } = await buyer.pay();
    const dropped = buyer.request(5, almost);
    await buyer.ask(2, dropped);
    await buyer.client.end(buyer.token);
    await buyer.connect();
    const ended = await refused("its last module after the end", "session/ended", () =>
      buyer.ask(2, { ...dropped, modules: [3] }),
    );
    const served = begun.tokens + dropped.tokens;
    return {
      how: [...words, ended.message].join("; "),
      gained: worthBeyondLimit(served - Number(receipt.tokens)),
    };
  },
};
