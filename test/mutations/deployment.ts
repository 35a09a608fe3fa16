/** Checks of what is deployed and what is said of it. */
import type { Mutation } from "./list.ts";

const VERIFY = "runner/chain/verifyDeployment.ts";
const VERIFY_TEST = "test/chain/verifyDeployment.test.ts";

export const DEPLOYMENT_MUTATIONS: readonly Mutation[] = [
  {
    name: "deployed-code-of-file-alone",
    attack: "a deployment file that vouches for other code",
    file: VERIFY,
    find: "  if (runtimeCodeHash !== null)\n",
    replace: "  if (runtimeCodeHash === undefined)\n",
    test: VERIFY_TEST,
    pattern: "other code that the file vouches for",
  },
  {
    name: "deployed-key-unread",
    attack: "a verifier of another key at the address of the release's",
    file: VERIFY,
    find: "the key the contract names`, asked, vkHash)",
    replace: "the key the contract names`, vkHash, vkHash)",
    test: VERIFY_TEST,
    pattern: "other code that the file vouches for",
  },
  {
    name: "deployed-sources-unchecked",
    attack: "sources that read harmless and are not those deployed",
    file: VERIFY,
    find: "result: found === text ?",
    replace: "result: found !== undefined ?",
    test: VERIFY_TEST,
    pattern: "sources that are missing or changed",
  },
  {
    name: "deployed-code-unread",
    attack: "an escrow that answers as the real one does, and does something else",
    file: VERIFY,
    find: "code on the chain as in the file`, found, codeHash)",
    replace: "code on the chain as in the file`, codeHash, codeHash)",
    test: VERIFY_TEST,
    pattern: "a contract that is missing, or has other code",
  },
  {
    name: "deployment-failure-ignored",
    attack: "a script that goes on after a failed check",
    file: "runner/cli/commands/keys.ts",
    find: "  if (failed > 0) process.exitCode = ExitCode.failed;\n",
    replace: "",
    test: VERIFY_TEST,
    pattern: "a changed file is told by the field",
  },
  {
    name: "finding-unanswered",
    attack: "a new finding of static analysis that nobody reads",
    file: "scripts/slither/findings.ts",
    find: "!known.has(finding)",
    replace: "false",
    test: "test/contracts/findings.test.ts",
    pattern: "a new finding and an answer",
  },
];
