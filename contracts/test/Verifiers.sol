// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";

/// @notice Answers every verification with given bytes.
contract AnswerVerifier {
    bytes private _answer;
    bytes32 public constant vkHash = "answers as told";

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}

/// @notice Accepts whatever comes with the seed it was told.
contract SeedVerifier is ILoraVerifier {
    bytes32 public constant vkHash = "accepts one seed";
    bytes32 private _expected;

    function expect(bytes32 seed) external {
        _expected = seed;
    }

    function verifyProof(uint256[2] calldata, Proof calldata) external pure returns (bool) {
        return false;
    }

    function verifyBatch(bytes32 seed, uint256[2][] calldata, Proof[] calldata) external view returns (bool) {
        return seed == _expected;
    }
}
