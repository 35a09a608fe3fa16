/** One check a line: where it stands, what takes it out, and the test that must then fail. */
import { CONTRACT_MUTATIONS } from "../contracts/mutations.ts";
import { ADMIN_MUTATIONS } from "./admin.ts";
import { APP_MUTATIONS } from "./app.ts";
import { AUDIT_MUTATIONS } from "./audit.ts";
import { BUYER_MUTATIONS } from "./buyer.ts";
import { CEREMONY_MUTATIONS } from "./ceremony.ts";
import { CERTIFICATE_MUTATIONS } from "./certificate.ts";
import { CHAIN_MUTATIONS } from "./chain.ts";
import { DEPLOYMENT_MUTATIONS } from "./deployment.ts";
import { FUZZ_MUTATIONS } from "./fuzz.ts";
import { GATEWAY_MUTATIONS } from "./gateway.ts";
import { KEY_MUTATIONS } from "./keys.ts";
import { KILL_MUTATIONS } from "./kill.ts";
import { LEAKAGE_MUTATIONS } from "./leakage.ts";
import { NETWORK_MUTATIONS } from "./network.ts";
import { OPERATIONS_MUTATIONS } from "./operations.ts";
import { SERVICE_MUTATIONS } from "./service.ts";
import { SESSION_MUTATIONS } from "./session.ts";

export interface Mutation {
  name: string;
  /** The attack that succeeds without the check. */
  attack: string;
  file: string;
  /** Code that occurs exactly once in the file. */
  find: string;
  replace: string;
  /** Test file, and a pattern for the names of the tests to run. */
  test: string;
  pattern: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "knowledge-unchecked",
    attack: "Delta * I or a part on another module's slots hidden in a weight commitment",
    file: "runner/protocol/knowledge.ts",
    find: "if (!curve.G1.eq(left, curve.G1.add(right, T)))",
    replace: "if (false)",
    test: "test/protocol/manifest.test.ts",
    pattern: "the proof of knowledge refuses it",
  },
  {
    name: "knowledge-unbound",
    attack: "a proof of knowledge copied to another contributor's adapter",
    file: "runner/protocol/knowledge.ts",
    find: "    fromHex(context.contributor, 20),\n",
    replace: "",
    test: "test/protocol/manifest.test.ts",
    pattern: "is bound to chain",
  },
  {
    name: "point-off-curve",
    attack: "a commitment off the curve",
    file: "runner/protocol/curve.ts",
    find: "if (!curve.G1.isValid(points.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES)))",
    replace: "if (false)",
    test: "test/protocol/manifest.test.ts",
    pattern: "is refused by what is wrong",
  },
  {
    name: "fold-weights-shared",
    attack: "an error in one module hidden by one in another of the same group",
    file: "runner/protocol/statement.ts",
    find: "  const stream = deltaWeights(head, totalOutputs(layout));\n",
    replace: "  const stream = deltaWeights(head, totalOutputs(layout)).fill(1);\n",
    test: "test/protocol/statement.test.ts",
    pattern: "is not hidden by one in another",
  },
  {
    name: "signature-spelling",
    attack: "receipts whose v = 0 or 1 is taken here and refused by the escrow: served, never payable",
    file: "runner/protocol/typedData.ts",
    find: "const wellFormed = /^0x[0-9a-fA-F]{128}1[bcBC]$/.test(signature);",
    replace: "const wellFormed = /^0x[0-9a-fA-F]{130}$/.test(signature);",
    test: "test/protocol/typedData.test.ts",
    pattern: "is refused in spellings",
  },
  ...ADMIN_MUTATIONS,
  ...APP_MUTATIONS,
  ...CERTIFICATE_MUTATIONS,
  ...SESSION_MUTATIONS,
  ...SERVICE_MUTATIONS,
  ...BUYER_MUTATIONS,
  ...AUDIT_MUTATIONS,
  ...CHAIN_MUTATIONS,
  ...CEREMONY_MUTATIONS,
  ...KEY_MUTATIONS,
  ...FUZZ_MUTATIONS,
  ...GATEWAY_MUTATIONS,
  ...DEPLOYMENT_MUTATIONS,
  ...NETWORK_MUTATIONS,
  ...KILL_MUTATIONS,
  ...LEAKAGE_MUTATIONS,
  ...OPERATIONS_MUTATIONS,
  ...CONTRACT_MUTATIONS,
];
