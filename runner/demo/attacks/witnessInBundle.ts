/** Every scalar of the witness, in every spelling, searched in all that leaves the prover. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadServedAdapter } from "../../contributor/adapters.ts";
import type { ContributorEvent } from "../../contributor/events.ts";
import { uintLE } from "../../protocol/bytes.ts";
import { mod, P } from "../../protocol/field.ts";
import { type GroupWitness, groupWitness } from "../../protocol/statement.ts";
import { stringifyMessage } from "../../wire/messages.ts";
import { PRICE, type World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf } from "./attack.ts";
import { WireBuyer } from "./wireBuyer.ts";

export const witnessInBundle: Attack = {
  name: "witness-in-bundle",
  expected:
    "proof bundle, database, folders, events and transactions searched for any scalar of the witness: none is there",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const events: ContributorEvent[] = [];
    const { url, settlement } = await world.serve({
      adapters: [adapterId],
      onEvent: (event) => events.push(event),
    });
    const buyer = await WireBuyer.open(world, url);
    await buyer.pass(5);
    await buyer.pay();
    await buyer.client.end(buyer.token);
    const failure = await settlement.settleAgreement(buyer.agreementId).then(() => undefined, String);
    const { layout, weights, blinds } = loadServedAdapter(world.data, adapterId);
    const places = await everything(world, buyer, events);
    // Also what an error says can be read.
    places.set("a failure", Buffer.from(failure ?? ""));
    const found = search(places, groupWitness(layout, weights, blinds, buyer.state, 0));
    if (found.leaks.size > 0) throw new AttackSucceeded([...found.leaks].join("; "));
    if (failure !== undefined) throw new Error(failure);
    return {
      how: `${found.scalars} scalars in ${found.spellings} spellings are in none of ${found.places} places, ${found.bytes} bytes`,
      gained: await gainOf(world, "contributor", 5n * PRICE),
    };
  },
};

/** All that others see or that lies on a disk, by where it is. */
async function everything(
  world: World,
  { client, token }: WireBuyer,
  events: readonly ContributorEvent[],
): Promise<Map<string, Buffer>> {
  const places = new Map<string, Buffer>();
  for (const entry of readdirSync(world.directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) places.set(path, readFileSync(path));
  }
  places.set("the events", Buffer.from(stringifyMessage(events)));
  const settlement = events.find((event) => event.type === "settled");
  if (settlement === undefined) return places;
  places.set("the bundle", Buffer.from(stringifyMessage(await client.bundle(token))));
  const { publicClient } = world.buyer.ctx;
  const hash = settlement.txHash;
  const transaction = await publicClient.getTransaction({ hash });
  const { logs } = await publicClient.getTransactionReceipt({ hash });
  for (const [i, hex] of [transaction.input, ...logs.map(({ data }) => data)].entries())
    places.set(`data ${i} of the transaction`, Buffer.from(hex.slice(2), "hex"));
  return places;
}

function search(places: ReadonlyMap<string, Buffer>, { yhat, h, s, blind }: GroupWitness) {
  const scalars = [yhat, blind, ...h, ...s].filter((scalar) => scalar !== 0n);
  const leaks = new Set<string>();
  for (const [place, content] of places)
    for (const scalar of scalars)
      for (const [spelling, bytes] of spellings(scalar))
        if (content.includes(bytes)) leaks.add(`a scalar of the witness is in ${place}, ${spelling}`);
  const bytes = [...places.values()].reduce((sum, content) => sum + content.length, 0);
  const spelled = spellings(scalars[0]!).length;
  return { leaks, scalars: scalars.length, spellings: spelled, places: places.size, bytes };
}

/** A scalar as it could have been written: itself, its negative and its Montgomery form, without leading zeros. */
function spellings(scalar: bigint): [name: string, bytes: Buffer][] {
  return Object.entries({
    plain: scalar,
    negative: P - scalar,
    Montgomery: mod(scalar << 256n),
  }).flatMap(([form, value]): [string, Buffer][] => {
    const hex = value.toString(16);
    const little = Buffer.from(uintLE(value, Math.ceil(hex.length / 2)));
    return [
      [`${form}, decimal`, Buffer.from(value.toString())],
      [`${form}, hex`, Buffer.from(hex)],
      [`${form}, upper-case hex`, Buffer.from(hex.toUpperCase())],
      [`${form}, little-endian`, little],
      [`${form}, big-endian`, Buffer.from(little).reverse()],
    ];
  });
}
