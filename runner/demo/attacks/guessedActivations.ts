/** Someone who watches the chain tests a guess of what a buyer asked. */
import { decodeFunctionData } from "viem";
import type { VerifiedAdapter } from "../../buyer/opening/verifyAdapter.ts";
import { loraEscrowAbi } from "../../chain/generated/abi.ts";
import { loadServedAdapter } from "../../contributor/adapters.ts";
import { equalBytes, fromHex, type Hex } from "../../protocol/bytes.ts";
import { encodePoint, loadCurve, multiExp, packScalars } from "../../protocol/curve.ts";
import { mod } from "../../protocol/field.ts";
import { foldInto } from "../../protocol/fold.ts";
import { buyerStatements } from "../../protocol/statement.ts";
import { foldWeights, statementBlind } from "../../protocol/transcript.ts";
import type { PassRequest } from "../../wire/passRequest.ts";
import { PRICE, type World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf } from "./attack.ts";
import { proveState, settleByHand } from "./settling.ts";
import { WireBuyer } from "./wireBuyer.ts";

/** What is guessed: one pass with its answers. */
interface Guess {
  request: PassRequest;
  Y: Float64Array[];
}

export const guessedActivations: Attack = {
  name: "guessed-activations",
  expected:
    "an observer who guesses X and Y right tests the guess against V on chain: the blind t_g hides whether it is",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const { url } = await world.serve({ adapters: [adapterId] });
    const buyer = await WireBuyer.open(world, url);
    const request = buyer.request(5);
    const Y = await buyer.ask(1, request);
    buyer.fold(request, Y);
    const signed = await buyer.pay();
    const proven = await proveState(loadServedAdapter(world.data, adapterId), signed.state);
    const { txHash } = await settleByHand(world.contributor.ctx, signed, proven);

    const { head, V } = await onChain(world, txHash);
    const { verified } = buyer.purchase;
    const right = await unblinded(verified, head, { request, Y });
    if (equalBytes(right, V)) throw new AttackSucceeded("V on chain confirms a right guess");
    // what t_g does: taken out, the right guess is confirmed and a wrong one is not
    const t = statementBlind(request.passSalt, head, 0);
    const bare = await addBlind(verified, V, -t);
    const X = request.X.map((x, i) => (i === 7 ? -x - 1 : x));
    const wrong = await unblinded(verified, head, { request: { ...request, X }, Y });
    if (!equalBytes(right, bare) || equalBytes(wrong, bare))
      throw new Error("the observer computes something else than the statement");
    return {
      how: "the point that follows from X and Y guessed right is not V on chain; less t_g·Z, which takes the pass's secret salt, it would be, and that of a guess wrong in one place would not",
      gained: await gainOf(world, "contributor", 5n * PRICE),
    };
  },
};

/** All that the settlement shows of a session. */
async function onChain(world: World, hash: Hex): Promise<{ head: Uint8Array; V: Uint8Array }> {
  const { input } = await world.stranger.ctx.publicClient.getTransaction({ hash });
  const { args, functionName } = decodeFunctionData({ abi: loraEscrowAbi, data: input });
  if (functionName !== "settle") throw new Error("this is no settlement");
  const [x, y] = args[3][0]!;
  const V = fromHex(`0x${[x, y].map((word) => word.toString(16).padStart(64, "0")).join("")}`);
  return { head: fromHex(args[1].head), V };
}

/** V of a guess without its blind: manifest, head and guess are all it takes. */
async function unblinded(adapter: VerifiedAdapter, head: Uint8Array, guess: Guess): Promise<Uint8Array> {
  const { key, layout, commitments, sums } = adapter;
  const { X, tokens } = guess.request;
  const fold = (rows: Int16Array | Float64Array, m: number, width: number): bigint[] =>
    foldInto(new Array<bigint>(width).fill(0n), rows, foldWeights(head, m, tokens), width);
  const lastSalt = new Uint8Array(32);
  const state = {
    passes: 1,
    tokens,
    head,
    lastSalt,
    xBar: layout.modules.map(({ dIn }, m) => fold(X, m, dIn)),
    yBar: layout.modules.map(({ dOut }, m) => fold(guess.Y[m]!, m, dOut)),
  };
  const [V] = await buyerStatements(await loadCurve(), key, layout, commitments, sums, state);
  return addBlind(adapter, V!, -statementBlind(lastSalt, head, 0));
}

/** V + t Z, 64 bytes big-endian. */
async function addBlind({ key }: VerifiedAdapter, V: Uint8Array, t: bigint): Promise<Uint8Array> {
  const curve = await loadCurve();
  const shift = await multiExp(curve, key.Z, packScalars([mod(t)], 32));
  return encodePoint(curve, curve.G1.add(curve.G1.fromRprUncompressed(V, 0), shift));
}
