// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {LoraEscrow} from "./LoraEscrow.sol";
import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {EscrowFixture} from "./test/EscrowFixture.sol";

/// @dev Every status, every call by its rightful caller, at once, in the last second of the deadline and just after it: what
/// is not allowed reverts and changes nothing.
contract LoraEscrowStatusTest is EscrowFixture {
    enum Call {
        Open,
        Settle,
        Close,
        Refund,
        Release
    }

    enum When {
        AtOnce,
        InTheLastSecond,
        AfterTheDeadline
    }

    function test_fromNoneOnlyOpens() public {
        _tryAll(ILoraEscrow.Status.None);
    }

    function test_fromOpenNeverOpensAgain() public {
        _tryAll(ILoraEscrow.Status.Open);
    }

    function test_fromClosingNeverOpensOrClosesAgain() public {
        _tryAll(ILoraEscrow.Status.Closing);
    }

    function test_fromRefundedNothingFollows() public {
        _tryAll(ILoraEscrow.Status.Refunded);
    }

    function test_fromReleasedNothingFollows() public {
        _tryAll(ILoraEscrow.Status.Released);
    }

    function _tryAll(ILoraEscrow.Status status) private {
        for (uint256 i = 0; i < 15; ++i) {
            this.tryOne(status, Call(i / 3), When(i % 3), i);
        }
    }

    function _isAllowed(ILoraEscrow.Status status, Call call, When when) private pure returns (bool) {
        if (call == Call.Open) return status == ILoraEscrow.Status.None && when == When.AtOnce;
        if (call == Call.Close) return status == ILoraEscrow.Status.Open && when != When.AfterTheDeadline;
        bool active = status == ILoraEscrow.Status.Open || status == ILoraEscrow.Status.Closing;
        if (call == Call.Settle) return active && when != When.AfterTheDeadline;
        return active && (call == Call.Release || when == When.AfterTheDeadline);
    }

    function _after(Call call, ILoraEscrow.Status status) private pure returns (ILoraEscrow.Status) {
        if (call == Call.Open) return ILoraEscrow.Status.Open;
        if (call == Call.Close) return ILoraEscrow.Status.Closing;
        if (call == Call.Refund) return ILoraEscrow.Status.Refunded;
        return call == Call.Release ? ILoraEscrow.Status.Released : status;
    }

    /// @dev A call of its own, as the compiler reads the time once in each.
    function tryOne(ILoraEscrow.Status status, Call call, When when, uint256 nonce) external {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        offer.nonce = nonce;
        bytes memory opening = abi.encodeCall(
            LoraEscrow.open, (offer, _signedOffer(offer), signer, AMOUNT, _deadline(), nonce)
        );
        (bytes32 id, uint64 deadline) = _prepare(status, opening);
        (address caller, bytes memory data) = _calldata(call, id, opening);
        // A refund is after the deadline already.
        bool late = status == ILoraEscrow.Status.Refunded;
        if (when == When.InTheLastSecond && !late) vm.warp(deadline);
        if (when == When.AfterTheDeadline && !late) vm.warp(deadline + 1);

        bytes32 before = keccak256(abi.encode(escrow.agreements(id)));
        vm.prank(caller);
        (bool ok,) = address(escrow).call{value: call == Call.Open ? FEE + AMOUNT : 0}(data);
        vm.assertTrue(ok == _isAllowed(status, call, when));
        ILoraEscrow.Agreement memory found = escrow.agreements(id);
        vm.assertEq(uint256(found.status), uint256(ok ? _after(call, status) : status));
        if (!ok) vm.assertEq(keccak256(abi.encode(found)), before);
    }

    /// @dev An agreement brought to that status; of one that is not opened, the id it would have.
    function _prepare(ILoraEscrow.Status status, bytes memory opening) private returns (bytes32 id, uint64 deadline) {
        deadline = _deadline();
        if (status == ILoraEscrow.Status.None) return (_idWithout(opening), deadline);
        id = abi.decode(_call(buyer, FEE + AMOUNT, opening), (bytes32));
        if (status == ILoraEscrow.Status.Closing) _call(buyer, 0, abi.encodeCall(LoraEscrow.close, (id)));
        if (status == ILoraEscrow.Status.Released) _call(contributor, 0, abi.encodeCall(LoraEscrow.release, (id)));
        if (status == ILoraEscrow.Status.Refunded) {
            vm.warp(deadline + 1);
            _call(stranger, 0, abi.encodeCall(LoraEscrow.refund, (id)));
        }
        deadline = escrow.agreements(id).deadline;
        vm.assertEq(uint256(escrow.agreements(id).status), uint256(status));
    }

    /// @dev Opens in a call that is undone.
    function _idWithout(bytes memory opening) private returns (bytes32 id) {
        try this.openAndRevert(opening) {
            vm.assertTrue(false, "not undone");
        } catch (bytes memory reason) {
            id = bytes32(reason);
        }
    }

    function openAndRevert(bytes memory opening) external {
        bytes memory id = _call(buyer, FEE + AMOUNT, opening);
        assembly ("memory-safe") {
            revert(add(id, 32), 32)
        }
    }

    function _calldata(Call call, bytes32 id, bytes memory opening) private view returns (address, bytes memory) {
        if (call == Call.Open) return (buyer, opening);
        if (call == Call.Close) return (buyer, abi.encodeCall(LoraEscrow.close, (id)));
        if (call == Call.Refund) return (stranger, abi.encodeCall(LoraEscrow.refund, (id)));
        if (call == Call.Release) return (contributor, abi.encodeCall(LoraEscrow.release, (id)));
        Settlement memory s = _settlement(id, 1, 40);
        return (contributor, abi.encodeCall(LoraEscrow.settle, (id, s.receipt, s.signature, s.V, s.claims)));
    }

    function _call(address caller, uint256 value, bytes memory data) private returns (bytes memory answer) {
        bool ok;
        vm.prank(caller);
        (ok, answer) = address(escrow).call{value: value}(data);
        vm.assertTrue(ok, "preparation");
    }
}
