// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {EscrowFixture} from "./test/EscrowFixture.sol";
import {
    AnsweringToken,
    BlacklistToken,
    GasBurner,
    LyingToken,
    NoZeroToken,
    RebasingToken,
    ReturnBomb
} from "./test/HostileTokens.sol";
import {RefusingReceiver, TestToken} from "./test/Tokens.sol";

/// @dev Tokens that do what a token should not, and receivers that do not want to receive. FeeToken, RefusingToken,
/// SilentToken and HookToken are in LoraEscrowOpen.t.sol and LoraEscrowMoney.t.sol.
///
/// Must hold: whatever a token does, only agreements and credits in that token are concerned; whoever cannot receive keeps
/// nobody else from being paid.
contract LoraEscrowTokensTest is EscrowFixture {
    uint256 private constant GAS = 10_000_000;

    // ---------------------------------------------------------------- rebasing

    /// @dev Balances that grow are nobody's: credits stay what they were.
    function test_aTokenThatGrowsLeavesCreditsAsTheyAre() public {
        RebasingToken rebasing = new RebasingToken();
        bytes32 id = _openWithToken(rebasing);
        rebasing.rebase(2, 1);
        _settle(id, _settlement(id, 1, 40));
        _withdraw(address(rebasing), payout, FEE + 400);
        vm.prank(contributor);
        escrow.release(id);
        _withdraw(address(rebasing), buyer, 600);
        vm.assertEq(rebasing.balanceOf(address(escrow)), FEE + AMOUNT);
    }

    /// @dev Balances that shrink leave too little for all: who withdraws first is paid in full, the last cannot. This is
    /// why such tokens are not supported (ILoraEscrow). What is held of other tokens is not touched.
    function test_aTokenThatShrinksHarmsItsOwnHoldersOnly() public {
        RebasingToken rebasing = new RebasingToken();
        bytes32 id = _openWithToken(rebasing);
        _open(_offer(address(token)), 1);
        _openEth();
        rebasing.rebase(1, 2);
        _withdraw(address(rebasing), payout, FEE);
        vm.prank(contributor);
        escrow.release(id);
        vm.expectRevert();
        vm.prank(buyer);
        escrow.withdraw(address(rebasing), buyer);
        vm.assertEq(escrow.credits(address(rebasing), buyer), AMOUNT);
        _withdraw(address(token), payout, FEE);
        vm.prank(payout);
        escrow.withdraw(ETH, payout);
        vm.assertEq(payout.balance, FEE);
    }

    // ------------------------------------------------------- what a token answers

    function test_refusesATokenThatAnswersGarbage() public {
        _assertTokenRefused(abi.encode(uint256(2)), SafeERC20.SafeERC20FailedOperation.selector);
        _assertTokenRefused(abi.encode(type(uint256).max), SafeERC20.SafeERC20FailedOperation.selector);
        _assertTokenRefused(hex"01", SafeERC20.SafeERC20FailedOperation.selector);
    }

    function _assertTokenRefused(bytes memory answer, bytes4 reason) private {
        AnsweringToken odd = new AnsweringToken();
        _fund(odd);
        odd.setAnswer(answer);
        ILoraEscrow.Offer memory offer = _offer(address(odd));
        bytes memory signature = _signedOffer(offer);
        vm.expectPartialRevert(reason);
        _openWith(offer, signature, signer, AMOUNT, _deadline(), 0);
    }

    /// @dev More than a word that begins with `true` is a yes, as to every caller compiled by Solidity.
    function test_takesALongYes() public {
        AnsweringToken odd = new AnsweringToken();
        _fund(odd);
        odd.setAnswer(abi.encode(true, "and much more"));
        _open(_offer(address(odd)), 0);
        vm.assertEq(escrow.credits(address(odd), payout), FEE);
    }

    /// @dev **Attack**: an answer so long that copying it costs all the gas. It is not copied.
    function test_anEndlessAnswerOfATokenIsNotCopied() public {
        AnsweringToken odd = new AnsweringToken();
        _fund(odd);
        bytes32 id = _open(_offer(address(odd)), 0);
        odd.setBomb(200_000);
        vm.prank(payout);
        uint256 before = gasleft();
        escrow.withdraw{gas: GAS}(address(odd), payout);
        // The token itself pays for 200 kB of memory: 97,000 gas. Copying it would cost that much once more, and 18,750.
        vm.assertLe(before - gasleft(), 180_000, "gas of an endless answer");
        vm.assertEq(odd.balanceOf(payout), FEE);
        vm.assertEq(escrow.agreements(id).amount, AMOUNT);
    }

    /// @dev **Attack**: a token that reports money that never came. It credits nothing in any other token.
    function test_aTokenThatLiesConcernsItselfOnly() public {
        LyingToken lying = new LyingToken(address(escrow), FEE + AMOUNT);
        _openEth();
        _open(_offer(address(lying)), 1);
        vm.assertEq(escrow.credits(address(lying), payout), FEE);
        vm.assertEq(escrow.credits(ETH, payout), FEE);
        vm.assertEq(address(escrow).balance, FEE + AMOUNT);
        vm.expectPartialRevert(ILoraEscrow.InexactTransfer.selector);
        vm.prank(payout);
        escrow.withdraw(address(lying), payout);
    }

    // ---------------------------------------------------------- tokens that refuse

    /// @dev **Attack**: nothing of the agreement waits for a payout that the token's issuer shut out.
    function test_aBlacklistedPayoutBlocksNobodyElse() public {
        BlacklistToken strict = new BlacklistToken();
        _fund(strict);
        bytes32 id = _open(_offer(address(strict)), 0);
        strict.refuse(payout, true);
        _settle(id, _settlement(id, 1, 40));
        vm.prank(contributor);
        escrow.release(id);
        _withdraw(address(strict), buyer, 600);
        vm.expectPartialRevert(BlacklistToken.Refused.selector);
        vm.prank(payout);
        escrow.withdraw(address(strict), payout);
        vm.prank(payout);
        escrow.withdraw(address(strict), stranger);
        vm.assertEq(strict.balanceOf(stranger), FEE + 400);
    }

    function test_aBlacklistedBuyerBlocksNobodyElse() public {
        BlacklistToken strict = new BlacklistToken();
        _fund(strict);
        bytes32 id = _open(_offer(address(strict)), 0);
        strict.refuse(buyer, true);
        _settle(id, _settlement(id, 1, 40));
        _withdraw(address(strict), payout, FEE + 400);
        vm.warp(_deadline() + 1);
        escrow.refund(id);
        vm.assertEq(escrow.credits(address(strict), buyer), 600);
    }

    /// @dev The worst an issuer can do: shut out the escrow. Its own holders wait; others do not.
    function test_aBlacklistedEscrowKeepsCreditsForLater() public {
        BlacklistToken strict = new BlacklistToken();
        _fund(strict);
        bytes32 id = _open(_offer(address(strict)), 0);
        _openEth();
        strict.refuse(address(escrow), true);
        _settle(id, _settlement(id, 1, 40));
        vm.expectPartialRevert(BlacklistToken.Refused.selector);
        vm.prank(payout);
        escrow.withdraw(address(strict), payout);
        vm.prank(payout);
        escrow.withdraw(ETH, payout);
        strict.refuse(address(escrow), false);
        _withdraw(address(strict), payout, FEE + 400);
    }

    /// @dev Transfers of nothing are made by `open` only, when fee and amount are both zero.
    function test_aTokenThatRefusesZeroHindersOnlyEmptyAgreements() public {
        NoZeroToken strict = new NoZeroToken();
        _fund(strict);
        bytes32 id = _open(_offer(address(strict)), 0);
        _settle(id, _settlement(id, 1, 0));
        _settle(id, _settlement(id, 2, 100));
        vm.warp(_deadline() + 1);
        escrow.refund(id);
        vm.expectRevert(
            abi.encodeWithSelector(ILoraEscrow.NothingToWithdraw.selector, address(strict), buyer)
        );
        vm.prank(buyer);
        escrow.withdraw(address(strict), buyer);
        _withdraw(address(strict), payout, FEE + AMOUNT);

        vm.warp(1_000_000);
        ILoraEscrow.Offer memory empty = _offer(address(strict));
        empty.openingFee = 0;
        bytes memory signature = _signedOffer(empty);
        vm.expectPartialRevert(NoZeroToken.Nothing.selector);
        _openWith(empty, signature, signer, 0, _deadline(), 1);
    }

    /// @dev A token whose code vanished, or never was: no transfer to it counts as one that worked.
    function test_aTokenWhoseCodeVanishesPaysNobody() public {
        TestToken gone = new TestToken();
        _fund(gone);
        bytes32 id = _open(_offer(address(gone)), 0);
        vm.etch(address(gone), "");
        _settle(id, _settlement(id, 1, 40));
        vm.expectRevert();
        vm.prank(payout);
        escrow.withdraw(address(gone), payout);
        vm.assertEq(escrow.credits(address(gone), payout), FEE + 400);
    }

    // ----------------------------------------------------------------- receivers

    /// @dev **Attack**: a receiver that burns all gas it is given. It burns its own: nothing else sends to it.
    function test_aReceiverThatBurnsGasBlocksNobody() public {
        _assertHarmless(address(new GasBurner()));
    }

    /// @dev **Attack**: a receiver whose answer is so long that copying it burns the gas that was kept back.
    function test_aReturndataBombIsNotCopied() public {
        ReturnBomb bomb = new ReturnBomb(200_000);
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.payout = address(bomb);
        _open(offer, 0);
        vm.prank(address(bomb));
        uint256 before = gasleft();
        escrow.withdraw{gas: GAS}(ETH, address(bomb));
        vm.assertLe(before - gasleft(), 170_000, "gas of a returndata bomb");
        vm.assertEq(address(bomb).balance, FEE);
    }

    function test_aReceiverThatRefusesWithABombBlocksNobody() public {
        ReturnBomb bomb = new ReturnBomb(1_000);
        bomb.refuse();
        _assertHarmless(address(bomb));
    }

    /// @dev The agreement of a payout that cannot receive settles and ends; its credit waits and can go elsewhere.
    function _assertHarmless(address receiver) private {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.payout = receiver;
        bytes32 id = _open(offer, 0);
        _settle(id, _settlement(id, 1, 40));
        vm.prank(contributor);
        escrow.release(id);
        vm.prank(buyer);
        escrow.withdraw(ETH, stranger);
        vm.assertEq(stranger.balance, 600);
        vm.expectRevert();
        vm.prank(receiver);
        escrow.withdraw{gas: GAS}(ETH, receiver);
        vm.assertEq(escrow.credits(ETH, receiver), FEE + 400);
        vm.prank(receiver);
        escrow.withdraw(ETH, address(0xE15E));
        vm.assertEq(address(0xE15E).balance, FEE + 400);
    }

    /// @dev `sendValue` hands on what the receiver reverts with; without a reason it says so itself.
    function test_aReceiverWithoutAReasonIsNamedAsAFailedCall() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.payout = address(registry);
        _open(offer, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FailedCall.selector));
        vm.prank(address(registry));
        escrow.withdraw(ETH, address(registry));
    }

    /// @dev ETH comes by `open` only; nothing takes it by mistake.
    function test_takesNoEthByItself() public {
        vm.deal(address(this), 2);
        (bool plain,) = address(escrow).call{value: 1}("");
        (bool unknown,) = address(escrow).call{value: 1}(hex"12345678");
        (bool known,) = address(escrow).call{value: 1}(abi.encodeCall(escrow.setOperator, (stranger, true)));
        vm.assertFalse(plain || unknown || known);
        vm.assertEq(address(escrow).balance, 0);
    }

    // ------------------------------------------------------------------- helpers

    function _fund(TestToken funded) private {
        funded.mint(buyer, 1_000_000);
        vm.prank(buyer);
        funded.approve(address(escrow), type(uint256).max);
    }

    function _openWithToken(RebasingToken rebasing) private returns (bytes32) {
        rebasing.mint(buyer, 1_000_000);
        vm.prank(buyer);
        rebasing.approve(address(escrow), type(uint256).max);
        return _open(_offer(address(rebasing)), 0);
    }

    function _withdraw(address token_, address account, uint256 expected) private {
        uint256 before = TestToken(token_).balanceOf(account);
        vm.prank(account);
        escrow.withdraw(token_, account);
        vm.assertEq(TestToken(token_).balanceOf(account) - before, expected);
        vm.assertEq(escrow.credits(token_, account), 0);
    }
}
