// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {TestToken} from "./Tokens.sol";

/// @notice Balances are shares of a supply that grows or shrinks for all at once.
contract RebasingToken {
    mapping(address account => uint256) private _shares;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    uint256 private _numerator = 1;
    uint256 private _denominator = 1;

    function rebase(uint256 numerator, uint256 denominator) external {
        (_numerator, _denominator) = (_numerator * numerator, _denominator * denominator);
    }

    function balanceOf(address account) public view returns (uint256) {
        return _shares[account] * _numerator / _denominator;
    }

    function mint(address to, uint256 amount) external {
        _shares[to] += _sharesOf(amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        _shares[from] -= _sharesOf(amount);
        _shares[to] += _sharesOf(amount);
        return true;
    }

    function _sharesOf(uint256 amount) private view returns (uint256) {
        return amount * _denominator / _numerator;
    }
}

/// @notice Moves what it is asked to move, and answers with any bytes, or with very many.
contract AnsweringToken is TestToken {
    bytes private _answer = abi.encode(true);
    uint256 private _bomb;

    function setAnswer(bytes calldata answer) external {
        _answer = answer;
    }

    function setBomb(uint256 length) external {
        _bomb = length;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        super.transfer(to, value);
        _reply();
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        super.transferFrom(from, to, value);
        _reply();
    }

    function _reply() private view {
        bytes memory answer = _answer;
        uint256 length = _bomb == 0 ? answer.length : _bomb;
        assembly ("memory-safe") {
            return(add(answer, 32), length)
        }
    }
}

/// @notice Reports a balance that grows by as much as it is asked to move, and moves nothing.
contract LyingToken {
    address private immutable _escrow;
    uint256 private immutable _amount;
    bool private _asked;

    constructor(address escrow, uint256 amount) {
        (_escrow, _amount) = (escrow, amount);
    }

    function balanceOf(address) external view returns (uint256) {
        return _asked ? _amount : 0;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return true;
    }

    function transferFrom(address, address, uint256) external returns (bool) {
        return _asked = true;
    }
}

/// @notice Its issuer shuts accounts out, as those of the large stablecoins can.
contract BlacklistToken is TestToken {
    mapping(address account => bool) private _refused;

    error Refused(address account);

    function refuse(address account, bool refused) external {
        _refused[account] = refused;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (_refused[from]) revert Refused(from);
        if (_refused[to]) revert Refused(to);
        super._update(from, to, value);
    }
}

/// @notice Does not move nothing.
contract NoZeroToken is TestToken {
    error Nothing();

    function _update(address from, address to, uint256 value) internal override {
        if (value == 0) revert Nothing();
        super._update(from, to, value);
    }
}

/// @notice Burns all gas it is given with ETH.
contract GasBurner {
    receive() external payable {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Answers ETH with very many bytes, or refuses it with them.
contract ReturnBomb {
    uint256 private immutable _length;
    bool private _refuses;

    constructor(uint256 length) {
        _length = length;
    }

    function refuse() external {
        _refuses = true;
    }

    receive() external payable {
        uint256 length = _length;
        bool refuses = _refuses;
        assembly ("memory-safe") {
            if refuses { revert(0, length) }
            return(0, length)
        }
    }
}
