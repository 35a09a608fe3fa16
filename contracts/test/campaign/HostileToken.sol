// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {TestToken} from "../Tokens.sol";

/// @notice A token that behaves as it is told, and may be told something else before every transfer.
contract HostileToken is TestToken {
    /// @notice Honest: as any ERC-20. KeepsFee: one unit less arrives. FeeOnTop: one unit more leaves. Refuses: answers
    /// false and moves nothing. CallsBack: calls whatever it was told while it moves, as ERC-777 hooks do.
    enum Mode {
        Honest,
        KeepsFee,
        FeeOnTop,
        Refuses,
        CallsBack
    }

    Mode public mode;
    bool public called;
    bool public succeeded;
    address private _target;
    bytes private _data;

    function setMode(Mode mode_, address target, bytes calldata data) external {
        (mode, _target, _data) = (mode_, target, data);
        (called, succeeded) = (false, false);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return mode != Mode.Refuses && super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return mode != Mode.Refuses && super.transferFrom(from, to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from == address(0) || to == address(0)) return;
        if (mode == Mode.KeepsFee) super._update(to, address(1), 1);
        if (mode == Mode.FeeOnTop) super._update(from, address(1), 1);
        if (mode != Mode.CallsBack) return;
        called = true;
        (succeeded,) = _target.call(_data);
    }
}
