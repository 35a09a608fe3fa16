// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {LoraEscrow} from "./LoraEscrow.sol";
import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "./interfaces/ILoraVerifier.sol";
import {BN254} from "./verification/BN254.sol";
import {EscrowFixture} from "./test/EscrowFixture.sol";
import {Trapdoor} from "./test/Trapdoor.sol";
import {AnswerVerifier, SeedVerifier} from "./test/Verifiers.sol";
import {ProofVectors} from "./test/vectors/ProofVectors.sol";
import {LoraVerifier14} from "./verifiers/LoraVerifier14.sol";

/// @dev Receipts, claims and `settle`.
contract LoraEscrowSettleTest is EscrowFixture {
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    // ------------------------------------------------------------------ settles

    function test_settlesAReceiptInOneCall() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        vm.expectEmit();
        emit ILoraEscrow.GroupsSettled(id, receiptHash, contributor, 0, 7);
        vm.expectEmit();
        emit ILoraEscrow.ReceiptSettled(id, receiptHash, 1, 40, s.receipt.head, s.receipt.statementsHash, 400, 400);
        _settle(id, s);
        vm.assertEq(escrow.credits(ETH, payout), FEE + 400);
        vm.assertEq(_paid(id), 400);
        vm.assertEq(escrow.settledGroups(id, receiptHash, 0), 7);
    }

    function test_settlesRealProofs() public {
        adapterId = _register(address(new LoraVerifier14()), 4);
        bytes32 id = _openEth();
        Settlement memory s = _realSettlement(id);
        _settle(id, s);
        vm.assertEq(_paid(id), 400);
    }

    function test_settlesGroupsInSeveralCallsInAnyOrder() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        _settle(id, _part(s, 2, 3));
        vm.assertEq(escrow.settledGroups(id, receiptHash, 0), 4);
        _settle(id, _part(s, 0, 1));
        vm.assertEq(_paid(id), 0);
        _settle(id, _part(s, 1, 2));
        vm.assertEq(escrow.settledGroups(id, receiptHash, 0), 7);
        vm.assertEq(_paid(id), 400);
    }

    function test_settlesWithAToken() public {
        bytes32 id = _open(_offer(address(token)), 0);
        _settle(id, _settlement(id, 1, 40));
        vm.assertEq(escrow.credits(address(token), payout), FEE + 400);
        vm.assertEq(escrow.credits(ETH, payout), 0);
    }

    /// @dev 256 groups fill a word of the bitmap, 300 need a second one.
    function test_settlesMoreGroupsThanAWordHolds() public {
        _settleGroups(256);
        _settleGroups(300);
    }

    function _settleGroups(uint32 groups) private {
        adapterId = _register(address(verifier), groups);
        bytes32 id = _openEth();
        Settlement memory s;
        (s.V, s.claims) = _claims(groups, 5);
        s.receipt = _receipt(id, 1, 40, s.V);
        _signReceipt(s);
        _settle(id, _part(s, 1, 255));
        _settle(id, _part(s, 255, groups));
        vm.assertEq(_paid(id), 0);
        _settle(id, _part(s, 0, 1));
        vm.assertEq(_paid(id), 400);
        if (groups > 256) vm.assertEq(escrow.settledGroups(id, escrow.receiptDigest(s.receipt), 1), (1 << 44) - 1);
    }

    /// @dev Groups of the second word alone: the first word is not marked.
    function test_settlesTheSecondWordAlone() public {
        adapterId = _register(address(verifier), 258);
        bytes32 id = _openEth();
        Settlement memory s;
        (s.V, s.claims) = _claims(258, 5);
        s.receipt = _receipt(id, 1, 40, s.V);
        _signReceipt(s);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        _settle(id, _part(s, 257, 258));
        vm.assertEq(escrow.settledGroups(id, receiptHash, 0), 0);
        vm.assertEq(escrow.settledGroups(id, receiptHash, 1), 2);
    }

    function testFuzz_paysTokensTimesPriceUpToTheAmount(uint64 tokens, uint128 price, uint128 amount) public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.pricePerToken = price;
        vm.deal(buyer, FEE + amount);
        bytes32 id = _openWith(offer, _signedOffer(offer), signer, amount, _deadline(), 0);
        _settle(id, _settlement(id, 1, tokens));
        uint256 owed = uint256(tokens) * price;
        if (owed > amount) owed = amount;
        vm.assertEq(_paid(id), owed);
        vm.assertEq(escrow.credits(ETH, payout), FEE + owed);
    }

    // ------------------------------------------------------------ several receipts

    function test_laterReceiptPaysTheDifference() public {
        bytes32 id = _openEth();
        _settle(id, _settlement(id, 1, 40));
        _settle(id, _settlement(id, 2, 55));
        vm.assertEq(_paid(id), 550);
        _settle(id, _settlement(id, 3, 1_000));
        vm.assertEq(_paid(id), AMOUNT);
        vm.assertEq(escrow.credits(ETH, payout), FEE + AMOUNT);
    }

    /// @dev **Attack**: an old receipt that closes the agreement for less. It pays nothing and ends nothing.
    function test_olderReceiptPaysNothingAndEndsNothing() public {
        bytes32 id = _openEth();
        Settlement memory old = _settlement(id, 1, 10);
        _settle(id, _settlement(id, 2, 55));
        bytes32 receiptHash = escrow.receiptDigest(old.receipt);
        vm.expectEmit();
        emit ILoraEscrow.ReceiptSettled(
            id, receiptHash, 1, 10, old.receipt.head, old.receipt.statementsHash, 0, 550
        );
        _settle(id, old);
        vm.assertEq(_paid(id), 550);
        _settle(id, _settlement(id, 3, 60));
        vm.assertEq(_paid(id), 600);
    }

    /// @dev Groups of one receipt do not count for another.
    function test_groupsOfTwoReceiptsDoNotMix() public {
        bytes32 id = _openEth();
        Settlement memory first = _settlement(id, 1, 40);
        Settlement memory second = _settlement(id, 2, 50);
        _settle(id, _part(first, 0, 2));
        _settle(id, _part(second, 2, 3));
        vm.assertEq(_paid(id), 0);
        _settle(id, _part(second, 0, 2));
        vm.assertEq(_paid(id), 500);
    }

    // ------------------------------------------------------------------- who, when

    function test_operatorSettlesUntilRevoked() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        vm.expectEmit();
        emit ILoraEscrow.OperatorSet(contributor, stranger, true);
        vm.prank(contributor);
        escrow.setOperator(stranger, true);
        Settlement memory part = _part(s, 0, 1);
        vm.prank(stranger);
        escrow.settle(id, part.receipt, part.signature, part.V, part.claims);
        vm.prank(contributor);
        escrow.setOperator(stranger, false);
        _expectNotSettler(stranger);
        vm.prank(stranger);
        escrow.settle(id, s.receipt, s.signature, s.V, s.claims);
    }

    /// @dev An operator of somebody else is none of this contributor's, and the buyer cannot settle either.
    function test_refusesOtherCallers() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        vm.prank(buyer);
        escrow.setOperator(stranger, true);
        _expectNotSettler(stranger);
        vm.prank(stranger);
        escrow.settle(id, s.receipt, s.signature, s.V, s.claims);
        _expectNotSettler(buyer);
        vm.prank(buyer);
        escrow.settle(id, s.receipt, s.signature, s.V, s.claims);
    }

    function _expectNotSettler(address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.NotContributorOrOperator.selector, caller, contributor)
        );
    }

    function test_settlesInTheLastSecondOnly() public {
        bytes32 id = _openEth();
        uint64 deadline = _deadline();
        Settlement memory s = _settlement(id, 1, 40);
        vm.warp(deadline);
        _settle(id, _part(s, 0, 2));
        vm.warp(deadline + 1);
        Settlement memory rest = _part(s, 2, 3);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.DeadlinePassed.selector, id, deadline, uint256(deadline) + 1)
        );
        _settle(id, rest);
    }

    function test_refusesAnAgreementThatIsNotThere() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.WrongStatus.selector, bytes32("none"), ILoraEscrow.Status.None)
        );
        _settle("none", s);
    }

    function test_refusesAfterTheRelease() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        vm.prank(contributor);
        escrow.release(id);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.WrongStatus.selector, id, ILoraEscrow.Status.Released));
        _settle(id, s);
    }

    function test_refusesAfterTheRefund() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        vm.warp(_deadline() + 1);
        escrow.refund(id);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.WrongStatus.selector, id, ILoraEscrow.Status.Refunded));
        _settle(id, s);
    }

    // ------------------------------------------------------------------- receipts

    /// @dev **Attack**: inflated tokens, another head, other passes. Every field is signed.
    function test_refusesAChangedReceipt() public {
        bytes32 id = _openEth();
        for (uint256 field = 0; field < 3; ++field) {
            Settlement memory s = _settlement(id, 1, 40);
            if (field == 0) s.receipt.tokens = 100;
            if (field == 1) s.receipt.passes = 2;
            if (field == 2) s.receipt.head = "another head";
            vm.expectPartialRevert(ILoraEscrow.ReceiptNotSignedBySigner.selector);
            _settle(id, s);
        }
    }

    /// @dev **Attack**: a receipt forged by the contributor, or signed by the buyer's account instead of its signer.
    function test_refusesAForgedReceipt() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        s.signature = _sign(CONTRIBUTOR_KEY, escrow.receiptDigest(s.receipt));
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.ReceiptNotSignedBySigner.selector, contributor, signer)
        );
        _settle(id, s);
    }

    function test_refusesAMalleatedSignature() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        (uint8 v, bytes32 r, bytes32 sigS) = vm.sign(SIGNER_KEY, escrow.receiptDigest(s.receipt));
        bytes32 highS = bytes32(CURVE_ORDER - uint256(sigS));
        s.signature = abi.encodePacked(r, highS, v == 27 ? 28 : 27);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, highS));
        _settle(id, s);
    }

    /// @dev **Attack**: a receipt, with its proofs, replayed in another agreement with the same signer.
    function test_refusesTheReceiptOfAnotherAgreement() public {
        bytes32 first = _open(_offer(ETH), 0);
        bytes32 second = _open(_offer(ETH), 1);
        Settlement memory s = _settlement(first, 1, 40);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.ReceiptForOtherAgreement.selector, second, first));
        _settle(second, s);
        s.receipt.agreementId = second;
        vm.expectPartialRevert(ILoraEscrow.ReceiptNotSignedBySigner.selector);
        _settle(second, s);
    }

    function test_refusesAReceiptOfAnotherEscrow() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        s.signature = _sign(SIGNER_KEY, new LoraEscrow(registry).receiptDigest(s.receipt));
        vm.expectPartialRevert(ILoraEscrow.ReceiptNotSignedBySigner.selector);
        _settle(id, s);
    }

    function test_refusesAReceiptOfAnotherChain() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(ILoraEscrow.ReceiptNotSignedBySigner.selector);
        _settle(id, s);
    }

    function test_refusesAReceiptWithoutPass() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.ReceiptWithoutPass.selector, id));
        _settle(id, s);
    }

    function test_refusesStatementsThatWereNotSigned() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 signed_ = s.receipt.statementsHash;
        s.V[1] = s.V[2];
        bytes32 computed = escrow.hashStatements(s.V);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.StatementsHashMismatch.selector, signed_, computed));
        _settle(id, s);
    }

    /// @dev Signed or not, there is one statement per registered group.
    function test_refusesAnotherNumberOfStatements() public {
        bytes32 id = _openEth();
        for (uint256 count = GROUPS - 1; count <= GROUPS + 1; count += 2) {
            Settlement memory s;
            (s.V, s.claims) = _claims(count, 1);
            s.receipt = _receipt(id, 1, 40, s.V);
            _signReceipt(s);
            vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.WrongStatementCount.selector, count, GROUPS));
            _settle(id, s);
        }
    }

    // --------------------------------------------------------------------- groups

    function test_refusesASettlementWithoutClaims() public {
        bytes32 id = _openEth();
        Settlement memory s = _part(_settlement(id, 1, 40), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.NoClaims.selector));
        _settle(id, s);
    }

    function test_refusesAGroupOutOfRange() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        s.claims[2].group = GROUPS;
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.GroupOutOfRange.selector, 2, GROUPS, GROUPS));
        _settle(id, s);
    }

    /// @dev **Attack**: the same group twice in a batch.
    function test_refusesTheSameGroupTwiceInABatch() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        s.claims[1] = s.claims[0];
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.GroupsNotIncreasing.selector, 1, 0, 0));
        _settle(id, s);
    }

    function test_refusesGroupsOutOfOrder() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        (s.claims[0], s.claims[1]) = (s.claims[1], s.claims[0]);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.GroupsNotIncreasing.selector, 1, 1, 0));
        _settle(id, s);
    }

    function test_refusesAGroupSettledBefore() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        _settle(id, _part(s, 1, 3));
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.GroupAlreadySettled.selector, id, receiptHash, 1));
        _settle(id, s);
    }

    function test_refusesAReceiptSettledBefore() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        _settle(id, s);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.GroupAlreadySettled.selector, id, receiptHash, 0));
        _settle(id, s);
        vm.assertEq(escrow.credits(ETH, payout), FEE + 400);
    }

    // --------------------------------------------------------------------- proofs

    function testFuzz_oneInvalidProofRevertsTheCallAndNothingElse(uint256 position, uint256 shift) public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        _settle(id, _part(s, 0, 1));
        ILoraEscrow.Claim memory claim = s.claims[1 + position % 2];
        uint256[2] memory right = claim.c;
        claim.c = Trapdoor.add(right, Trapdoor.mul(Trapdoor.generator(), 1 + shift % (BN254.P - 1)));
        Settlement memory rest = _part(s, 1, 3);
        _expectInvalid(id, receiptHash);
        _settle(id, rest);
        vm.assertEq(escrow.settledGroups(id, receiptHash, 0), 1);
        vm.assertEq(_paid(id), 0);
        claim.c = right;
        _settle(id, _part(s, 1, 3));
        vm.assertEq(_paid(id), 400);
    }

    function test_refusesSwappedProofs() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        (s.claims[0], s.claims[1]) = (s.claims[1], s.claims[0]);
        (s.claims[0].group, s.claims[1].group) = (0, 1);
        _expectInvalid(id, escrow.receiptDigest(s.receipt));
        _settle(id, s);
    }

    /// @dev **Attack**: two invalid proofs that cancel under a common r.
    function testFuzz_refusesErrorsThatCancel(uint256 drawn) public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        uint256[2] memory change = Trapdoor.mul(Trapdoor.generator(), 1 + drawn % (BN254.P - 1));
        s.claims[0].c = Trapdoor.add(s.claims[0].c, change);
        s.claims[2].c = Trapdoor.add(s.claims[2].c, Trapdoor.negate(change));
        vm.assertTrue(verifier.productWithEqualWeights(s.V, _proofs(s.claims)), "the obvious variant accepts");
        _expectInvalid(id, escrow.receiptDigest(s.receipt));
        _settle(id, s);
    }

    /// @dev **Attack**: settling with a key whose delta one knows. The adapter's own verifier decides.
    function test_refusesProofsOfAnotherKey() public {
        address real = address(new LoraVerifier14());
        adapterId = _register(real, GROUPS);
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.InvalidProof.selector, id, receiptHash, real));
        _settle(id, s);
    }

    /// @dev **Attack**: a point off its curve, which makes a precompile burn all it is given. Each of a claim's points, and
    /// the statement; alone and among others. It costs little more than an honest settlement.
    function test_malformedPointsDoNotBurnTheGas() public {
        for (uint256 point = 0; point < 4; ++point) {
            _assertRefusedCheaply(point, 0, 1);
            _assertRefusedCheaply(point, 1, 3);
        }
    }

    function _assertRefusedCheaply(uint256 point, uint256 from, uint256 to) private {
        bytes32 id = _open(_offer(ETH, 1 + 10 * point + from), 0);
        Settlement memory s = _settlement(id, 1, 40);
        if (point == 0) s.claims[from].a[1] ^= 1;
        if (point == 1) s.claims[from].b[0] ^= 1;
        if (point == 2) s.claims[from].c[1] ^= 1;
        if (point == 3) s.V[from][1] ^= 1;
        s.receipt.statementsHash = escrow.hashStatements(s.V);
        _signReceipt(s);
        s = _part(s, from, to);
        vm.prank(contributor);
        uint256 before = gasleft();
        try escrow.settle{gas: 10_000_000}(id, s.receipt, s.signature, s.V, s.claims) {
            vm.assertTrue(false, "accepted a point off the curve");
        } catch {
            vm.assertLe(before - gasleft(), 600_000, "gas of a malformed settlement");
        }
    }

    function _offer(address token_, uint256 nonce) private view returns (ILoraEscrow.Offer memory offer) {
        offer = _offer(token_);
        offer.nonce = nonce;
    }

    function test_refusesAVerifierWhoseCodeChanged() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 registered = address(verifier).codehash;
        vm.etch(address(verifier), address(new AnswerVerifier(abi.encode(true))).code);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILoraEscrow.VerifierChanged.selector, address(verifier), registered, address(verifier).codehash
            )
        );
        _settle(id, s);
    }

    /// @dev Only a full word that says `true` is a yes.
    function test_refusesOddAnswersOfAVerifier() public {
        _assertAnswerRefused(abi.encode(false));
        _assertAnswerRefused(abi.encode(2));
        _assertAnswerRefused("");
        _assertAnswerRefused(hex"01");
    }

    function _assertAnswerRefused(bytes memory answer) private {
        address odd = address(new AnswerVerifier(answer));
        adapterId = _register(odd, GROUPS);
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.InvalidProof.selector, id, receiptHash, odd));
        _settle(id, s);
    }

    /// @dev The seed is the documented one: it binds agreement, receipt, key, statements, groups and proofs.
    function testFuzz_seedBindsEveryClaim(uint256 from, uint256 to) public {
        SeedVerifier seeded = new SeedVerifier();
        adapterId = _register(address(seeded), GROUPS);
        bytes32 id = _openEth();
        from %= GROUPS;
        Settlement memory s = _settlement(id, 1, 40);
        Settlement memory part = _part(s, from, from + 1 + to % (GROUPS - from));
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        seeded.expect(
            keccak256(
                abi.encode(
                    bytes32("deltapay/1/batch"),
                    block.chainid,
                    address(escrow),
                    id,
                    receiptHash,
                    seeded.vkHash(),
                    part.V,
                    part.claims
                )
            )
        );
        _settle(id, part);
    }

    // -------------------------------------------------------------------- helpers

    function _expectInvalid(bytes32 id, bytes32 receiptHash) private {
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.InvalidProof.selector, id, receiptHash, address(verifier))
        );
    }

    function _proofs(ILoraEscrow.Claim[] memory claims) private pure returns (ILoraVerifier.Proof[] memory proofs) {
        proofs = new ILoraVerifier.Proof[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            proofs[i] = ILoraVerifier.Proof(claims[i].a, claims[i].b, claims[i].c);
        }
    }

    function _realSettlement(bytes32 id) private view returns (Settlement memory s) {
        s.V = new uint256[2][](4);
        s.claims = new ILoraEscrow.Claim[](4);
        for (uint32 g = 0; g < 4; ++g) {
            ILoraVerifier.Proof memory proof;
            (s.V[g], proof) = ProofVectors.key14(g);
            s.claims[g] = _claim(g, proof);
        }
        s.receipt = _receipt(id, 1, 40, s.V);
        _signReceipt(s);
    }
}
