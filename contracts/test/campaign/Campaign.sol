// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraEscrow} from "../../interfaces/ILoraEscrow.sol";
import {Books} from "./Books.sol";
import {Cast} from "./Cast.sol";
import {Deed} from "./Deeds.sol";
import {HostileToken} from "./HostileToken.sol";

/// @title What the parts of a campaign share: the clock, the dice, and the comparison of every call with the books
abstract contract Campaign is Books, Cast {
    uint256 internal constant MOST_DEALS = 10;
    uint256 internal constant MOST_PAPERS = 40;

    uint256 internal _now = 1_000_000;
    /// @notice How often each deed was seen in this run.
    mapping(Deed => uint256) public seen;
    /// @notice What an agreement looked like when it was last seen; it may only change forward.
    mapping(uint256 deal => ILoraEscrow.Agreement) private _before;

    error EscrowDisagreesWithTheBooks(string action, bool expected, bool happened, bytes answer);
    error WentBackwards(string what, uint256 deal);

    /// @dev Time does not pass between calls but by `passTime`; every agreement is looked at after every call.
    modifier watched() {
        vm.warp(_now);
        _;
        for (uint256 i = 0; i < _deals.length; ++i) {
            _lookAt(i);
        }
    }

    /// @dev A number below `sides`, another for every purpose; hashed, so that the fuzzer's favourites do not crowd it.
    function _roll(uint256 drawn, string memory purpose, uint256 sides) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(drawn, purpose))) % sides;
    }

    /// @dev Calls the escrow as `caller`, and demands that it succeeds just when the books say so.
    function _act(string memory action, address caller, uint256 value, bytes memory data, bool expected)
        internal
        returns (bytes memory answer)
    {
        bool ok;
        vm.prank(caller);
        (ok, answer) = address(escrow).call{value: value}(data);
        if (ok != expected) revert EscrowDisagreesWithTheBooks(action, expected, ok, answer);
    }

    function _note(Deed deed) internal {
        ++seen[deed];
    }

    /// @dev Books what the hostile token's callback did while it moved.
    function _bookCallback(uint256 refunded) internal {
        if (!hostile.called()) return;
        if (!hostile.succeeded()) {
            _note(Deed.CallbackRefused);
        } else {
            _note(Deed.CallbackRefunded);
            _bookEnd(_deals[refunded], ILoraEscrow.Status.Refunded);
        }
        hostile.setMode(HostileToken.Mode.Honest, address(0), "");
    }

    /// @dev Any agreement, but mostly one under which there is still something to be earned. There is one at least.
    function _someDeal(uint256 drawn) internal view returns (uint256 index) {
        uint256 count = _deals.length;
        index = _roll(drawn, "deal", count);
        if (_roll(drawn, "any deal", 6) == 0) return index;
        for (uint256 i = 0; i < count; ++i) {
            Deal storage d = _deals[(index + i) % count];
            if (_isActive(d) && _now <= d.deadline) return (index + i) % count;
        }
    }

    function _lookAt(uint256 index) private {
        ILoraEscrow.Agreement memory found = escrow.agreements(_deals[index].id);
        ILoraEscrow.Agreement storage last = _before[index];
        if (!_mayFollow(last.status, found.status)) revert WentBackwards("status", index);
        if (found.paid < last.paid) revert WentBackwards("paid", index);
        if (last.status != ILoraEscrow.Status.None) {
            if (found.deadline > last.deadline) revert WentBackwards("deadline", index);
            if (found.deadline != last.deadline && found.status == last.status) revert WentBackwards("deadline", index);
            if (found.paid != last.paid && !_active(last.status)) revert WentBackwards("paid after the end", index);
            if (_fixedPart(found) != _fixedPart(last)) revert WentBackwards("terms", index);
        }
        _before[index] = found;
    }

    function _active(ILoraEscrow.Status status) private pure returns (bool) {
        return status == ILoraEscrow.Status.Open || status == ILoraEscrow.Status.Closing;
    }

    function _mayFollow(ILoraEscrow.Status last, ILoraEscrow.Status next) private pure returns (bool) {
        if (last == next) return true;
        if (last == ILoraEscrow.Status.None) return next == ILoraEscrow.Status.Open;
        if (last == ILoraEscrow.Status.Open) return next != ILoraEscrow.Status.None;
        return last == ILoraEscrow.Status.Closing
            && (next == ILoraEscrow.Status.Refunded || next == ILoraEscrow.Status.Released);
    }

    /// @dev What no call may change.
    function _fixedPart(ILoraEscrow.Agreement memory a) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                a.buyer, a.signer, a.closeWindow, a.payout, a.token, a.amount, a.pricePerToken, a.adapterId
            )
        );
    }
}
