/** Money moved behind the escrow's back, and files that are not those of the sale. */
import { copyFileSync, cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeAbiParameters, keccak256, numberToHex } from "viem";
import { credits } from "../../chain/agreements.ts";
import type { ServedAdapter } from "../../contributor/adapters.ts";
import { loadCommitKey } from "../../keys/load.ts";
import { fromHex } from "../../protocol/bytes.ts";
import { decodeKeyPoints } from "../../protocol/commitment.ts";
import { decodeCommitmentsFile, encodeCommitmentsFile } from "../../protocol/commitmentsFile.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { proveKnowledge } from "../../protocol/knowledge.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { Market, Sale } from "./sale.ts";
import { asSold, type Tampered, type Tampering } from "./tampering.ts";

const ETH: Address = "0x0000000000000000000000000000000000000000";

/** A folder for altered copies. */
const copies = (market: Market): string => mkdtempSync(join(market.directory, "altered-"));

/** A copy of a file with some bytes changed. */
function altered(market: Market, file: string, change: (bytes: Buffer) => void): string {
  const bytes = readFileSync(file);
  change(bytes);
  const copy = join(copies(market), "copy.bin");
  writeFileSync(copy, bytes);
  return copy;
}

/** A copy of the transcript with its first pass changed. */
function alteredTranscript(market: Market, sale: Sale, change: (bytes: Buffer) => void): string {
  const folder = copies(market);
  cpSync(sale.files.transcript, folder, { recursive: true });
  const first = join(folder, "pass-00000001.bin");
  copyFileSync(altered(market, first, change), first);
  return folder;
}

/** A copy of the public files with one of them changed. */
function alteredPublicFiles(
  market: Market,
  sale: Sale,
  name: "manifest.json" | "commitments.bin",
  change: (bytes: Buffer) => void,
): string {
  const folder = copies(market);
  cpSync(sale.files.manifest, folder, { recursive: true });
  copyFileSync(altered(market, join(folder, name), change), join(folder, name));
  return folder;
}

/** The buyer's credit, raised where the escrow keeps it. */
async function raiseCredit(market: Market): Promise<Tampered> {
  const { escrow } = market.contributor.deployment;
  const account = market.buyer.account.address;
  const word = (type: string, value: unknown, slot: `0x${string}`) =>
    keccak256(encodeAbiParameters([{ type }, { type: "bytes32" }], [value, slot]));
  for (let slot = 0; slot < 8; slot++) {
    const place = word("address", account, word("address", ETH, numberToHex(slot, { size: 32 })));
    const value = numberToHex(10n ** 9n, { size: 32 });
    await market.request("hardhat_setStorageAt", [escrow, place, value]);
    if ((await credits(market.buyer, ETH, account)) === 10n ** 9n) return {};
    await market.request("hardhat_setStorageAt", [escrow, place, numberToHex(0, { size: 32 })]);
  }
  throw new Error("credits were not found in the escrow's storage");
}

/** The first two columns of A exchanged after the proof of knowledge was made for them in order. */
async function unprovenCommitments({
  layout,
  manifest,
  commitments,
  weights,
  blinds,
}: ServedAdapter): Promise<Uint8Array> {
  const curve = await loadCurve();
  const key = await decodeKeyPoints(curve, await loadCommitKey(layout.keySize));
  const { encoded } = decodeCommitmentsFile(layout, commitments);
  const { chainId, registry, contributor, vkHash, adapterSalt } = manifest;
  const salt = fromHex(adapterSalt, 32);
  const context = { chainId: BigInt(chainId), registry, contributor, vkHash, adapterSalt: salt };
  const swapped = encoded.map(({ CA, CB }, m) => ({ CA: m === 0 ? exchanged(CA) : CA, CB }));
  const knowledge = await proveKnowledge(curve, key, context, layout, swapped, weights, blinds);
  return encodeCommitmentsFile(swapped, knowledge);
}

function exchanged(points: Uint8Array): Uint8Array {
  const out = points.slice();
  out.set(points.subarray(64, 128), 0);
  out.set(points.subarray(0, 64), 64);
  return out;
}

/** The module's map, turned round: as good an adapter, and another. */
const negated = (weights: ServedAdapter["weights"]): ServedAdapter["weights"] =>
  weights.map((module, m) => (m === 0 ? { ...module, Aq: module.Aq.map((weight) => -weight) } : module));

/** Where the answers of the first module begin in a pass file: magic, salt, T, and X of 2 tokens, 128 wide. */
const FIRST_Y = 32 + 32 + 4 + 2 * 2 * 128;
/** Second token, third column of 128. */
const SOME_Y = FIRST_Y + 8 * (128 + 2);
/** Low byte of the first folded activation: header, two groups' t, shape. */
const FIRST_XBAR = 32 * 3 + 16 + 32 + 8 + 2 * 32 + 8;

export const FILE_TAMPERINGS: readonly Tampering[] = [
  {
    name: "wrong-balance",
    what: "an account's credit was raised without an agreement",
    caughtBy: ["ledger"],
    says: /the escrow credits 0x[0-9a-f]{40} with 1000000000, its events with 0/,
    tamper: raiseCredit,
  },
  {
    name: "other-weights",
    what: "the answers were given and proven with other weights than were registered, and the buyer signed for them",
    caughtBy: ["statements"],
    says: /the statement of group 0 \(.*c_proj.*\) does not follow from/,
    terms: { substitute: negated },
    tamper: asSold,
  },
  {
    name: "two-histories",
    what: "two receipts were settled under one agreement that are not of one session",
    caughtBy: ["transcript"],
    says: /another settled receipt, for 1 passes and 2 tokens .* is of another session/,
    terms: { secondHistory: true },
    tamper: async (_, sale) => ({ files: { transcript: join(dirname(sale.files.transcript), "paid") } }),
  },
  {
    name: "altered-transcript",
    what: "one answer in the transcript is not the one that was given",
    caughtBy: ["transcript"],
    says: /pass 1, module transformer\.h\.0\.attn\.c_proj, token 1, column 2 of Y/,
    tamper: async (market, sale) => ({
      files: {
        transcript: alteredTranscript(market, sale, (bytes) => {
          bytes[SOME_Y]! ^= 1;
        }),
      },
      copies: [sale.files.transcript],
    }),
  },
  {
    name: "answer-out-of-range",
    what: "an answer in the transcript is larger than any honest one",
    caughtBy: ["transcript"],
    says: /pass 1, module transformer\.h\.0\.attn\.c_proj, token 1, column 2: y = -?[0-9]+ is beyond/,
    tamper: async (market, sale) => ({
      files: {
        transcript: alteredTranscript(market, sale, (bytes) => bytes.writeBigInt64LE(2n ** 60n, SOME_Y)),
      },
    }),
  },
  {
    name: "altered-opening",
    what: "the opening file is not what the statements open to",
    caughtBy: ["statements", "opening"],
    says: /the statement of group 0 .* does not follow from the opening file/,
    tamper: async (market, sale) => ({
      files: {
        opening: altered(market, sale.files.opening, (bytes) => {
          bytes[FIRST_XBAR]! ^= 1;
        }),
      },
    }),
  },
  {
    name: "other-manifest",
    what: "the manifest shown is not the one registered",
    caughtBy: ["manifest"],
    says: /the manifest has the hash 0x[0-9a-f]{64}, registered is/,
    tamper: async (market, sale) => ({
      files: {
        manifest: alteredPublicFiles(market, sale, "manifest.json", (bytes) => {
          bytes[bytes.indexOf("c_proj")] = 0x63 ^ 1;
        }),
      },
    }),
  },
  {
    name: "wrong-commitments",
    what: "the commitments shown are not those of the manifest",
    caughtBy: ["commitments"],
    says: /the commitments file has the hash/,
    tamper: async (market, sale) => ({
      files: {
        manifest: alteredPublicFiles(market, sale, "commitments.bin", (bytes) => {
          bytes.copyWithin(36, 100, 164);
        }),
      },
    }),
  },
  {
    name: "unproven-commitments",
    what: "commitments were registered whose openings the contributor does not know in that order",
    caughtBy: ["knowledge"],
    says: /transformer\.h\.0\.attn\.c_proj: the proof of knowledge of A does not hold/,
    terms: { forge: unprovenCommitments },
    tamper: asSold,
  },
];
