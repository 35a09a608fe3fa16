/** Creation code of the contracts of this version. */
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import contracts from "./generated/bytecode.json" with { type: "json" };

export interface ContractCode {
  /** Creation code, without constructor arguments. */
  bytecode: Hex;
  /** keccak256 of the deployed code; null where it differs from one deployment to the next. */
  runtimeCodeHash: Hex | null;
}

/** Code of the contract of this name. @throws DeltapayError `chain/unknown-contract` */
export function contractCode(name: string): ContractCode {
  const code = (contracts as Record<string, ContractCode | undefined>)[name];
  if (code === undefined)
    throw new DeltapayError("chain/unknown-contract", `this version has no contract ${name}`, {
      hint: "run npm run generate",
    });
  return code;
}
