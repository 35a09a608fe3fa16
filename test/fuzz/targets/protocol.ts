/** The pure protocol's readers: what one party sends, stores or publishes and the other reads. */
import { readFileSync } from "node:fs";
import { keyPaths } from "../../../runner/keys/store.ts";
import { equalBytes, takeFrom } from "../../../runner/protocol/bytes.ts";
import { decodeCommitmentsFile, encodeCommitmentsFile } from "../../../runner/protocol/commitmentsFile.ts";
import { decodePoints, encodePoints, loadCurve } from "../../../runner/protocol/curve.ts";
import { initialState } from "../../../runner/protocol/fold.ts";
import { decodeCommitKey, encodeCommitKey, vkHash } from "../../../runner/protocol/key.ts";
import {
  decodeManifest,
  decodeScales,
  encodeManifest,
  encodeScales,
  manifestLayout,
} from "../../../runner/protocol/manifest.ts";
import { decodeOpening, encodeOpening, openingOf } from "../../../runner/protocol/openingFile.ts";
import { decodeState, encodeState } from "../../../runner/protocol/sessionState.ts";
import { checkSignature, messageDigest } from "../../../runner/protocol/typedData.ts";
import { parseMessage, receiptRequestSchema } from "../../../runner/wire/messages.ts";
import { generateJson, mutateJson } from "../mutateJson.ts";
import { bytesOf, type FuzzTarget, promise, textOf } from "../target.ts";
import { LAYOUT, MANIFEST } from "./layout.ts";
import { RECEIPT_REQUEST } from "./messages.ts";

const DOMAIN = { chainId: 31337n, escrow: `0x${"e".repeat(40)}` } as const;

/** What a reader accepts is written as the same bytes. */
const same = (written: Uint8Array, input: Uint8Array): void =>
  promise(equalBytes(written, input), "what was accepted is written differently");

export async function targets(): Promise<FuzzTarget[]> {
  const commitKey = new Uint8Array(readFileSync(keyPaths(14).commitKey));
  const points = decodeCommitKey(commitKey).bases;
  const curve = await loadCurve();
  const state = {
    ...initialState(LAYOUT, new Uint8Array(32).fill(1)),
    ...{ passes: 2, tokens: 7, lastSalt: new Uint8Array(32).fill(2) },
  };
  return [
    {
      name: "manifest",
      seeds: [encodeManifest(MANIFEST), encodeManifest({ ...MANIFEST, baseModel: null })],
      mutators: [mutateJson],
      generate: generateJson,
      run: (input) => {
        const manifest = decodeManifest(input);
        same(encodeManifest(manifest), input);
        manifestLayout(manifest);
      },
    },
    {
      name: "commitments-file",
      seeds: [commitmentsFile(points)],
      mutators: [],
      run: (input) => {
        const { encoded, knowledge } = decodeCommitmentsFile(LAYOUT, input);
        same(encodeCommitmentsFile(encoded, knowledge), input);
      },
    },
    {
      name: "points",
      seeds: [points, points.slice(0, 64)],
      mutators: [],
      run: async (input) => {
        same(await encodePoints(curve, await decodePoints(curve, input, "points")), input);
      },
    },
    {
      name: "opening-file",
      seeds: [encodeOpening(openingOf(`0x${"a".repeat(64)}`, `0x${"b".repeat(64)}`, LAYOUT.groups, state))],
      mutators: [],
      run: (input) => same(encodeOpening(decodeOpening(input)), input),
    },
    {
      name: "session-state",
      seeds: [encodeState(state), encodeState(initialState(LAYOUT, new Uint8Array(32)))],
      mutators: [],
      run: (input) => same(encodeState(decodeState(LAYOUT, input)), input),
    },
    {
      name: "scales",
      seeds: [encodeScales(Float64Array.from([0, 1e-8, 0.5, 1e300, 2 ** -1074]))],
      mutators: [],
      run: (input) => same(encodeScales(decodeScales(input, 5, "b")), input),
    },
    {
      name: "commit-key",
      seeds: [commitKey],
      mutators: [],
      run: (input) => {
        const key = decodeCommitKey(input);
        same(encodeCommitKey(key), input);
        vkHash(key);
      },
    },
    {
      name: "signature",
      seeds: [bytesOf(JSON.stringify(RECEIPT_REQUEST))],
      mutators: [mutateJson],
      run: async (input) => {
        const { receipt, signature } = parseMessage(receiptRequestSchema, jsonOf(input), "receipt");
        messageDigest(DOMAIN, "Receipt", receipt);
        await checkSignature(DOMAIN, "Receipt", receipt, signature, `0x${"c".repeat(40)}`);
      },
    },
  ];
}

/** Other readers see to it that this is JSON. */
function jsonOf(input: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(input));
  } catch {
    return undefined;
  }
}

/** Any points of the curve will do: only `checkKnowledge` looks at what they are. */
function commitmentsFile(points: Uint8Array): Uint8Array {
  let take = takeFrom(points);
  let left = points.length;
  const next = (count: number): Uint8Array => {
    if (left < 64 * count) {
      take = takeFrom(points);
      left = points.length;
    }
    left -= 64 * count;
    return take(64 * count);
  };
  const z = (r: number): bigint[] => Array.from({ length: r + 1 }, (_, k) => BigInt(k) ** 50n);
  return encodeCommitmentsFile(
    LAYOUT.modules.map(({ dIn, dOut }) => ({ CA: next(dIn), CB: next(dOut) })),
    LAYOUT.modules.map(({ r }) => ({ A: { T: next(1), z: z(r) }, B: { T: next(1), z: z(r) } })),
  );
}
