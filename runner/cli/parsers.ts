/** Values of options and arguments; what cannot be meant is wrong use. */
import { InvalidArgumentError, Option } from "commander";
import { isAddress, zeroAddress } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import type { ModulesPerProof } from "../protocol/groups.ts";
import type { Address } from "../protocol/typedData.ts";
import { isAmount } from "./amounts.ts";

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?[0-9]+$/.test(text) || !Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(
        `Expected a whole number ${most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`}.`,
      );
    return value;
  };
}

/** A number, perhaps with a fraction. */
export function decimalNumber(text: string): number {
  if (!/^-?[0-9]+(\.[0-9]+)?$/.test(text)) throw new InvalidArgumentError("Expected a number.");
  return Number(text);
}

/** 32 bytes: an id or hash. */
export function hash(text: string): Hex {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError("Expected 0x and 32 bytes in hex.");
  return text.toLowerCase() as Hex;
}

/** An account; its checksum, if it has one, must be right. */
export function address(text: string): Address {
  if (!isAddress(text))
    throw new InvalidArgumentError("Expected an address (0x and 20 bytes, its checksum right).");
  return text;
}

/** An amount of a token that is not known yet. */
export function amountText(text: string): string {
  if (!isAmount(text)) throw new InvalidArgumentError("Expected an amount like 1000, 20gwei or 0.5eth.");
  return text;
}

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds: `90`, `90s`, `10m`, `2h`, `30d`, `1w`. */
export function seconds(text: string): bigint {
  const [, number, unit = "s"] = /^([0-9]{1,9})([smhdw])?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Expected a time like 90s, 10m, 2h or 30d.");
  return BigInt(Number(number) * SECONDS[unit]!);
}

/** An option in seconds whose help shows its default as it would be typed. */
export function timeOption(flags: string, description: string, byDefault: string): Option {
  return new Option(flags, description).argParser(seconds).default(seconds(byDefault), byDefault);
}

/** An option that names an ERC-20; ETH without it, which the contracts know as the zero address. */
export function tokenOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(address).default(zeroAddress, "ETH");
}

/** How many modules one proof covers. */
export function modulesPerProof(text: string): ModulesPerProof {
  return text === "all" ? "all" : wholeNumber(1)(text);
}

/** `MODULE=NODE`, repeatable: the node of the model a module attaches to. */
export function nodeChoice(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("Expected MODULE=NODE.");
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Collects an option that can be given more than once. */
export function several<Value>(parse: (text: string) => Value): (text: string, earlier?: Value[]) => Value[] {
  return (text, earlier = []) => [...earlier, parse(text)];
}

/** An http or https address. */
export function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidArgumentError("Expected an address like http://127.0.0.1:8545.");
  return text;
}
