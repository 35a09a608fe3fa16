/**
 * Stands in for a foreign ERC-20 in a replay: it moves what it is told to, and returns true. The token's own code and
 * storage are not the auditor's to replay.
 */
import type { Hex } from "../primitives/bytes.ts";

const RETURN_TRUE = "600160005260206000f3";
/** With the amount on the stack: storage[the word on top] += amount. */
const ADD = "805482019055";
/** The same, taken away. */
const SUBTRACT = "80548290039055";

/** What each call does; a balance lies in the slot that is its account's address. */
const CALLS: readonly (readonly [selector: string, body: string])[] = [
  // balanceOf(account)
  ["70a08231", "6004355460005260206000f3"],
  // transferFrom(from, to, amount), of tokens that the stand-in takes to be there
  ["23b872dd", `604435602435${ADD}${RETURN_TRUE}`],
  // transfer(to, amount)
  ["a9059cbb", `60243533${SUBTRACT}600435${ADD}${RETURN_TRUE}`],
];

const SELECT = "60003560e01c";
const REVERT = "60006000fd";
/** Bytes of `dup1 push4 eq push2 jumpi`. */
const BRANCH = 11;

function assemble(): Hex {
  let at = (SELECT.length + REVERT.length) / 2 + BRANCH * CALLS.length;
  let branches = "";
  let bodies = "";
  for (const [selector, body] of CALLS) {
    branches += `8063${selector}1461${at.toString(16).padStart(4, "0")}57`;
    bodies += `5b${body}`;
    at += 1 + body.length / 2;
  }
  return `0x${SELECT}${branches}${REVERT}${bodies}`;
}

export const STAND_IN_TOKEN: Hex = assemble();
