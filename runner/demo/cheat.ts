/** `demo --cheat NAME`: one attack against real parts, in a world of its own. */
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { AttackSucceeded } from "./attacks/attack.ts";
import { ATTACKS } from "./attacks/list.ts";
import { World } from "./world.ts";

export interface CheatResult {
  name: string;
  attackFailed: boolean;
  how: string;
  /** Money moved beyond what is due, smallest units. */
  gained: string;
}

/**
 * Runs an attack. `attackFailed` is false when it worked or gained money.
 * @throws DeltapayError `demo/unknown-cheat`, and any failure that is not the attack's
 */
export async function cheat(name: string): Promise<CheatResult> {
  const attack = ATTACKS.find((candidate) => candidate.name === name);
  if (attack === undefined)
    throw new DeltapayError("demo/unknown-cheat", `there is no attack called '${name}'`, {
      field: "cheat",
      hint: "`deltapay demo --cheat list` names them",
    });
  const world = await World.open();
  try {
    const { how, gained } = await attack.run(world);
    return { name, attackFailed: gained <= 0n, how, gained: gained.toString() };
  } catch (error) {
    if (error instanceof AttackSucceeded)
      return { name, attackFailed: false, how: error.message, gained: "unknown" };
    throw error;
  } finally {
    await world.close();
    await (await loadCurve()).terminate();
  }
}
