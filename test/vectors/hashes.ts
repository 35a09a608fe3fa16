/** Vectors of the three hash functions by themselves. */
import { u32 } from "../../runner/protocol/bytes.ts";
import { sha, wide, xof, xofAt } from "../../runner/protocol/hash.ts";
import { TAGS } from "../../runner/protocol/tags.ts";
import type { Book } from "./book.ts";
import { salt } from "./inputs.ts";

/** Adds every vector of this file. */
export function addHashes(book: Book): void {
  const fields = [salt(1), u32(7)];
  book.add("sha", { tag: TAGS.fold, fields }, sha(TAGS.fold, ...fields));
  book.add("sha/no-fields", { tag: TAGS.delta, fields: [] }, sha(TAGS.delta));
  const seed = salt(0);
  const stream = xof(seed, 5);
  const integers = Array.from({ length: 5 }, (_, i) => xofAt(stream, i));
  book.add("xof", { seed, n: 5 }, { bytes: stream, integers });
  book.add("wide", { tag: TAGS.commitBlind, fields }, wide(TAGS.commitBlind, ...fields));
}
