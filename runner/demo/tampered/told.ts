/** Nodes that tell of other transactions and events than there were. */
import { concat, numberToHex, pad } from "viem";
import { requireSender, waitFor } from "../../chain/transact.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { alterCall, alterEvent, alterTime, eventLog, hideEvent, together, type Values } from "./lies.ts";
import { type Lie, type Mishear, startLyingNode } from "./lyingNode.ts";
import type { Market, Sale } from "./sale.ts";
import type { Tampered, Tampering } from "./tampering.ts";

async function toldBy({ node }: Market, lie: Lie, mishear?: Mishear): Promise<Tampered> {
  const lying = await startLyingNode(node.rpcUrl, lie, mishear);
  return { rpcUrl: lying.rpcUrl, close: () => lying.close() };
}

/** Values with the one at a place changed. */
function at(place: number, change: (value: never) => unknown): (values: Values) => Values {
  return (values) => values.map((value, i) => (i === place ? change(value as never) : value));
}

const more = (value: bigint): bigint => value + 1n;
const otherHash = (): Hex => `0x${"77".repeat(32)}`;
const DAY = 86_400n;

/** Creation code of a contract that writes one log. */
function logWriter({ topics, data }: { topics: string[]; data: string }): Hex {
  const bytes = data as Hex;
  const length = numberToHex((bytes.length - 2) / 2, { size: 2 });
  const pushes = topics.toReversed().map((topic) => concat(["0x7f", pad(topic as Hex)]));
  const log = concat([...pushes, "0x61", length, "0x6000", numberToHex(0xa0 + topics.length), "0x00"]);
  const copyBytes = 9;
  const offset = numberToHex(copyBytes + (log.length - 2) / 2, { size: 2 });
  return concat(["0x61", length, "0x61", offset, "0x600039", log, bytes]);
}

/** Another contract says that a receipt was paid; and the node does not look whose log it is. */
async function forgeEvent(market: Market, { agreementId }: Sale): Promise<Tampered> {
  const event = eventLog("ReceiptSettled", [
    agreementId,
    otherHash(),
    9n,
    90n,
    otherHash(),
    otherHash(),
    85n,
    90n,
  ]);
  const { walletClient } = requireSender(market.stranger);
  const hash = await walletClient.sendTransaction({ data: logWriter(event) });
  await waitFor(market.stranger, hash);
  const forgetful: Mishear = (method, params) => {
    if (method !== "eth_getLogs") return params;
    const { address: _, ...filter } = params[0] as { address: unknown };
    return [filter];
  };
  return toldBy(market, (_, __, result) => result, forgetful);
}

export const TOLD_TAMPERINGS: readonly Tampering[] = [
  {
    name: "altered-receipt",
    what: "the receipt that was settled covers more tokens than the buyer signed for",
    caughtBy: ["receipts", "transactions"],
    says: /is signed by 0x[0-9a-f]{40}, not by the agreement's signer/,
    tamper: (market) =>
      toldBy(
        market,
        together(alterCall("settle", at(1, at(2, more) as never)), alterEvent("ReceiptSettled", at(3, more))),
      ),
  },
  {
    name: "altered-transaction",
    what: "a transaction is not the one its sender signed",
    caughtBy: ["transactions"],
    says: /has the hash 0x[0-9a-f]{64}: it was altered/,
    tamper: (market) => toldBy(market, alterCall("release", at(0, otherHash))),
  },
  {
    name: "missing-proof",
    what: "a receipt was paid without the proof of one of its groups",
    caughtBy: ["groups"],
    says: /has no proof of group 1/,
    tamper: (market) =>
      toldBy(
        market,
        alterCall(
          "settle",
          at(4, (claims: Values[]) => claims.filter(([group]) => group === 0n)),
        ),
      ),
  },
  {
    name: "foreign-proof",
    what: "a proof of another statement stands where the statement's own should",
    caughtBy: ["proofs-pairing", "proofs-snarkjs", "batches"],
    says: /the proof of group 1 in 0x[0-9a-f]{64} does not prove its statement/,
    tamper: (market) => {
      let other: Values | undefined;
      const change = (claims: Values[]): Values[] =>
        claims.map(([group, ...proof]) => {
          if (group === 0n) other = proof;
          return [group, ...(other ?? proof)];
        });
      return toldBy(market, alterCall("settle", at(4, change as never)));
    },
  },
  {
    name: "altered-offer",
    what: "the agreement was opened on terms that the contributor did not sign",
    caughtBy: ["offer", "agreement"],
    says: /the offer is signed by 0x[0-9a-f]{40}, not by the contributor/,
    tamper: (market) =>
      toldBy(
        market,
        together(
          alterCall("open", at(0, at(3, more) as never)),
          alterEvent("AgreementOpened", at(4, at(3, more) as never)),
        ),
      ),
  },
  {
    name: "wrong-registration",
    what: "the adapter is said to be registered with another manifest",
    caughtBy: ["registration"],
    says: /the registration told of has the id/,
    tamper: (market) => toldBy(market, alterEvent("AdapterRegistered", at(5, otherHash))),
  },
  {
    name: "wrong-credit",
    what: "more is said to be credited for a receipt than its tokens cost",
    caughtBy: ["money"],
    says: /ReceiptSettled in 0x[0-9a-f]{64} says credited = /,
    tamper: (market) =>
      toldBy(
        market,
        alterEvent("ReceiptSettled", (args) => at(7, more)(at(6, more)(args))),
      ),
  },
  {
    name: "hidden-release",
    what: "what was returned to the buyer is kept quiet",
    caughtBy: ["money"],
    says: /the calls and the escrow's storage differ: status/,
    tamper: (market) => toldBy(market, hideEvent("AgreementReleased")),
  },
  {
    name: "forged-event",
    what: "an event of another contract is passed off as the escrow's",
    caughtBy: ["events"],
    says: /passes off an event of 0x[0-9a-f]{40}/,
    tamper: forgeEvent,
  },
  {
    name: "settled-late",
    what: "a receipt was settled after the deadline",
    caughtBy: ["replay", "events"],
    says: /settle of 0x[0-9a-f]{64} (fails|reverts) when it is replayed/,
    tamper: async (market, sale) => {
      const opened = await openedAt(market, sale);
      return toldBy(
        market,
        alterTime((timestamp) => (timestamp > opened ? timestamp + 2n * DAY : timestamp)),
      );
    },
  },
];

/** Time of the block in which the agreement was opened. */
async function openedAt({ buyer }: Market, { agreementId }: Sale): Promise<bigint> {
  const [log] = await buyer.publicClient
    .getLogs({
      address: buyer.deployment.escrow,
      fromBlock: 0n,
      // the first event of an agreement is its opening
      toBlock: "latest",
    })
    .then((logs) => logs.filter(({ topics }) => topics[1] === agreementId));
  return (await buyer.publicClient.getBlock({ blockNumber: log!.blockNumber })).timestamp;
}
