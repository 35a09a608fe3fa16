/** The fixed inputs that all vectors start from. */
import type { Hex } from "../../runner/protocol/bytes.ts";
import { type AdapterLayout, layoutModules } from "../../runner/protocol/layout.ts";
import { answer } from "../../runner/protocol/quantise.ts";
import type { RegistrationModule } from "../../runner/protocol/registration.ts";

export const CHAIN_ID = 31337;
/** Where a fresh local chain puts its first three contracts. */
export const REGISTRY: Hex = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
export const ESCROW: Hex = "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512";
export const VERIFIER: Hex = "0x9fe46736679d2d9a65f0992f2272de9f3c7fa6e0";

/** Hardhat's first three accounts: known to everyone. */
export const CONTRIBUTOR_KEY: Hex = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
export const CONTRIBUTOR: Hex = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
export const BUYER: Hex = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
export const SIGNER_KEY: Hex = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
export const SIGNER: Hex = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc";

/** 32 bytes start, start + 1, ...: no two places look alike. */
export function salt(start: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => (start + i) & 255);
}

export const REGISTRATION_SEED = salt(0x10);
export const ADAPTER_SALT = salt(0x40);
export const SCALE_SALT = salt(0x80);
export const KEY_SIZE = 14;

/** Numbers of both signs spread over [-limit, limit], both ends included. */
function spread(count: number, limit: number, step: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    if (i === 0) return limit;
    if (i === 1) return -limit;
    return ((i * step) % (2 * limit + 1)) - limit;
  });
}

const module = (
  name: string,
  [dIn, dOut, r]: [number, number, number],
  group: number,
  step: number,
): RegistrationModule => ({
  name,
  dIn,
  dOut,
  r,
  group,
  Aq: Int8Array.from(spread(r * dIn, 127, step)),
  Bq: Int8Array.from(spread(dOut * r, 127, step + 6)),
  b: Float64Array.from({ length: dOut }, (_, j) => (j === 0 ? 0 : 1 / (step * j))),
});

/** Two modules in one group, which read the same input, and one in another. */
export const MODULES: RegistrationModule[] = [
  module("layers.0.q_proj", [5, 3, 2], 0, 37),
  module("layers.0.v_proj", [5, 4, 3], 0, 59),
  module("layers.0.o_proj", [4, 2, 1], 1, 83),
];

export const LAYOUT: AdapterLayout = layoutModules(MODULES, KEY_SIZE);

export interface VectorPass {
  passSalt: Uint8Array;
  tokens: number;
  X: Int16Array[];
  Y: Float64Array[];
}

function pass(start: number, tokens: number, step: number): VectorPass {
  const shared = Int16Array.from(spread(tokens * 5, 32767, step));
  const X = [shared, shared, Int16Array.from(spread(tokens * 4, 32767, step + 1000))];
  const Y = MODULES.map(({ Aq, Bq, dIn, dOut, r }, m) => answer(Aq, Bq, X[m]!, tokens, dIn, dOut, r));
  return { passSalt: salt(start), tokens, X, Y };
}

/** Two passes of 3 and 2 tokens. */
export const PASSES: VectorPass[] = [pass(0xa0, 3, 7919), pass(0xc0, 2, 12_343)];
