// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraEscrow} from "../interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";

/// @title Hands the claims of a settlement to a verifier
/// @notice The hashes and the call by which an escrow has a batch of claims verified.
/// @dev Statements and claims are static, so their arrays in calldata are already in the form that abi.encode gives
/// them: they are copied whole, which saves some 2,000 gas a claim. The tests compare with the compiler's encoding.
library ClaimBatch {
    bytes32 private constant STATEMENTS_TAG = "deltapay/1/statements";
    bytes32 private constant BATCH_TAG = "deltapay/1/batch";

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

    /// @notice keccak256(abi.encode(bytes32("deltapay/1/statements"), V)).
    function hashStatements(uint256[2][] calldata V) internal pure returns (bytes32 hash) {
        bytes32 tag = STATEMENTS_TAG;
        assembly ("memory-safe") {
            let start := mload(0x40)
            let length := mul(V.length, STATEMENT)
            mstore(start, tag)
            mstore(add(start, 32), 64)
            mstore(add(start, 64), V.length)
            calldatacopy(add(start, 96), V.offset, length)
            hash := keccak256(start, add(96, length))
        }
    }

    /// @notice keccak256(abi.encode(bytes32("deltapay/1/batch"), block.chainid, address(this), agreementId,
    /// receiptHash, vkHash, V, claims)).
    /// @dev Every claim's group has been read, and so seen to fit in 32 bits.
    function hashBatch(
        bytes32 agreementId,
        bytes32 receiptHash,
        bytes32 vkHash,
        uint256[2][] calldata V,
        ILoraEscrow.Claim[] calldata claims
    ) internal view returns (bytes32 seed) {
        bytes32 tag = BATCH_TAG;
        assembly ("memory-safe") {
            let start := mload(0x40)
            let statements := add(start, 288)
            let proofs := add(statements, mul(V.length, STATEMENT))
            let end := add(add(proofs, 32), mul(claims.length, CLAIM))
            mstore(start, tag)
            mstore(add(start, 32), chainid())
            mstore(add(start, 64), address())
            mstore(add(start, 96), agreementId)
            mstore(add(start, 128), receiptHash)
            mstore(add(start, 160), vkHash)
            mstore(add(start, 192), 256)
            mstore(add(start, 224), sub(proofs, start))
            mstore(add(start, 256), V.length)
            calldatacopy(statements, V.offset, sub(proofs, statements))
            mstore(proofs, claims.length)
            calldatacopy(add(proofs, 32), claims.offset, mul(claims.length, CLAIM))
            seed := keccak256(start, sub(end, start))
        }
    }

    /// @notice abi.encodeCall(ILoraVerifier.verifyBatch, (seed, statements of the claims, proofs of the claims)).
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
