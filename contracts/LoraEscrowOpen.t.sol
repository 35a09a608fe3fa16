// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {LoraEscrow} from "./LoraEscrow.sol";
import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {EscrowFixture} from "./test/EscrowFixture.sol";
import {FeeToken, HookToken, RefusingToken, SilentToken} from "./test/Tokens.sol";

/// @dev Offers and `open`.
contract LoraEscrowOpenTest is EscrowFixture {
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    // ------------------------------------------------------------------- opens

    function testFuzz_opensAndAnnouncesEverything(uint128 amount, uint64 duration, uint256 nonce, uint128 fee) public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.openingFee = fee;
        bytes memory signature = _signedOffer(offer);
        uint64 deadline = uint64(block.timestamp + MIN_DURATION) + duration % 1e12;
        vm.deal(buyer, uint256(amount) + fee);
        bytes32 offerHash = escrow.hashOffer(offer);
        bytes32 expected = keccak256(
            abi.encode(
                bytes32("deltapay/1/agreement"),
                block.chainid,
                address(escrow),
                buyer,
                offerHash,
                signer,
                uint256(amount),
                deadline,
                nonce
            )
        );
        vm.expectEmit();
        emit ILoraEscrow.AgreementOpened(
            expected, adapterId, buyer, offerHash, offer, signer, amount, deadline, nonce
        );
        vm.assertEq(_openWith(offer, signature, signer, amount, deadline, nonce), expected);

        _assertStored(expected, amount, deadline);
        vm.assertEq(address(escrow).balance, uint256(amount) + fee);
        vm.assertEq(escrow.credits(ETH, payout), fee);
        vm.assertEq(escrow.opens(offerHash), 1);
    }

    function _assertStored(bytes32 id, uint256 amount, uint64 deadline) private view {
        ILoraEscrow.Agreement memory agreement = escrow.agreements(id);
        vm.assertEq(agreement.buyer, buyer);
        vm.assertEq(agreement.deadline, deadline);
        vm.assertEq(uint256(agreement.status), uint256(ILoraEscrow.Status.Open));
        vm.assertEq(agreement.signer, signer);
        vm.assertEq(agreement.closeWindow, CLOSE_WINDOW);
        vm.assertEq(agreement.payout, payout);
        vm.assertEq(agreement.token, ETH);
        vm.assertEq(agreement.amount, amount);
        vm.assertEq(agreement.paid, 0);
        vm.assertEq(agreement.pricePerToken, PRICE);
        vm.assertEq(agreement.adapterId, adapterId);
    }

    function test_opensWithAToken() public {
        _open(_offer(address(token)), 0);
        vm.assertEq(token.balanceOf(address(escrow)), FEE + AMOUNT);
        vm.assertEq(escrow.credits(address(token), payout), FEE);
        vm.assertEq(escrow.credits(ETH, payout), 0);
    }

    function test_opensWithATokenThatReturnsNothing() public {
        SilentToken silent = new SilentToken();
        silent.mint(buyer, FEE + AMOUNT);
        vm.prank(buyer);
        silent.approve(address(escrow), FEE + AMOUNT);
        _open(_offer(address(silent)), 0);
        vm.assertEq(silent.balanceOf(address(escrow)), FEE + AMOUNT);
    }

    function test_opensForNothing() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.openingFee = 0;
        _openWith(offer, _signedOffer(offer), signer, 0, _deadline(), 0);
    }

    // ------------------------------------------------------------------ offers

    /// @dev **Attack**: terms changed in front of `open`. Every field is signed.
    function test_refusesTermsThatWereNotSigned() public {
        bytes memory signature = _signedOffer(_offer(ETH));
        vm.deal(buyer, type(uint256).max);
        for (uint256 field = 0; field < 12; ++field) {
            ILoraEscrow.Offer memory offer = _offer(ETH);
            _changeTerm(offer, field);
            vm.expectPartialRevert(ILoraEscrow.OfferNotSignedByContributor.selector);
            _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
        }
    }

    function _changeTerm(ILoraEscrow.Offer memory offer, uint256 field) private {
        if (field == 0) offer.adapterId = _register(address(verifier), GROUPS + 1);
        if (field == 1) offer.payout = stranger;
        if (field == 2) offer.token = address(token);
        if (field == 3) offer.pricePerToken += 1;
        if (field == 4) offer.openingFee += 1;
        if (field == 5) offer.maxUnpaidTokens += 1;
        if (field == 6) offer.tokenCap += 1;
        if (field == 7) offer.minDuration -= 1;
        if (field == 8) offer.closeWindow += 1;
        if (field == 9) offer.maxOpens += 1;
        if (field == 10) offer.nonce += 1;
        if (field == 11) offer.expiry += 1;
    }

    function test_refusesAnOfferSignedByAnother() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _sign(STRANGER_KEY, escrow.offerDigest(offer));
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.OfferNotSignedByContributor.selector, stranger, contributor)
        );
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesAMalleatedSignature() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(CONTRIBUTOR_KEY, escrow.offerDigest(offer));
        bytes32 highS = bytes32(CURVE_ORDER - uint256(s));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, highS));
        _openWith(offer, abi.encodePacked(r, highS, v == 27 ? 28 : 27), signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesASignatureOfWrongLength() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 64));
        _openWith(offer, new bytes(64), signer, AMOUNT, _deadline(), 0);
    }

    /// @dev ecrecover answers zero for garbage; an adapter that is not registered has contributor zero.
    function test_refusesASignatureOfNobody() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
        _openWith(offer, new bytes(65), signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesAnUnknownAdapter() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.adapterId = "unknown";
        bytes memory signature = _signedOffer(offer);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.UnknownAdapter.selector, bytes32("unknown")));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesAnOfferSignedForAnotherEscrow() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _sign(CONTRIBUTOR_KEY, new LoraEscrow(registry).offerDigest(offer));
        vm.expectPartialRevert(ILoraEscrow.OfferNotSignedByContributor.selector);
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesAnOfferSignedForAnotherChain() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(ILoraEscrow.OfferNotSignedByContributor.selector);
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_opensInTheLastSecondOnly() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        vm.warp(offer.expiry);
        _open(offer, 0);
        bytes memory signature = _signedOffer(offer);
        vm.warp(offer.expiry + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.OfferExpired.selector, offer.expiry, uint256(offer.expiry) + 1)
        );
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 1);
    }

    function test_refusesAnExhaustedOffer() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        bytes32 offerHash = escrow.hashOffer(offer);
        _open(offer, 0);
        _open(offer, 1);
        vm.assertEq(escrow.opens(offerHash), 2);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.OfferExhausted.selector, offerHash, 2));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 2);
    }

    function test_refusesACancelledOffer() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        bytes32 offerHash = escrow.hashOffer(offer);
        vm.expectEmit();
        emit ILoraEscrow.OfferCancelled(offerHash, adapterId, contributor);
        vm.prank(contributor);
        escrow.cancelOffer(offer);
        vm.assertTrue(escrow.cancelled(offerHash));
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.OfferIsCancelled.selector, offerHash));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.OfferIsCancelled.selector, offerHash));
        vm.prank(contributor);
        escrow.cancelOffer(offer);
    }

    function test_onlyTheContributorCancels() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        vm.prank(contributor);
        escrow.setOperator(stranger, true);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.NotContributor.selector, stranger, contributor));
        vm.prank(stranger);
        escrow.cancelOffer(offer);
    }

    // ---------------------------------------------------------------- arguments

    function test_refusesZeroAddresses() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.ZeroAddress.selector, "signer"));
        _openWith(offer, signature, address(0), AMOUNT, _deadline(), 0);
        offer.payout = address(0);
        signature = _signedOffer(offer);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.ZeroAddress.selector, "payout"));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesADeadlineTooEarly() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        uint64 earliest = uint64(block.timestamp + MIN_DURATION);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.DeadlineTooEarly.selector, earliest - 1, earliest));
        _openWith(offer, signature, signer, AMOUNT, earliest - 1, 0);
        _openWith(offer, signature, signer, AMOUNT, earliest, 0);
    }

    /// @dev now + minDuration does not wrap around.
    function test_refusesADeadlineThatOverflows() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.minDuration = type(uint64).max;
        bytes memory signature = _signedOffer(offer);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILoraEscrow.DeadlineTooEarly.selector,
                type(uint64).max,
                block.timestamp + type(uint64).max
            )
        );
        _openWith(offer, signature, signer, AMOUNT, type(uint64).max, 0);
    }

    function test_refusesTheSameAgreementTwice() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        bytes32 id = _open(offer, 0);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.AgreementExists.selector, id));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesTheIdOfAnAgreementThatEnded() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        bytes32 id = _open(offer, 0);
        vm.prank(contributor);
        escrow.release(id);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.AgreementExists.selector, id));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesAmountsAbove128Bits() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        uint256 tooMuch = uint256(type(uint128).max) + 1;
        bytes memory signature = _signedOffer(offer);
        vm.deal(buyer, 4 * tooMuch);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.AmountTooLarge.selector, FEE, tooMuch));
        _openWith(offer, signature, signer, tooMuch, _deadline(), 0);
        offer.openingFee = tooMuch;
        signature = _signedOffer(offer);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.AmountTooLarge.selector, tooMuch, AMOUNT));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    // ------------------------------------------------------------------ payment

    function testFuzz_refusesAnyOtherValue(uint96 value) public {
        if (value == FEE + AMOUNT) return;
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        uint64 deadline = _deadline();
        vm.deal(buyer, value);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.WrongValue.selector, value, FEE + AMOUNT));
        vm.prank(buyer);
        escrow.open{value: value}(offer, signature, signer, AMOUNT, deadline, 0);
    }

    function test_refusesEthWithAToken() public {
        ILoraEscrow.Offer memory offer = _offer(address(token));
        bytes memory signature = _signedOffer(offer);
        uint64 deadline = _deadline();
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.WrongValue.selector, 1, 0));
        vm.prank(buyer);
        escrow.open{value: 1}(offer, signature, signer, AMOUNT, deadline, 0);
    }

    function test_refusesATokenThatKeepsAFee() public {
        FeeToken taxed = new FeeToken();
        taxed.mint(buyer, 10_000);
        vm.prank(buyer);
        taxed.approve(address(escrow), type(uint256).max);
        ILoraEscrow.Offer memory offer = _offer(address(taxed));
        bytes memory signature = _signedOffer(offer);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILoraEscrow.InexactTransfer.selector, address(taxed), FEE + AMOUNT, FEE + AMOUNT - 1
            )
        );
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesATokenThatMovesNothing() public {
        address refusing = address(new RefusingToken());
        ILoraEscrow.Offer memory offer = _offer(refusing);
        bytes memory signature = _signedOffer(offer);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, refusing));
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesATokenWithoutCode() public {
        ILoraEscrow.Offer memory offer = _offer(address(0xE0A));
        bytes memory signature = _signedOffer(offer);
        vm.expectRevert();
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    function test_refusesAVerifierWhoseCodeChanged() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes memory signature = _signedOffer(offer);
        bytes32 registered = address(verifier).codehash;
        vm.etch(address(verifier), hex"600160005260206000f3");
        vm.expectRevert(
            abi.encodeWithSelector(
                ILoraEscrow.VerifierChanged.selector, address(verifier), registered, address(verifier).codehash
            )
        );
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    /// @dev **Attack**: one deposit counted for two agreements, by opening the second while the first is paid in.
    function test_refusesToOpenWhileOpening() public {
        HookToken hook = new HookToken();
        hook.mint(address(hook), 10_000);
        hook.mint(buyer, 10_000);
        vm.prank(buyer);
        hook.approve(address(escrow), type(uint256).max);
        ILoraEscrow.Offer memory offer = _offer(address(hook));
        bytes memory signature = _signedOffer(offer);
        hook.setHook(
            address(escrow), abi.encodeCall(escrow.open, (offer, signature, signer, AMOUNT, _deadline(), 1))
        );
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
        vm.assertTrue(hook.called());
        vm.assertFalse(hook.succeeded());
        vm.assertEq(
            hook.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }
}
