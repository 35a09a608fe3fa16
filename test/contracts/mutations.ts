/** Checks of the contracts, each with the attack it stops and the test that notices when it is taken out. */
import type { Mutation } from "../mutations/list.ts";
import { PROPERTY_MUTATIONS } from "../mutations/properties.ts";

type Taken = Omit<Mutation, "file" | "test">;

const inFile = (file: string, test: string, mutations: readonly Taken[]): Mutation[] =>
  mutations.map((mutation) => ({ ...mutation, file, test }));

const ESCROW = "contracts/LoraEscrow.sol";

const OPEN = inFile(ESCROW, "contracts/LoraEscrowOpen.t.sol", [
  {
    name: "offer-unsigned",
    attack: "terms changed in front of open",
    find: "if (recovered != adapter.contributor) revert",
    replace: "if (false) revert",
    pattern: "test_refusesTermsThatWereNotSigned",
  },
  {
    name: "offer-cancelled",
    attack: "an offer taken after it was cancelled",
    find: "        if (cancelled[offerHash]) revert OfferIsCancelled(offerHash);\n        if (opens",
    replace: "        if (opens",
    pattern: "test_refusesACancelledOffer",
  },
  {
    name: "offer-exhausted",
    attack: "an offer taken more often than it says",
    find: "if (opens[offerHash] >= offer.maxOpens) revert",
    replace: "if (false) revert",
    pattern: "test_refusesAnExhaustedOffer",
  },
  {
    name: "offer-expired",
    attack: "an old offer taken",
    find: "if (block.timestamp > offer.expiry) revert",
    replace: "if (false) revert",
    pattern: "test_opensInTheLastSecondOnly",
  },
  {
    name: "agreement-reopened",
    attack: "an agreement that ended opened again, its receipts settled again",
    find: "if (_agreements[agreementId].status != Status.None) revert",
    replace: "if (false) revert",
    pattern: "test_refusesTheIdOfAnAgreementThatEnded",
  },
  {
    name: "value-unchecked",
    attack: "an agreement opened without the money",
    find: "if (msg.value != value) revert",
    replace: "if (false) revert",
    pattern: "testFuzz_refusesAnyOtherValue",
  },
  {
    name: "transfer-in-unchecked",
    attack: "a token that delivers less than it says",
    find: "if (received != amount) revert",
    replace: "if (false) revert",
    pattern: "test_refusesATokenThatKeepsAFee",
  },
  {
    name: "open-reentrant",
    attack: "one deposit counted for two agreements",
    find: ") external payable nonReentrant returns",
    replace: ") external payable returns",
    pattern: "test_refusesToOpenWhileOpening",
  },
]);

const SETTLE = inFile(ESCROW, "contracts/LoraEscrowSettle.t.sol", [
  {
    name: "receipt-unsigned",
    attack: "a forged receipt",
    find: "if (recovered != signer) revert",
    replace: "if (false) revert",
    pattern: "test_refusesAForgedReceipt",
  },
  {
    name: "receipt-of-another-agreement",
    attack: "a receipt replayed in another agreement",
    find: "if (receipt.agreementId != agreementId) revert",
    replace: "if (false) revert",
    pattern: "test_refusesTheReceiptOfAnotherAgreement",
  },
  {
    name: "statements-unsigned",
    attack: "statements the buyer did not sign",
    find: "if (receipt.statementsHash != statementsHash) {",
    replace: "if (false) {",
    pattern: "test_refusesStatementsThatWereNotSigned",
  },
  {
    name: "statements-uncounted",
    attack: "fewer statements than groups",
    find: "if (V.length != adapter.groups) revert",
    replace: "if (false) revert",
    pattern: "test_refusesAnotherNumberOfStatements",
  },
  {
    name: "group-twice-in-a-batch",
    attack: "the same claim twice in a batch",
    find: "if (i != 0 && group <= previous) revert",
    replace: "if (false) revert",
    pattern: "test_refusesTheSameGroupTwiceInABatch",
  },
  {
    name: "group-out-of-range",
    attack: "a claim for a group that is not there",
    find: "if (group >= groups) revert",
    replace: "if (false) revert",
    pattern: "test_refusesAGroupOutOfRange",
  },
  {
    name: "group-settled-again",
    attack: "a receipt settled twice",
    find: "if (twice != 0) {",
    replace: "if (false) {",
    pattern: "test_refusesAReceiptSettledBefore",
  },
  {
    name: "proof-ignored",
    attack: "a settlement without a valid proof",
    find: "if (!ClaimBatch.verify(adapter.verifier, seed, V, claims)) {",
    replace: "if (false) {",
    pattern: "testFuzz_oneInvalidProofRevertsTheCallAndNothingElse",
  },
  {
    name: "incomplete-receipt-paid",
    attack: "pay for a receipt of which one group is proven",
    find: "if (_isComplete(agreementId, receiptHash, adapter.groups)) {",
    replace: "if (true) {",
    pattern: "test_settlesGroupsInSeveralCallsInAnyOrder",
  },
  {
    name: "earlier-pay-forgotten",
    attack: "every receipt paid in full",
    find: "Math.saturatingSub(owed, paid)",
    replace: "owed",
    pattern: "test_laterReceiptPaysTheDifference",
  },
  {
    name: "pay-uncapped",
    attack: "more paid than was paid in",
    find: "Math.min(uint256(receipt.tokens) * agreement.pricePerToken, agreement.amount)",
    replace: "uint256(receipt.tokens) * agreement.pricePerToken",
    pattern: "testFuzz_paysTokensTimesPriceUpToTheAmount",
  },
  {
    name: "anybody-settles",
    attack: "a settlement by a stranger",
    find: "if (msg.sender != contributor && !operators[contributor][msg.sender]) {",
    replace: "if (false) {",
    pattern: "test_refusesOtherCallers",
  },
  {
    name: "settle-after-deadline",
    attack: "a settlement after the deadline",
    find: "if (block.timestamp > deadline) revert DeadlinePassed",
    replace: "if (false) revert DeadlinePassed",
    pattern: "test_settlesInTheLastSecondOnly",
  },
  {
    name: "settle-after-the-end",
    attack: "a settlement after the money went back",
    find: "if (status != Status.Open && status != Status.Closing) revert",
    replace: "if (false) revert",
    pattern: "test_refusesAfterTheRe",
  },
  {
    name: "verifier-exchanged",
    attack: "a verifier that is another one when it comes to settling",
    find: "if (found != adapter.verifierCodeHash) {",
    replace: "if (false) {",
    pattern: "test_refusesAVerifierWhoseCodeChanged",
  },
]);

const MONEY = inFile(ESCROW, "contracts/LoraEscrowMoney.t.sol", [
  {
    name: "refund-early",
    attack: "a refund before the deadline",
    find: "if (block.timestamp <= agreement.deadline) {",
    replace: "if (false) {",
    pattern: "test_refundsTheRestAfterTheDeadline",
  },
  {
    name: "refund-twice",
    attack: "a refund paid twice",
    find: "        agreement.status = Status.Refunded;\n",
    replace: "",
    pattern: "test_refundsOnce",
  },
  {
    name: "release-twice",
    attack: "a release and a refund of the same money",
    find: "        agreement.status = Status.Released;\n",
    replace: "",
    pattern: "test_releasesOnce",
  },
  {
    name: "anybody-releases",
    attack: "the buyer takes its money back before the contributor settles",
    find: "if (msg.sender != contributor) revert",
    replace: "if (false) revert",
    pattern: "test_onlyTheContributorReleases",
  },
  {
    name: "anybody-closes",
    attack: "a stranger ends agreements",
    find: "if (msg.sender != agreement.buyer) revert",
    replace: "if (false) revert",
    pattern: "test_onlyTheBuyerCloses",
  },
  {
    name: "close-postpones",
    attack: "a deadline moved back by closing",
    find: "uint64(Math.min(agreement.deadline, block.timestamp + agreement.closeWindow))",
    replace: "uint64(block.timestamp + agreement.closeWindow)",
    pattern: "testFuzz_closingNeverMovesTheDeadlineBack",
  },
  {
    name: "withdraw-twice",
    attack: "a credit paid twice",
    find: "        credits[token][msg.sender] = 0;\n",
    replace: "",
    pattern: "test_withdrawsEthToAnybody",
  },
  {
    name: "withdraw-reentrant",
    attack: "withdrawing while being paid",
    find: "address to) external nonReentrant {",
    replace: "address to) external {",
    pattern: "test_refusesToWithdrawWhileWithdrawing",
  },
  {
    name: "transfer-out-unchecked",
    attack: "a token that takes its fee out of what others are owed",
    find: "if (sent != amount) revert",
    replace: "if (false) revert",
    pattern: "test_refusesATokenThatTakesMoreThanItSends",
  },
]);

const VERIFIER = inFile(
  "contracts/verification/LoraVerifier.sol",
  "contracts/verification/LoraVerifier.t.sol",
  [
    {
      name: "weights-equal",
      attack: "two invalid proofs that cancel under a common r",
      find: "uint256 r = _weight(seed, g);",
      replace: "uint256 r = 1;",
      pattern: "testFuzz_refusesErrorsThatCancelWithEqualWeights",
    },
    {
      name: "weights-without-position",
      attack: "two invalid proofs that cancel under a common r of one seed",
      find: "uint256 r = _weight(seed, g);",
      replace: "uint256 r = _weight(seed, 0);",
      pattern: "testFuzz_refusesErrorsThatCancelWithEqualWeights",
    },
  ],
);

const CURVE = inFile("contracts/verification/BN254.sol", "contracts/verification/LoraVerifier.t.sol", [
  {
    name: "infinity-g1",
    attack: "a statement or proof at infinity",
    find: "and(and(lt(x, Q), lt(y, Q)), iszero(iszero(or(x, y))))",
    replace: "and(lt(x, Q), lt(y, Q))",
    pattern: "test_refusesInfinityWhereThePairingHolds",
  },
  {
    name: "infinity-g2",
    attack: "a proof whose B is at infinity",
    find: "            ok := and(ok, iszero(iszero(or(or(xIm, xRe), or(yIm, yRe)))))\n",
    replace: "",
    pattern: "test_refusesInfinityWhereThePairingHolds",
  },
  {
    name: "coordinates-unreduced-g1",
    attack: "a point that is another one plus the modulus: the same proof twice, under another hash",
    find: "and(and(lt(x, Q), lt(y, Q)), iszero(iszero(or(x, y))))",
    replace: "iszero(iszero(or(x, y)))",
    pattern: "test_refusesCoordinatesNotBelowQ",
  },
  {
    name: "gas-uncapped",
    attack: "a point off its curve that burns all gas",
    find: "staticcall(cap, 0x08",
    replace: "staticcall(gas(), 0x08",
    pattern: "test_refusesPointsOffTheCurve",
  },
]);

const BATCH = inFile("contracts/verification/ClaimBatch.sol", "contracts/LoraEscrowSettle.t.sol", [
  {
    name: "seed-without-proofs",
    attack: "proofs made for weights known beforehand",
    find: "seed := keccak256(start, sub(end, start))",
    replace: "seed := keccak256(start, sub(proofs, start))",
    pattern: "testFuzz_seedBindsEveryClaim",
  },
  {
    name: "odd-answer-accepted",
    attack: "a verifier without an answer",
    find: "valid := and(and(valid, gt(returndatasize(), 31)), eq(mload(0x00), 1))",
    replace: "",
    pattern: "test_refusesOddAnswersOfAVerifier",
  },
]);

const REGISTRY = inFile("contracts/AdapterRegistry.sol", "contracts/AdapterRegistry.t.sol", [
  {
    name: "adapter-registered-twice",
    attack: "an adapter changed after its registration",
    find: "if (_adapters[adapterId].contributor != address(0)) revert",
    replace: "if (false) revert",
    pattern: "test_refusesTheSameAdapterTwice",
  },
  {
    name: "verifier-delegated",
    attack: "a verifier account that exchanges its code",
    find: "verifier.code.length == 0 || bytes3(prefix) == bytes3(DELEGATION_PREFIX)",
    replace: "verifier.code.length == 0",
    pattern: "test_refusesADelegatedAccount",
  },
  {
    name: "groups-unbounded",
    attack: "an adapter without groups, whose receipts need no proof",
    find: "if (groups == 0 || groups > MAX_GROUPS) revert",
    replace: "if (false) revert",
    pattern: "test_refusesGroupsOutOfRange",
  },
]);

export const CONTRACT_MUTATIONS: readonly Mutation[] = [
  ...OPEN,
  ...SETTLE,
  ...MONEY,
  ...VERIFIER,
  ...CURVE,
  ...BATCH,
  ...REGISTRY,
  ...PROPERTY_MUTATIONS,
];
