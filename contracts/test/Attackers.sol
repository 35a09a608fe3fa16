// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";

// Contracts of the attacks in runner/demo/attacks. scripts/generate-abi.ts keeps their bytecode for them, so that the
// demo needs no compiler. The receiver that reverts is RefusingReceiver in Tokens.sol.

/// @notice Accepts every proof, and claims to be the verifier of any key.
contract TrueVerifier is ILoraVerifier {
    bytes32 public immutable override vkHash;

    constructor(bytes32 claimed) {
        vkHash = claimed;
    }

    function verifyProof(uint256[2] calldata, Proof calldata) external pure returns (bool) {
        return true;
    }

    function verifyBatch(bytes32, uint256[2][] calldata, Proof[] calldata) external pure returns (bool) {
        return true;
    }
}

/// @notice Answers as another contract does, until its owner exchanges that one. Its own code never changes.
contract ExchangeableVerifier {
    address private immutable _owner = msg.sender;
    address private _implementation;

    error NotOwner();

    constructor(address implementation) {
        _implementation = implementation;
    }

    function exchange(address implementation) external {
        if (msg.sender != _owner) revert NotOwner();
        _implementation = implementation;
    }

    fallback(bytes calldata data) external returns (bytes memory) {
        (, bytes memory answer) = _implementation.staticcall(data);
        return answer;
    }
}
