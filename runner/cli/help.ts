/** What `--help` adds to names and descriptions: examples, and the options many commands share in one place. */
import { type Command, Help, type HelpConfiguration, type Option } from "commander";

/** Options that mean the same wherever they are: after those of the command itself. */
const SHARED = [
  "--rpc",
  "--deployment",
  "--account",
  "--keystore",
  "--passphrase-file",
  "--data",
  "--role",
  "--accept-forgeable-dev-key",
  "--accept-unknown-ptau",
  "--json",
];

const SHARED_HEADING = "Shared options:";

const MODEL = "--model fixtures/base/model_with_past.onnx";
const AGREEMENT = `0x${"51e7a8256d362dea".repeat(4)}`;

/** By command, as typed after `deltapay`; test/cli/help.test.ts parses each. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  demo: ["demo", "demo --cheat list", "demo --cheat wrong-answer", "demo --app"],
  chain: ["chain", "chain --deploy --port 8546"],
  deploy: ["deploy", "deploy --rpc https://rpc.example.org --keystore deployer.json"],
  "keys build": ["keys build --size 30"],
  "keys verify": ["keys verify --size 30", "keys verify --chain"],
  "ceremony init": ["ceremony init my-ceremony --ptau powersOfTau28_hez_final_13.ptau --sizes 510"],
  "ceremony contribute": ['ceremony contribute my-ceremony --name "Ada L."'],
  "ceremony beacon": [`ceremony beacon my-ceremony --value ${"ab".repeat(32)} --name "a block's hash"`],
  "ceremony verify": ["ceremony verify my-ceremony --attestation mine.txt"],
  "ceremony finalize": ["ceremony finalize my-ceremony --out my-keys"],
  "ceremony serve": ["ceremony serve my-ceremony --turn 30m"],
  "ceremony join": ['ceremony join http://127.0.0.1:7450 --name "Ada L."'],
  "adapter inspect": [`adapter inspect fixtures/kjv-attn ${MODEL}`],
  "adapter register": [`adapter register fixtures/kjv-attn ${MODEL} --account 1`],
  "offer make": ["offer make --price 1000gwei --max-unpaid 512 --cap 8192 --account 1"],
  "offer cancel": [`offer cancel ${AGREEMENT} --account 1`],
  "leakage limit": ["leakage limit --past refuse --max-ratio 50"],
  "operator add": ["operator add 0x90F79bf6EB2c4f870365E785982E1f101E93b906 --account 1"],
  "operator remove": ["operator remove 0x90F79bf6EB2c4f870365E785982E1f101E93b906 --account 1"],
  serve: ["serve --account 1", "serve --account 1 --admin --metrics --log-format json"],
  open: [`open --contributor http://127.0.0.1:7420 --amount 0.005eth ${MODEL} --account 2`],
  generate: [`generate --prompt "And I saw" ${MODEL} --max-tokens 40 --end`],
  evaluate: [`evaluate --text fixtures/held-out.txt --max-tokens 1024 ${MODEL}`],
  gateway: [`gateway ${MODEL} --budget 0.001eth`],
  close: [`close ${AGREEMENT} --account 2`],
  prove: [`prove ${AGREEMENT} --out bundle.json`],
  settle: [`settle ${AGREEMENT} --account 1`, `settle ${AGREEMENT} --bundle bundle.json --account 3`],
  release: [`release ${AGREEMENT} --account 1`],
  refund: [`refund ${AGREEMENT} --account 2`],
  withdraw: ["withdraw --account 1", "withdraw --to 0x90F79bf6EB2c4f870365E785982E1f101E93b906 --account 1"],
  app: ["app", "app --rpc http://127.0.0.1:8545 --admin"],
  status: ["status", `status ${AGREEMENT} --watch`],
  audit: [`audit ${AGREEMENT} --opening opening.json --report report.html`, "audit --tampered list"],
  backup: ["backup contributor.backup --role contributor"],
  restore: ["restore contributor.backup --data restored --key-file vault.key"],
};

/** The words of a command after `deltapay`. */
export function commandPath(command: Command): string {
  const parent = command.parent;
  return parent === null || parent.parent === null
    ? command.name()
    : `${commandPath(parent)} ${command.name()}`;
}

/** Required options say so; the command's own options come before the shared ones. */
const LAYOUT: HelpConfiguration = {
  optionDescription(option: Option) {
    const described = Help.prototype.optionDescription.call(this, option);
    return option.mandatory ? `${described} (required)` : described;
  },
  groupItems<Item extends Command | Option>(
    unsorted: Item[],
    visible: Item[],
    groupOf: (item: Item) => string,
  ) {
    const groups = Help.prototype.groupItems.call(this, unsorted, visible, groupOf as never);
    const shared = groups.get(SHARED_HEADING);
    if (shared !== undefined && groups.delete(SHARED_HEADING)) groups.set(SHARED_HEADING, shared);
    return groups as Map<string, Item[]>;
  },
};

/** Completes the help of one command. */
export function completeHelp(command: Command): void {
  command.configureHelp(LAYOUT);
  if (command.parent === null || command.commands.length > 0) return;
  for (const option of command.options)
    if (option.long !== undefined && SHARED.includes(option.long)) option.helpGroup(SHARED_HEADING);
  const examples = EXAMPLES[commandPath(command)] ?? [];
  if (examples.length === 0) return;
  const lines = examples.map((example) => `  ./deltapay ${example}`);
  command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
