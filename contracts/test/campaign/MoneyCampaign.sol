// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {LoraEscrow} from "../../LoraEscrow.sol";
import {TestToken} from "../Tokens.sol";
import {ContributorCampaign} from "./ContributorCampaign.sol";
import {Deed} from "./Deeds.sol";
import {HostileToken} from "./HostileToken.sol";

/// @title All that a campaign may do
/// @notice Its functions are what the invariant runner calls, in any order. None of them reverts but to say that the
/// escrow did what it must not do.
abstract contract MoneyCampaign is ContributorCampaign {
    constructor() {
        vm.warp(_now);
        _raiseTheCurtain();
    }

    function withdraw(uint256 drawn) external watched {
        address token = tokens[_roll(drawn, "token", tokens.length)];
        address account = _somebodyDue(token, drawn);
        address to = [account, stranger, account, stranger, refusing, address(0), address(escrow)][_roll(drawn, "to", 7)];
        _changeMood(token, drawn);
        bool expected = due[token][account] != 0 && to != address(0) && to != address(escrow) && _leaves(token, to);
        uint256 refunded = _armCallback(token);
        _act("withdraw", account, 0, abi.encodeCall(LoraEscrow.withdraw, (token, to)), expected);
        if (!expected) {
            _note(Deed.WithdrawalRefused);
            return;
        }
        _bookWithdrawal(token, account);
        if (token == ETH) _note(Deed.WithdrawnInEth);
        else _note(token == address(hostile) ? Deed.WithdrawnInHostileToken : Deed.WithdrawnInToken);
        if (token == address(hostile)) _bookCallback(refunded);
    }

    /// @dev Usually one of those who have something.
    function _somebodyDue(address token, uint256 drawn) private view returns (address account) {
        address[16] memory all = everybody();
        uint256 start = _roll(drawn, "account", all.length);
        account = all[start];
        for (uint256 i = 0; i < all.length && due[token][account] == 0 && drawn % 8 != 0; ++i) {
            account = all[(start + i) % all.length];
        }
    }

    function _leaves(address token, address to) private view returns (bool) {
        if (token == ETH) return to != refusing;
        if (token != address(hostile)) return true;
        HostileToken.Mode mode = hostile.mode();
        return mode != HostileToken.Mode.FeeOnTop && mode != HostileToken.Mode.Refuses;
    }

    function passTime(uint256 drawn) external watched {
        _now += _roll(drawn, "far", 6) == 0 ? _roll(drawn, "seconds", 1 hours) : _roll(drawn, "seconds", 5 minutes);
    }

    /// @dev To the very second at which the next agreement ends, or the one after.
    function passTimeToADeadline(uint256 drawn) external watched {
        uint256 edge = type(uint256).max;
        for (uint256 i = 0; i < _deals.length; ++i) {
            if (_isActive(_deals[i]) && _deals[i].deadline >= _now && _deals[i].deadline < edge) edge = _deals[i].deadline;
        }
        if (edge != type(uint256).max) _now = edge + _roll(drawn, "after", 2);
    }

    /// @dev Money forced on the escrow; of the hostile token also a balance that grew by itself.
    function giveUnasked(uint256 drawn) external watched {
        address token = tokens[_roll(drawn, "token", tokens.length)];
        uint256 amount = _roll(drawn, "amount", 1_000);
        if (token == ETH) vm.deal(address(escrow), address(escrow).balance + amount);
        else TestToken(token).mint(address(escrow), amount);
        windfall[token] += amount;
        _note(Deed.WindfallReceived);
    }
}
