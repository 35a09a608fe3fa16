// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";
import {BN254} from "./BN254.sol";

/// @notice The part of a Groth16 key that the pairing equation needs; G2 points in the order of EIP-197.
struct VerifyingKey {
    uint256[2] alpha1;
    uint256[4] beta2;
    uint256[4] gamma2;
    uint256[4] delta2;
}

/// @title What all verifiers share; a generated contract per key adds the key
/// @notice Verifies proofs of statements given as points, under the key of the contract that inherits.
/// @dev The committed inputs reach the verifier as one point V per proof, so the key has no IC points (protocol 3).
abstract contract LoraVerifier is ILoraVerifier {
    /// @inheritdoc ILoraVerifier
    function vkHash() public pure virtual override returns (bytes32);

    function _verifyingKey() internal pure virtual returns (VerifyingKey memory);

    /// @inheritdoc ILoraVerifier
    /// @dev e(a, b) e(-alpha1, beta2) e(-V, gamma2) e(-c, delta2) = 1.
    function verifyProof(uint256[2] calldata V, Proof calldata proof) public view override returns (bool) {
        if (!_isCanonical(V, proof)) return false;
        VerifyingKey memory key = _verifyingKey();
        uint256 input = _allocate(4 * BN254.PAIR);
        _copyG1(input, proof.a);
        _copyG2(input, proof.b);
        uint256 pair = input + BN254.PAIR;
        _writeNegated(pair, key.alpha1[0], key.alpha1[1]);
        _writeG2(pair, key.beta2);
        pair += BN254.PAIR;
        _writeNegated(pair, V[0], V[1]);
        _writeG2(pair, key.gamma2);
        pair += BN254.PAIR;
        _writeNegated(pair, proof.c[0], proof.c[1]);
        _writeG2(pair, key.delta2);
        return BN254.pairing(input, 4);
    }

    /// @inheritdoc ILoraVerifier
    /// @dev prod_g e(r_g a_g, b_g) e(-sum r_g alpha1, beta2) e(-sum r_g V_g, gamma2) e(-sum r_g c_g, delta2) = 1.
    function verifyBatch(bytes32 seed, uint256[2][] calldata V, Proof[] calldata proofs)
        external
        view
        override
        returns (bool)
    {
        uint256 count = proofs.length;
        if (count == 0 || V.length != count) return false;
        if (count == 1) return verifyProof(V[0], proofs[0]);

        uint256 input = _allocate((count + 3) * BN254.PAIR);
        uint256 sumV = _allocate(BN254.ACCUMULATOR);
        uint256 sumC = _allocate(BN254.ACCUMULATOR);
        uint256 sumR;
        for (uint256 g = 0; g < count; ++g) {
            uint256[2] calldata statement = V[g];
            Proof calldata proof = proofs[g];
            if (!_isCanonical(statement, proof)) return false;
            uint256 r = _weight(seed, g);
            uint256 pair = input + g * BN254.PAIR;
            if (!BN254.mul(pair, proof.a, r)) return false;
            _copyG2(pair, proof.b);
            // Adding -r times a point spares the negation of the sum.
            if (!BN254.accumulate(sumV, statement, BN254.P - r)) return false;
            if (!BN254.accumulate(sumC, proof.c, BN254.P - r)) return false;
            sumR = addmod(sumR, r, BN254.P);
        }
        return _finish(input, count, sumR, sumV, sumC);
    }

    /// @dev Appends the three pairs of the key to the `count` pairs of the proofs and checks the product.
    function _finish(uint256 input, uint256 count, uint256 sumR, uint256 sumV, uint256 sumC)
        private
        view
        returns (bool)
    {
        VerifyingKey memory key = _verifyingKey();
        uint256 pair = input + count * BN254.PAIR;
        if (!BN254.mul(pair, key.alpha1[0], key.alpha1[1], BN254.P - sumR)) return false;
        _writeG2(pair, key.beta2);
        pair += BN254.PAIR;
        _moveG1(pair, sumV);
        _writeG2(pair, key.gamma2);
        pair += BN254.PAIR;
        _moveG1(pair, sumC);
        _writeG2(pair, key.delta2);
        return BN254.pairing(input, count + 3);
    }

    /// @dev r_g of `verifyBatch`.
    function _weight(bytes32 seed, uint256 position) private pure returns (uint256 r) {
        uint256 order = BN254.P;
        assembly ("memory-safe") {
            mstore(0x00, seed)
            mstore(0x20, position)
            r := mod(keccak256(0x00, 0x40), order)
            r := add(r, iszero(r))
        }
    }

    function _isCanonical(uint256[2] calldata V, Proof calldata proof) private pure returns (bool) {
        return BN254.isCanonicalG1(V) && BN254.isCanonicalG1(proof.a) && BN254.isCanonicalG2(proof.b)
            && BN254.isCanonicalG1(proof.c);
    }

    /// @dev Zeroed memory: an accumulator starts at infinity, (0, 0).
    function _allocate(uint256 length) private pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := mload(0x40)
            mstore(0x40, add(start, length))
            calldatacopy(start, calldatasize(), length)
        }
    }

    function _copyG1(uint256 pair, uint256[2] calldata point) private pure {
        assembly ("memory-safe") {
            calldatacopy(pair, point, 64)
        }
    }

    function _copyG2(uint256 pair, uint256[4] calldata point) private pure {
        assembly ("memory-safe") {
            calldatacopy(add(pair, 64), point, 128)
        }
    }

    function _moveG1(uint256 pair, uint256 from) private pure {
        assembly ("memory-safe") {
            mcopy(pair, from, 64)
        }
    }

    function _writeG2(uint256 pair, uint256[4] memory point) private pure {
        assembly ("memory-safe") {
            mcopy(add(pair, 64), point, 128)
        }
    }

    /// @dev Writes -(x, y). With y = 0 the result is (x, Q), which the precompile refuses; no point has y = 0.
    function _writeNegated(uint256 pair, uint256 x, uint256 y) private pure {
        uint256 negated = BN254.Q - y;
        assembly ("memory-safe") {
            mstore(pair, x)
            mstore(add(pair, 32), negated)
        }
    }
}
