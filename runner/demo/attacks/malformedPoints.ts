/** Points and scalars that are none, in claims, statements and commitments. */
import { encodeFunctionData, type Hex } from "viem";
import { loraEscrowAbi } from "../../chain/generated/abi.ts";
import { transact } from "../../chain/transact.ts";
import { uintLE } from "../../protocol/bytes.ts";
import { P, Q } from "../../protocol/field.ts";
import type { World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { statementWords } from "./evilContributor.ts";
import { honestAdapter, inspect, registerForgery, withCommitments } from "./forgery.ts";
import { type Sale, sell } from "./sale.ts";
import { settleByHand } from "./settling.ts";

const word = (value: bigint): Uint8Array => uintLE(value, 32).reverse();

function put(file: Uint8Array, bytes: Uint8Array, at: number): Uint8Array {
  file.set(bytes, at);
  return file;
}

/** Commitment files that are wrong in one place, each shown to a buyer. */
async function tryCommitments(world: World): Promise<string[]> {
  const { manifest, commitments } = await honestAdapter(world);
  const FIRST_POINT = 36;
  const cases: [string, string, (file: Uint8Array) => Uint8Array][] = [
    ["a commitment off the curve", "point/off-curve", (file) => put(file, word(1n), FIRST_POINT)],
    ["a coordinate of q", "point/not-canonical", (file) => put(file, word(Q), FIRST_POINT)],
    ["infinity", "point/infinity", (file) => put(file, new Uint8Array(64), FIRST_POINT)],
    ["a scalar of p", "manifest/commitments", (file) => put(file, uintLE(P, 32), file.length - 32)],
    ["a file too short", "manifest/commitments", (file) => file.slice(0, -64)],
  ];
  const refusals: string[] = [];
  for (const [what, code, change] of cases) {
    const file = change(commitments.slice());
    const forgery = { manifest: withCommitments(manifest, file), commitments: file };
    const { url } = await registerForgery(world, forgery);
    refusals.push((await refused(what, code, () => inspect(world, url))).message);
  }
  return refusals;
}

/** Settlements that are wrong in one place, each sent to the escrow. */
async function trySettlements(world: World, { signed, proven }: Sale): Promise<void> {
  const { V, claims } = proven;
  const { ctx } = world.contributor;
  const [{ group, a, b, c }, ...rest] = claims as [Sale["proven"]["claims"][0], ...Sale["proven"]["claims"]];
  const [x, y] = [a[0]!, a[1]!];
  const bad = [
    { a: [x, y + 1n], b, c },
    { a: [x + Q, y], b, c },
    { a: [0n, 0n], b, c },
    { a, b: [1n, 2n, 3n, 4n], c },
    { a, b: [b[0]! + Q, ...b.slice(1)], c },
    { a, b: [0n, 0n, 0n, 0n], c },
    { a, b, c: [c[0]!, c[1]! + Q] },
    { a, b, c: [1n, 1n] },
    { a, b, c: [0n, 0n] },
  ] as typeof claims;
  for (const proof of bad)
    for (const others of [[], rest])
      await refused("the claim", "contract/invalid-proof", () =>
        settleByHand(ctx, signed, { V, claims: [{ ...proof, group }, ...others] }),
      );
  for (const [V2, code] of [
    [V.slice(1), "contract/wrong-statement-count"],
    [[...V, V[0]!], "contract/wrong-statement-count"],
    [[V[1]!, V[0]!, ...V.slice(2)], "contract/statements-hash-mismatch"],
  ] as const)
    await refused("the statements", code, () => settleByHand(ctx, signed, { V: V2, claims }));
  const { receipt, signature } = signed;
  const args = [receipt.agreementId, receipt, signature, statementWords(V), claims] as const;
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "settle", args });
  await refused("a call that ends early", "chain/", () =>
    transact(ctx, { to: ctx.deployment.escrow, data: data.slice(0, -64) as Hex }),
  );
}

export const malformedPoints: Attack = {
  name: "malformed-points",
  expected:
    "points off the curve, at infinity or with coordinates >= q, scalars >= p, wrong lengths, in commitments, statements and claims: all refused",
  async run(world) {
    const refusals = await tryCommitments(world);
    const sale = await sell(world, { modulesPerProof: 1 });
    await trySettlements(world, sale);
    const gained = await gainOf(world, "contributor");
    // all that failed left the agreement as it was
    await settleByHand(world.contributor.ctx, sale.signed, sale.proven);
    if ((await gainOf(world, "contributor", sale.due)) !== 0n)
      throw new AttackSucceeded("pay is not what is due");
    return {
      how: `${refusals.join("; ")}; every malformed settlement reverts, the right one still pays`,
      gained,
    };
  },
};
