/** A registered adapter and an honest session over it, small enough for many tests. */
import { getRandomValues } from "node:crypto";
import { after } from "node:test";
import { loadCommitKey } from "../../runner/keys/load.ts";
import { decodeKeyPoints, type KeyPoints } from "../../runner/protocol/commitment.ts";
import { type CheckedAdapter, checkManifest } from "../../runner/protocol/commitmentsFile.ts";
import { type Curve, loadCurve } from "../../runner/protocol/curve.ts";
import { addPass, initialState, type Pass, type SessionState } from "../../runner/protocol/fold.ts";
import { vkHash } from "../../runner/protocol/key.ts";
import { manifestLayout } from "../../runner/protocol/manifest.ts";
import { answer } from "../../runner/protocol/quantise.ts";
import {
  type Registration,
  type RegistrationInput,
  registerAdapter,
  registrationBlinds,
} from "../../runner/protocol/registration.ts";

const randomBytes = (count: number): Uint8Array => getRandomValues(new Uint8Array(count));

export const REGISTRY = "0x00000000000000000000000000000000000000aa";
export const CONTRIBUTOR = "0x00000000000000000000000000000000000000bb";
export const AGREEMENT = new Uint8Array(32).fill(7);

export interface Shape {
  dIn: number;
  dOut: number;
  r: number;
  group: number;
}

export interface Scenario {
  curve: Curve;
  key: KeyPoints;
  input: RegistrationInput;
  registration: Registration;
  checked: CheckedAdapter;
}

/** Integers uniform in [-limit, limit]. */
export function randomIntegers(count: number, limit: number): Int16Array {
  return Int16Array.from({ length: count }, () => Math.floor(Math.random() * (2 * limit + 1)) - limit);
}

/** The dev key's points; the curve's workers are stopped when the test file ends. */
export async function loadKey(
  size: number,
): Promise<{ curve: Curve; key: KeyPoints; vkHash: `0x${string}` }> {
  const curve = await loadCurve();
  const commitKey = await loadCommitKey(size);
  return { curve, key: await decodeKeyPoints(curve, commitKey), vkHash: vkHash(commitKey) };
}

/** Stops the curve's workers after the file's tests. */
export function terminateCurveAfterwards(): void {
  after(async () => (await loadCurve()).terminate());
}

/** Input of a registration with random weights, or with the ones `weight` gives. */
export function registrationInput(
  shapes: readonly Shape[],
  keySize: number,
  vk: `0x${string}`,
  weight?: () => number,
): RegistrationInput {
  const weights = (count: number): Int8Array =>
    weight === undefined
      ? Int8Array.from(randomIntegers(count, 127))
      : Int8Array.from({ length: count }, weight);
  return {
    chainId: 31337,
    registry: REGISTRY,
    contributor: CONTRIBUTOR,
    vkHash: vk,
    keySize,
    baseModel: null,
    modules: shapes.map(({ dIn, dOut, r, group }, m) => ({
      name: `layer.${m}`,
      dIn,
      dOut,
      r,
      group,
      Aq: weights(r * dIn),
      Bq: weights(dOut * r),
      b: Float64Array.from({ length: dOut }, () => Math.random()),
    })),
    seed: randomBytes(32),
    adapterSalt: randomBytes(32),
    scaleSalt: randomBytes(32),
  };
}

/** Registers and checks an adapter with the key of `keySize`. */
export async function scenario(
  shapes: readonly Shape[],
  keySize: number,
  weight?: () => number,
): Promise<Scenario> {
  const { curve, key, vkHash: vk } = await loadKey(keySize);
  const input = registrationInput(shapes, keySize, vk, weight);
  const registration = await registerAdapter(curve, key, input);
  const checked = await checkManifest(curve, key, registration.manifest, registration.commitmentsFile);
  return { curve, key, input, registration, checked };
}

/** An honest pass; `activation` sets every x. */
export function honestPass(input: RegistrationInput, tokens: number, activation?: () => number): Pass {
  const X = input.modules.map(({ dIn }) =>
    activation === undefined
      ? randomIntegers(tokens * dIn, 32767)
      : Int16Array.from({ length: tokens * dIn }, activation),
  );
  return {
    passSalt: randomBytes(32),
    tokens,
    X,
    Y: input.modules.map(({ Aq, Bq, dIn, dOut, r }, m) => answer(Aq, Bq, X[m]!, tokens, dIn, dOut, r)),
  };
}

/** The state after the given passes. */
export function play(
  { registration }: Pick<Scenario, "registration">,
  passes: readonly Pass[],
): SessionState {
  const layout = manifestLayout(registration.manifest);
  return passes.reduce((state, pass) => addPass(layout, state, pass), initialState(layout, AGREEMENT));
}

/** The contributor's blinds, derived again from the seed. */
export function blindsOf(input: RegistrationInput) {
  return registrationBlinds(input);
}
