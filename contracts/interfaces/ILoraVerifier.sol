// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Verifier of the proofs of one key
/// @notice A proof shows that the committed part of the statement `V` opens to a witness of the circuit.
/// The key is in the code: no storage, no owner, nothing to configure.
/// @dev Both functions answer `false` for anything malformed: a coordinate not below the field's modulus, a point
/// off its curve or outside its subgroup, the point at infinity. They never revert because of the points.
interface ILoraVerifier {
    /// @notice A Groth16 proof.
    /// @param a G1 point (x, y)
    /// @param b G2 point in the order of EIP-197: (x_im, x_re, y_im, y_re)
    /// @param c G1 point (x, y)
    struct Proof {
        uint256[2] a;
        uint256[4] b;
        uint256[2] c;
    }

    /// @notice Hash of the key (protocol 3): what buyers pin.
    function vkHash() external view returns (bytes32);

    /// @notice Whether e(a, b) = e(alpha1, beta2) e(V, gamma2) e(c, delta2).
    /// @param V the statement, a G1 point
    function verifyProof(uint256[2] calldata V, Proof calldata proof) external view returns (bool);

    /// @notice Whether all proofs hold, each for the statement at the same position; `false` for an empty batch.
    /// @dev Proof g is weighted by r_g = keccak256(abi.encode(seed, g)) mod p, g counted from 0 as uint256; should
    /// r_g be 0 it is 1. A batch of one is `verifyProof`. Whoever relies on the answer must derive the seed from
    /// every statement and proof of the batch: with weights known beforehand two invalid proofs can cancel.
    function verifyBatch(bytes32 seed, uint256[2][] calldata V, Proof[] calldata proofs) external view returns (bool);
}
