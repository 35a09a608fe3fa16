// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {EscrowFixture} from "./test/EscrowFixture.sol";
import {FeeToken, HookToken, ReentrantReceiver, RefusingReceiver, SilentToken} from "./test/Tokens.sol";

/// @dev `close`, `refund`, `release` and `withdraw`.
///
/// Must hold: an agreement goes None -> Open -> Closing -> Refunded or Released, may skip Closing, and never goes back.
/// What an agreement holds is credited once: in part to payout, the rest to the buyer. All credits are covered.
contract LoraEscrowMoneyTest is EscrowFixture {
    // --------------------------------------------------------------------- refund

    function test_refundsTheRestAfterTheDeadline() public {
        bytes32 id = _openEth();
        uint64 deadline = _deadline();
        _settle(id, _settlement(id, 1, 40));
        vm.warp(deadline);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.DeadlineNotPassed.selector, id, deadline, uint256(deadline))
        );
        escrow.refund(id);
        vm.warp(deadline + 1);
        vm.expectEmit();
        emit ILoraEscrow.AgreementRefunded(id, buyer, 600);
        vm.prank(stranger);
        escrow.refund(id);
        vm.assertEq(escrow.credits(ETH, buyer), 600);
        vm.assertEq(escrow.credits(ETH, payout), FEE + 400);
    }

    function test_refundsNothingOfAnAgreementPaidInFull() public {
        bytes32 id = _openEth();
        _settle(id, _settlement(id, 1, 1_000));
        vm.warp(_deadline() + 1);
        escrow.refund(id);
        vm.assertEq(escrow.credits(ETH, buyer), 0);
    }

    function test_refundsOnce() public {
        bytes32 id = _openEth();
        vm.warp(_deadline() + 1);
        escrow.refund(id);
        _expectStatus(id, ILoraEscrow.Status.Refunded);
        escrow.refund(id);
        _expectStatus(id, ILoraEscrow.Status.Refunded);
        vm.prank(contributor);
        escrow.release(id);
        _expectStatus(id, ILoraEscrow.Status.Refunded);
        vm.prank(buyer);
        escrow.close(id);
        vm.assertEq(escrow.credits(ETH, buyer), AMOUNT);
    }

    function test_refusesToEndWhatIsNotThere() public {
        _expectStatus("none", ILoraEscrow.Status.None);
        escrow.refund("none");
        _expectStatus("none", ILoraEscrow.Status.None);
        escrow.release("none");
        _expectStatus("none", ILoraEscrow.Status.None);
        escrow.close("none");
    }

    // -------------------------------------------------------------------- release

    function test_releasesAtOnce() public {
        bytes32 id = _open(_offer(address(token)), 0);
        _settle(id, _settlement(id, 1, 40));
        vm.expectEmit();
        emit ILoraEscrow.AgreementReleased(id, buyer, 600);
        vm.prank(contributor);
        escrow.release(id);
        vm.assertEq(escrow.credits(address(token), buyer), 600);
        vm.assertEq(escrow.credits(ETH, buyer), 0);
    }

    function test_releasesOnce() public {
        bytes32 id = _openEth();
        vm.prank(contributor);
        escrow.release(id);
        _expectStatus(id, ILoraEscrow.Status.Released);
        vm.prank(contributor);
        escrow.release(id);
        vm.warp(_deadline() + 1);
        _expectStatus(id, ILoraEscrow.Status.Released);
        escrow.refund(id);
        vm.assertEq(escrow.credits(ETH, buyer), AMOUNT);
    }

    /// @dev Not even its operator: it may settle, not give money away.
    function test_onlyTheContributorReleases() public {
        bytes32 id = _openEth();
        vm.prank(contributor);
        escrow.setOperator(stranger, true);
        address[2] memory others = [stranger, buyer];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.NotContributor.selector, others[i], contributor));
            vm.prank(others[i]);
            escrow.release(id);
        }
    }

    // ---------------------------------------------------------------------- close

    /// @dev **Attack**: a contributor who never serves locks the money.
    function test_closesBeforeTheDeadline() public {
        bytes32 id = _openEth();
        uint64 closing = uint64(block.timestamp) + CLOSE_WINDOW;
        vm.expectEmit();
        emit ILoraEscrow.AgreementClosing(id, closing);
        vm.prank(buyer);
        escrow.close(id);
        vm.assertEq(escrow.agreements(id).deadline, closing);
        vm.assertEq(uint256(escrow.agreements(id).status), uint256(ILoraEscrow.Status.Closing));
        vm.warp(closing + 1);
        escrow.refund(id);
        vm.assertEq(escrow.credits(ETH, buyer), AMOUNT);
    }

    function test_settlesAndReleasesWhileClosing() public {
        bytes32 id = _openEth();
        vm.prank(buyer);
        escrow.close(id);
        vm.warp(block.timestamp + CLOSE_WINDOW);
        _settle(id, _settlement(id, 1, 40));
        vm.assertEq(_paid(id), 400);
        vm.prank(contributor);
        escrow.release(id);
        vm.assertEq(escrow.credits(ETH, buyer), 600);
    }

    function test_refusesToSettleAfterTheCloseWindow() public {
        bytes32 id = _openEth();
        vm.prank(buyer);
        escrow.close(id);
        Settlement memory s = _settlement(id, 1, 40);
        uint64 deadline = escrow.agreements(id).deadline;
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.DeadlinePassed.selector, id, deadline, uint256(deadline) + 1)
        );
        _settle(id, s);
    }

    /// @dev Never later than before, whatever the window; now + window does not wrap around.
    function testFuzz_closingNeverMovesTheDeadlineBack(uint64 window, uint64 elapsed) public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.closeWindow = window;
        bytes32 id = _open(offer, 0);
        uint64 deadline = _deadline();
        vm.warp(block.timestamp + elapsed % 2 hours);
        vm.prank(buyer);
        escrow.close(id);
        uint256 closing = block.timestamp + window;
        vm.assertEq(escrow.agreements(id).deadline, closing < deadline ? closing : deadline);
    }

    function test_closesOnce() public {
        bytes32 id = _openEth();
        vm.prank(buyer);
        escrow.close(id);
        _expectStatus(id, ILoraEscrow.Status.Closing);
        vm.prank(buyer);
        escrow.close(id);
    }

    function test_onlyTheBuyerCloses() public {
        bytes32 id = _openEth();
        address[3] memory others = [stranger, contributor, signer];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.NotBuyer.selector, others[i], buyer));
            vm.prank(others[i]);
            escrow.close(id);
        }
    }

    function test_refusesToCloseAfterTheDeadline() public {
        bytes32 id = _openEth();
        uint64 deadline = _deadline();
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.DeadlinePassed.selector, id, deadline, uint256(deadline) + 1)
        );
        vm.prank(buyer);
        escrow.close(id);
    }

    // ------------------------------------------------------------------- withdraw

    function test_withdrawsEthToAnybody() public {
        _openEth();
        vm.expectEmit();
        emit ILoraEscrow.Withdrawn(payout, ETH, stranger, FEE);
        vm.prank(payout);
        escrow.withdraw(ETH, stranger);
        vm.assertEq(stranger.balance, FEE);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.NothingToWithdraw.selector, ETH, payout));
        vm.prank(payout);
        escrow.withdraw(ETH, stranger);
    }

    function test_withdrawsTokens() public {
        _open(_offer(address(token)), 0);
        vm.prank(payout);
        escrow.withdraw(address(token), stranger);
        vm.assertEq(token.balanceOf(stranger), FEE);
        vm.assertEq(token.balanceOf(address(escrow)), AMOUNT);
    }

    function test_withdrawsTokensThatReturnNothing() public {
        SilentToken silent = new SilentToken();
        silent.mint(buyer, FEE + AMOUNT);
        vm.prank(buyer);
        silent.approve(address(escrow), FEE + AMOUNT);
        _open(_offer(address(silent)), 0);
        vm.prank(payout);
        escrow.withdraw(address(silent), payout);
        vm.assertEq(silent.balanceOf(payout), FEE);
    }

    /// @dev What one holds of a token is nobody else's and no other token's.
    function test_withdrawsOnlyOnesOwn() public {
        _openEth();
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.NothingToWithdraw.selector, ETH, stranger));
        vm.prank(stranger);
        escrow.withdraw(ETH, stranger);
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.NothingToWithdraw.selector, address(token), payout));
        vm.prank(payout);
        escrow.withdraw(address(token), payout);
    }

    function test_refusesToWithdrawToNobody() public {
        _openEth();
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.InvalidRecipient.selector, address(0)));
        vm.prank(payout);
        escrow.withdraw(ETH, address(0));
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.InvalidRecipient.selector, address(escrow)));
        vm.prank(payout);
        escrow.withdraw(ETH, address(escrow));
    }

    /// @dev **Attack**: a receiver that reverts blocks the other's settlement. It only fails to withdraw to itself.
    function test_aReceiverThatRevertsBlocksNobody() public {
        RefusingReceiver refusing = new RefusingReceiver();
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.payout = address(refusing);
        bytes memory signature = _signedOffer(offer);
        uint64 deadline = _deadline();
        vm.deal(address(this), FEE + AMOUNT);
        bytes memory opening = abi.encodeCall(escrow.open, (offer, signature, signer, AMOUNT, deadline, 0));
        bytes32 id =
            abi.decode(refusing.call{value: FEE + AMOUNT}(address(escrow), opening), (bytes32));
        _settle(id, _settlement(id, 1, 40));
        vm.warp(deadline + 1);
        escrow.refund(id);
        vm.assertEq(escrow.credits(ETH, address(refusing)), FEE + AMOUNT);
        vm.expectPartialRevert(RefusingReceiver.NoThanks.selector);
        vm.prank(address(refusing));
        escrow.withdraw(ETH, address(refusing));
        vm.prank(address(refusing));
        escrow.withdraw(ETH, stranger);
        vm.assertEq(stranger.balance, FEE + AMOUNT);
    }

    /// @dev **Attack**: withdrawing again while being paid.
    function test_refusesToWithdrawWhileWithdrawing() public {
        ReentrantReceiver receiver = new ReentrantReceiver();
        _openEth();
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.payout = address(receiver);
        _open(offer, 1);
        receiver.setHook(address(escrow), abi.encodeCall(escrow.withdraw, (ETH, address(receiver))));
        vm.prank(address(receiver));
        escrow.withdraw(ETH, address(receiver));
        vm.assertEq(address(receiver).balance, FEE);
        vm.assertFalse(receiver.succeeded());
        vm.assertEq(
            receiver.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }

    /// @dev **Attack**: a token that calls back while it pays out or in; `settle` and `withdraw` are shut meanwhile.
    function test_refusesTheHooksOfAToken() public {
        HookToken hook = new HookToken();
        hook.mint(buyer, 10_000);
        vm.prank(buyer);
        hook.approve(address(escrow), type(uint256).max);
        ILoraEscrow.Offer memory offer = _offer(address(hook));
        offer.payout = address(hook);
        bytes32 id = _open(offer, 0);

        Settlement memory s = _settlement(id, 1, 40);
        vm.prank(contributor);
        escrow.setOperator(address(hook), true);
        hook.setHook(
            address(escrow), abi.encodeCall(escrow.settle, (id, s.receipt, s.signature, s.V, s.claims))
        );
        _open(offer, 1);
        _assertHookRefused(hook);

        hook.setHook(address(escrow), abi.encodeCall(escrow.withdraw, (address(hook), stranger)));
        vm.prank(address(hook));
        escrow.withdraw(address(hook), payout);
        _assertHookRefused(hook);
        vm.assertEq(hook.balanceOf(payout), 2 * FEE);
        vm.assertEq(hook.balanceOf(stranger), 0);
    }

    function _assertHookRefused(HookToken hook) private view {
        vm.assertTrue(hook.called());
        vm.assertFalse(hook.succeeded());
        vm.assertEq(
            hook.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }

    /// @dev **Attack**: a token that takes its fee out of what the escrow holds for others.
    function test_refusesATokenThatTakesMoreThanItSends() public {
        FeeToken taxed = new FeeToken();
        taxed.setFee(0, false);
        taxed.mint(buyer, 10_000);
        vm.prank(buyer);
        taxed.approve(address(escrow), type(uint256).max);
        _open(_offer(address(taxed)), 0);
        taxed.setFee(1, true);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.InexactTransfer.selector, address(taxed), FEE, FEE + 1)
        );
        vm.prank(payout);
        escrow.withdraw(address(taxed), payout);
    }

    // --------------------------------------------------------------- conservation

    /// @dev Whatever happens in whatever order, every wei is held for an agreement, credited or withdrawn.
    function testFuzz_moneyIsConserved(uint256[12] calldata steps) public {
        bytes32[2] memory ids = [_open(_offer(ETH), 0), _open(_offer(ETH), 1)];
        uint256 paidIn = 2 * (FEE + AMOUNT);
        uint256 withdrawn;
        for (uint256 i = 0; i < steps.length; ++i) {
            bytes32 id = ids[steps[i] % 2];
            uint256 action = steps[i] / 2 % 8;
            if (action < 2) _trySettle(id, uint64(i + 1), uint64(steps[i] / 16 % 150));
            if (action == 2) _try(buyer, abi.encodeCall(escrow.close, (id)));
            if (action == 3) _try(stranger, abi.encodeCall(escrow.refund, (id)));
            if (action == 4 && steps[i] / 16 % 4 == 0) _try(contributor, abi.encodeCall(escrow.release, (id)));
            if (action == 5) withdrawn += _tryWithdraw(payout);
            if (action == 6) withdrawn += _tryWithdraw(buyer);
            if (action == 7) vm.warp(block.timestamp + steps[i] / 16 % 1 hours);
            _assertConserved(ids, paidIn, withdrawn);
        }
    }

    function _trySettle(bytes32 id, uint64 passes, uint64 tokens) private {
        Settlement memory s = _settlement(id, passes, tokens);
        _try(contributor, abi.encodeCall(escrow.settle, (id, s.receipt, s.signature, s.V, s.claims)));
    }

    function _try(address caller, bytes memory data) private returns (bool ok) {
        vm.prank(caller);
        (ok,) = address(escrow).call(data);
    }

    function _tryWithdraw(address account) private returns (uint256) {
        uint256 credit = escrow.credits(ETH, account);
        return _try(account, abi.encodeCall(escrow.withdraw, (ETH, stranger))) ? credit : 0;
    }

    function _assertConserved(bytes32[2] memory ids, uint256 paidIn, uint256 withdrawn) private view {
        uint256 owed = escrow.credits(ETH, payout) + escrow.credits(ETH, buyer);
        for (uint256 i = 0; i < 2; ++i) {
            ILoraEscrow.Agreement memory agreement = escrow.agreements(ids[i]);
            vm.assertLe(agreement.paid, agreement.amount, "paid more than was paid in");
            bool active = agreement.status == ILoraEscrow.Status.Open
                || agreement.status == ILoraEscrow.Status.Closing;
            if (active) owed += agreement.amount - agreement.paid;
        }
        vm.assertEq(owed, paidIn - withdrawn, "owed");
        vm.assertEq(address(escrow).balance, owed, "balance");
    }

    function _expectStatus(bytes32 id, ILoraEscrow.Status status) private {
        vm.expectRevert(abi.encodeWithSelector(ILoraEscrow.WrongStatus.selector, id, status));
    }
}
