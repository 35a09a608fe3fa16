/** Every parser that is fuzzed, by name; a group is loaded when one of its targets is asked for. */
import type { FuzzTarget } from "./target.ts";

type Group = () => Promise<{ targets: () => FuzzTarget[] | Promise<FuzzTarget[]> }>;

const GROUPS: Record<string, { load: Group; names: readonly string[] }> = {
  protocol: {
    load: () => import("./targets/protocol.ts"),
    names: [
      "manifest",
      "commitments-file",
      "points",
      "opening-file",
      "session-state",
      "scales",
      "commit-key",
      "signature",
    ],
  },
  wire: {
    load: () => import("./targets/wire.ts"),
    names: ["pass-request", "pass-answer", "wire-messages", "session-file", "gateway-request"],
  },
  adapter: {
    load: () => import("./targets/adapter.ts"),
    names: ["safetensors", "peft-config", "peft-adapter"],
  },
  model: { load: () => import("./targets/model.ts"), names: ["onnx", "onnx-bytes", "tokenizer"] },
  keys: {
    load: () => import("./targets/keys.ts"),
    names: ["zkey", "r1cs", "ptau", "ceremony-parameters", "deployment-file"],
  },
  storage: {
    load: () => import("./targets/storage.ts"),
    names: ["vault-header", "vault-secret", "backup", "database"],
  },
  audit: {
    load: () => import("./targets/audit.ts"),
    names: ["audit-manifest", "audit-commitments", "audit-opening", "audit-pass", "audit-commit-key"],
  },
  cli: { load: () => import("./targets/cli.ts"), names: ["cli-amounts", "cli-values"] },
};

export const TARGET_NAMES: readonly string[] = Object.values(GROUPS).flatMap(({ names }) => names);

const loaded = new Map<string, Promise<FuzzTarget[]>>();

/** @throws Error when there is none of that name */
export async function targetNamed(name: string): Promise<FuzzTarget> {
  const found = Object.entries(GROUPS).find(([, { names }]) => names.includes(name));
  if (found === undefined) throw new Error(`there is no target ${name}: ${TARGET_NAMES.join(", ")}`);
  const [group, { load }] = found;
  if (!loaded.has(group))
    loaded.set(
      group,
      load().then(({ targets }) => targets()),
    );
  const target = (await loaded.get(group)!).find((each) => each.name === name);
  if (target === undefined) throw new Error(`the group ${group} has no target ${name}`);
  return target;
}
