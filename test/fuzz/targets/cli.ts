/** What people type, and what servers say who they are. */
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { formatAmount, parseAmount } from "../../../runner/cli/amounts.ts";
import * as parsers from "../../../runner/cli/parsers.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { clientOf } from "../../../runner/wire/clientAddress.ts";
import type { SeededRandom } from "../../kill/random.ts";
import { bytesOf, type FuzzTarget, promise, textOf } from "../target.ts";

const ETH = { address: `0x${"0".repeat(40)}`, symbol: "ETH", decimals: 18 } as const;
const COIN = { address: `0x${"1".repeat(40)}`, symbol: "US.DC", decimals: 6 } as const;

const TEXT = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.stringMatching(/^\s?[0-9]{1,40}(\.[0-9]{0,40})? ?(eth|gwei|wei|US\.DC|[a-z.]*)$/),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.ipV6(),
  fc.stringMatching(/^(0x)?[0-9a-fA-F]{0,70}$/),
);

let drawn: string[] = [];

const generate = (random: SeededRandom): Uint8Array => {
  if (drawn.length === 0) drawn = fc.sample(TEXT, { seed: random.below(2 ** 31), numRuns: 500 });
  return bytesOf(drawn.pop()!);
};

const PARSERS: Record<string, (text: string) => unknown> = {
  wholeNumber: parsers.wholeNumber(1, 65_535),
  decimalNumber: parsers.decimalNumber,
  hash: parsers.hash,
  address: parsers.address,
  seconds: parsers.seconds,
  modulesPerProof: parsers.modulesPerProof,
  nodeChoice: parsers.nodeChoice,
  httpUrl: parsers.httpUrl,
  clientOf,
};

export function targets(): FuzzTarget[] {
  return [
    {
      name: "cli-amounts",
      seeds: ["1000", "0.5eth", "20 gwei", "1wei", "3.5US.DC", "1.000000000000000000 ETH"].map(bytesOf),
      mutators: [],
      generate,
      run: (input) => {
        for (const token of [ETH, COIN]) {
          const value = parseAmount(textOf(input), token, "amount");
          promise(
            parseAmount(formatAmount(value, token), token, "amount") === value,
            "written as another amount",
          );
        }
      },
    },
    {
      name: "cli-values",
      seeds: [
        "1",
        "1.5",
        `0x${"a".repeat(64)}`,
        `0x${"1".repeat(40)}`,
        "90s",
        "all",
        "a=b",
        "http://[::1]:80/x",
        "::1",
        "2001:db8::1",
      ].map(bytesOf),
      mutators: [],
      generate,
      refusals: [InvalidArgumentError, DeltapayError],
      run: (input) => {
        let refusal: unknown;
        for (const parse of Object.values(PARSERS))
          try {
            parse(textOf(input));
          } catch (error) {
            if (!(error instanceof InvalidArgumentError)) throw error;
            refusal = error;
          }
        if (refusal !== undefined) throw refusal;
      },
    },
  ];
}
