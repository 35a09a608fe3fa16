// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraEscrow} from "../interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";

/// @title Hands the claims of a settlement to a verifier
library ClaimBatch {
    uint256 private constant STATEMENT = 64; // bytes of uint256[2]
    uint256 private constant PROOF = 256; // bytes of ILoraVerifier.Proof
    uint256 private constant CLAIM = 288; // bytes of ILoraEscrow.Claim: the group, then a proof

    /// @notice Whether the verifier accepts every claim for the statement of its group.
    /// @param V statements by group; every claim's group is below its length
    function verify(address verifier, bytes32 seed, uint256[2][] calldata V, ILoraEscrow.Claim[] calldata claims)
        internal
        view
        returns (bool valid)
    {
        bytes memory payload = encode(seed, V, claims);
        assembly ("memory-safe") {
            valid := staticcall(gas(), verifier, add(payload, 32), mload(payload), 0x00, 32)
            valid := and(and(valid, gt(returndatasize(), 31)), eq(mload(0x00), 1))
        }
    }

    /// @notice abi.encodeCall(ILoraVerifier.verifyBatch, (seed, statements of the claims, proofs of the claims)),
    /// copied straight from calldata: arrays of structs in memory would cost some 2,000 gas a claim.
    function encode(bytes32 seed, uint256[2][] calldata V, ILoraEscrow.Claim[] calldata claims)
        internal
        pure
        returns (bytes memory payload)
    {
        uint256 count = claims.length;
        bytes4 selector = ILoraVerifier.verifyBatch.selector;
        assembly ("memory-safe") {
            payload := mload(0x40)
            let arguments := add(payload, 36)
            let statement := add(arguments, 128)
            let proof := add(add(statement, mul(count, STATEMENT)), 32)
            let end := add(proof, mul(count, PROOF))
            mstore(0x40, and(add(end, 31), not(31)))
            mstore(payload, sub(end, add(payload, 32)))
            mstore(add(payload, 32), selector)
            mstore(arguments, seed)
            mstore(add(arguments, 32), 96)
            mstore(add(arguments, 64), sub(sub(proof, 32), arguments))
            mstore(add(arguments, 96), count)
            mstore(sub(proof, 32), count)
            let claim := claims.offset
            for {} lt(proof, end) {} {
                calldatacopy(statement, add(V.offset, mul(calldataload(claim), STATEMENT)), STATEMENT)
                calldatacopy(proof, add(claim, 32), PROOF)
                claim := add(claim, CLAIM)
                statement := add(statement, STATEMENT)
                proof := add(proof, PROOF)
            }
        }
    }
}
