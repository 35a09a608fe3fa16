/** Checks behind contracts/PROPERTIES.md: each taken out, the campaign or the test of that property must fail. */
import type { Mutation } from "./list.ts";

type Taken = Omit<Mutation, "file" | "test" | "pattern"> & { pattern?: string };

const ESCROW = "contracts/LoraEscrow.sol";

const inEscrow = (test: string, pattern: string, mutations: readonly Taken[]): Mutation[] =>
  mutations.map((mutation) => ({ pattern, ...mutation, file: ESCROW, test }));

/** No test was written for these in particular: the campaign finds them by calling at random. */
const CAMPAIGN = inEscrow("contracts/LoraEscrowInvariants.t.sol", "invariant_escrowAgreesWithTheBooks", [
  {
    name: "campaign-pay-forgotten",
    attack: "every receipt paid in full, found by calling at random",
    find: "            agreement.paid = uint128(owed);\n",
    replace: "",
  },
  {
    name: "campaign-settler-paid",
    attack: "an operator who settles is paid itself",
    find: "credits[agreement.token][agreement.payout] += credited;",
    replace: "credits[agreement.token][msg.sender] += credited;",
  },
  {
    name: "campaign-groups-forgotten",
    attack: "groups proven in an earlier call are forgotten, so that they can be proven again",
    find: "= settled | bits;",
    replace: "= bits;",
  },
  {
    name: "campaign-refund-in-the-last-second",
    attack: "a refund in front of a settlement in the last second",
    find: "if (block.timestamp <= agreement.deadline) {",
    replace: "if (block.timestamp < agreement.deadline) {",
  },
  {
    name: "campaign-transfer-unchecked",
    attack: "a token that takes its fee out of what others are owed, found by calling at random",
    find: "if (sent != amount) revert",
    replace: "if (false) revert",
  },
]);

const POWERS = inEscrow("contracts/Powers.t.sol", "test_escrowCannotBeUpgradedOrRemoved", [
  {
    name: "escrow-upgradable",
    attack: "code of somebody else's run with the escrow's money",
    find: "    // ---------------------------------------------------------------- anybody\n",
    replace:
      "    function run(address code, bytes calldata data) external {\n" +
      "        (bool ok,) = code.delegatecall(data);\n        if (!ok) revert();\n    }\n",
  },
  {
    name: "escrow-owned",
    attack: "a deployer who is remembered",
    find: "    constructor(IAdapterRegistry registry_)",
    replace:
      "    address public immutable owner = msg.sender;\n\n    constructor(IAdapterRegistry registry_)",
    pattern: "test_deployerHasNoPart",
  },
]);

const REST = [
  ...inEscrow("contracts/LoraEscrowWrites.t.sol", "test_openWritesTheAgreementTheFeeAndTheCount", [
    {
      name: "fee-to-another",
      attack: "the opening fee credited to somebody else as well",
      find: "        credits[offer.token][offer.payout] += offer.openingFee;\n",
      replace:
        "        credits[offer.token][offer.payout] += offer.openingFee;\n        credits[address(0)][tx.origin] += 1;\n",
    },
  ]),
  ...inEscrow("contracts/LoraEscrowTokens.t.sol", "test_aReturndataBombIsNotCopied", [
    {
      name: "returndata-copied",
      attack: "a receiver whose long answer is paid for by the sender",
      find: "            Address.sendValue(payable(to), amount);\n",
      replace:
        '            (bool ok, bytes memory out) = to.call{value: amount}("");\n            if (!ok) revert(string(out));\n',
    },
  ]),
  ...inEscrow("contracts/LoraEscrowStatus.t.sol", "test_from", [
    {
      name: "closed-twice",
      attack: "a deadline brought forward again and again",
      find: "if (agreement.status != Status.Open) revert",
      replace: "if (agreement.status == Status.None) revert",
    },
  ]),
  ...inEscrow("contracts/LoraEscrowEncodings.t.sol", "testFuzz_everyFieldChangesTheHash", [
    {
      name: "offer-hashed-in-part",
      attack: "terms outside the hash changed after they were signed",
      find: "return keccak256(abi.encode(OFFER_TYPEHASH, offer));",
      replace: "return keccak256(abi.encode(OFFER_TYPEHASH, offer.adapterId, offer.payout, offer.token));",
    },
  ]),
];

const DOCUMENT = "test/contracts/properties.test.ts";

/** The document itself: what it says falls out of step with tests, ABI or code. */
const WRITTEN: Mutation[] = [
  {
    name: "property-without-its-test",
    attack: "a property that names a test which is gone",
    file: "contracts/PROPERTIES.md",
    find: "`test_refundsOnce`",
    replace: "`test_refundsTwice`",
    test: DOCUMENT,
    pattern: "every property names tests that exist",
  },
  {
    name: "leaf-without-its-test",
    attack: "a case that names a test which is gone",
    file: "contracts/trees/LoraEscrow.close.tree",
    find: "test_onlyTheBuyerCloses",
    replace: "test_anybodyCloses",
    test: DOCUMENT,
    pattern: "every leaf of a tree names a test that exists",
  },
  {
    name: "function-unanswered",
    attack: "a function that nobody answered for, such as a pause",
    file: "runner/chain/generated/abi.ts",
    find: '"name": "cancelOffer"',
    replace: '"name": "pause"',
    test: DOCUMENT,
    pattern: "the ABI is just what the table of powers answers for",
  },
  {
    name: "error-without-a-case",
    attack: "a refusal that no test meets",
    file: "contracts/interfaces/ILoraEscrow.sol",
    find: "    error NoClaims();\n",
    replace: "    error NoClaims();\n    error Unmet();\n",
    test: DOCUMENT,
    pattern: "every error a leaf in which it is met",
  },
  {
    name: "code-that-delegates",
    attack: "a verifier that runs other code in its place",
    file: "runner/chain/generated/bytecode.json",
    find: '"LoraVerifier14": {\n    "bytecode": "0x60',
    replace: '"LoraVerifier14": {\n    "bytecode": "0xf460',
    test: DOCUMENT,
    pattern: "no contract that is deployed can run other code",
  },
];

export const PROPERTY_MUTATIONS: readonly Mutation[] = [...CAMPAIGN, ...POWERS, ...REST, ...WRITTEN];
