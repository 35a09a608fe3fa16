// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A plain token anybody can mint.
contract TestToken is ERC20("Test", "TST") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice Old-style token without return values, whose approvals and transfers else work.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Answers `false` instead of reverting, and moves nothing.
contract RefusingToken {
    function balanceOf(address) external pure returns (uint256) {
        return 0;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }
}

/// @notice Keeps a fee out of what arrives, or takes it out of the sender on top.
contract FeeToken is TestToken {
    bool public onTop;
    uint256 public fee = 1;

    function setFee(uint256 fee_, bool onTop_) external {
        (fee, onTop) = (fee_, onTop_);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0) && fee != 0) super._update(onTop ? from : to, address(1), fee);
    }
}

/// @notice Calls back into anybody on every transfer, as ERC-777 hooks do.
contract HookToken is TestToken {
    address private _target;
    bytes private _data;

    /// @notice Whether the last callback succeeded, and what it returned.
    bool public called;
    bool public succeeded;
    bytes public answer;

    function setHook(address target, bytes calldata data) external {
        (_target, _data, called) = (target, data, false);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0) || from == address(0)) return;
        called = true;
        (succeeded, answer) = _target.call(_data);
    }
}

/// @notice Refuses ETH.
contract RefusingReceiver {
    error NoThanks();

    receive() external payable {
        revert NoThanks();
    }

    function call(address target, bytes calldata data) external payable returns (bytes memory) {
        (bool ok, bytes memory out) = target.call{value: msg.value}(data);
        require(ok, string(out));
        return out;
    }
}

/// @notice On receiving ETH calls back with what it was told.
contract ReentrantReceiver {
    address private _target;
    bytes private _data;

    bool public succeeded;
    bytes public answer;

    function setHook(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    receive() external payable {
        (succeeded, answer) = _target.call(_data);
    }
}
