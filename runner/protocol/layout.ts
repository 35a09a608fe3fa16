/** Where the modules of an adapter sit: their order, shapes, groups and slots (protocol 2). */
import { DeltapayError } from "./errors.ts";
import { KEY_SIZES } from "./key.ts";

export interface ModuleShape {
  /** PEFT module path, e.g. `transformer.h.0.attn.c_attn`. */
  name: string;
  dIn: number;
  dOut: number;
  /** Rank. */
  r: number;
  /** Index of the group whose proof covers the module. */
  group: number;
}

export interface ModuleLayout extends ModuleShape {
  /** First slot in its group: the running sum of ranks in manifest order. */
  slot: number;
}

export interface AdapterLayout {
  /** L of the key. */
  keySize: number;
  /** Number of groups = statements = proofs. */
  groups: number;
  modules: readonly ModuleLayout[];
}

export const MAX_MODULES = 4096;
/** Most groups an adapter can have: the registry's bound. */
export const MAX_GROUPS = 1024;
export const MAX_WIDTH = 1 << 20;
export const MAX_NAME = 256;

/** Y_MAX = r * 127 * dIn * 127 * 32767: no honest answer is larger. */
export function answerBound(shape: { r: number; dIn: number }): number {
  return shape.r * 127 * shape.dIn * 127 * 32767;
}

/**
 * Slots from shapes and groups, with every rule of protocol 2 checked.
 * @throws DeltapayError `layout/...` naming the module and field
 */
export function layoutModules(modules: readonly ModuleShape[], keySize: number): AdapterLayout {
  const fail = (code: string, message: string, field: string): never => {
    throw new DeltapayError(`layout/${code}`, message, { field });
  };
  if (!(KEY_SIZES as readonly number[]).includes(keySize))
    fail("bad-key-size", `no key has ${keySize} slots`, "keySize");
  if (modules.length === 0 || modules.length > MAX_MODULES)
    fail("bad-count", `${modules.length} modules; 1 to ${MAX_MODULES} are allowed`, "modules");
  const used: number[] = [];
  const names = new Set<string>();
  const out = modules.map((module, m) => {
    const at = `modules[${m}]`;
    if (module.name.length === 0 || module.name.length > MAX_NAME)
      fail("bad-name", "empty or too long", `${at}.name`);
    if (names.has(module.name)) fail("duplicate-name", `'${module.name}' appears twice`, `${at}.name`);
    names.add(module.name);
    for (const side of ["dIn", "dOut"] as const)
      if (!Number.isInteger(module[side]) || module[side] < 1 || module[side] > MAX_WIDTH)
        fail("bad-shape", `'${module.name}': ${module[side]} is not a layer width`, `${at}.${side}`);
    if (!Number.isInteger(module.r) || module.r < 1 || module.r > keySize)
      fail(
        "bad-rank",
        `'${module.name}': rank ${module.r} does not fit a key of ${keySize} slots`,
        `${at}.r`,
      );
    if (answerBound(module) >= 2 ** 53)
      fail("too-large", `'${module.name}': answers could exceed 2^53 and lose exactness`, `${at}.shape`);
    if (!Number.isInteger(module.group) || module.group < 0 || module.group >= modules.length)
      fail("bad-group", `'${module.name}': ${module.group} is not a group`, `${at}.group`);
    const slot = used[module.group] ?? 0;
    used[module.group] = slot + module.r;
    if (used[module.group]! > keySize)
      fail("group-full", `group ${module.group} needs more than the key's ${keySize} slots`, `${at}.group`);
    return { name: module.name, dIn: module.dIn, dOut: module.dOut, r: module.r, group: module.group, slot };
  });
  for (let g = 0; g < used.length; g++)
    if (used[g] === undefined) fail("empty-group", `group ${g} has no module`, "groups");
  if (used.length > MAX_GROUPS)
    fail(
      "too-many-groups",
      `${used.length} groups; put more modules into one proof (--modules-per-proof)`,
      "groups",
    );
  return { keySize, groups: used.length, modules: out };
}

/** Indices of the modules of a group, in manifest order. */
export function modulesOfGroup(layout: AdapterLayout, group: number): number[] {
  return layout.modules.flatMap((module, m) => (module.group === group ? [m] : []));
}

/** Total d_out of the adapter: the length of the delta stream. */
export function totalOutputs(layout: AdapterLayout): number {
  return layout.modules.reduce((sum, module) => sum + module.dOut, 0);
}
