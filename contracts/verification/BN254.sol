// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title The curve BN254 by its precompiles (EIP-196, EIP-197)
/// @notice Sums, products and pairings of points given in calldata and memory.
/// @dev Every call of a precompile gets a capped amount of gas: one that fails, as it does for a point off its curve,
/// burns all it was given. The caps leave room above the prices of EIP-1108 for a moderate repricing.
/// `to`, `input` and `accumulator` are memory addresses that the caller has allocated.
library BN254 {
    /// @notice Modulus of the coordinates.
    uint256 internal constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @notice Order of the groups, modulus of the scalars.
    uint256 internal constant P = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @notice Bytes of one pair (G1 point, G2 point) in the input of the pairing precompile.
    uint256 internal constant PAIR = 192;
    /// @notice Bytes that `accumulate` needs at its accumulator: the sum, and room to work.
    uint256 internal constant ACCUMULATOR = 160;

    uint256 private constant ADD_GAS = 500; // price 150
    uint256 private constant MUL_GAS = 8_000; // price 6,000
    uint256 private constant PAIRING_GAS = 60_000; // price 45,000
    uint256 private constant PAIRING_GAS_PER_PAIR = 42_000; // price 34,000

    /// @notice Whether the coordinates are below Q and the point is not infinity. The precompiles check the curve.
    /// @dev Without branches: short-circuits would cost more than the comparisons they save.
    function isCanonicalG1(uint256[2] calldata point) internal pure returns (bool ok) {
        assembly ("memory-safe") {
            let x := calldataload(point)
            let y := calldataload(add(point, 32))
            ok := and(and(lt(x, Q), lt(y, Q)), iszero(iszero(or(x, y))))
        }
    }

    /// @notice As `isCanonicalG1`, for G2; the pairing precompile checks the curve and the subgroup.
    function isCanonicalG2(uint256[4] calldata point) internal pure returns (bool ok) {
        assembly ("memory-safe") {
            let xIm := calldataload(point)
            let xRe := calldataload(add(point, 32))
            let yIm := calldataload(add(point, 64))
            let yRe := calldataload(add(point, 96))
            ok := and(and(lt(xIm, Q), lt(xRe, Q)), and(lt(yIm, Q), lt(yRe, Q)))
            ok := and(ok, iszero(iszero(or(or(xIm, xRe), or(yIm, yRe)))))
        }
    }

    /// @notice Writes scalar * point, 64 bytes, to `to`.
    /// @return ok false if the point is not on the curve
    function mul(uint256 to, uint256[2] calldata point, uint256 scalar) internal view returns (bool ok) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            calldatacopy(input, point, 64)
            mstore(add(input, 64), scalar)
            ok := staticcall(MUL_GAS, 0x07, input, 96, to, 64)
        }
    }

    /// @notice Writes scalar * (x, y), 64 bytes, to `to`.
    /// @return ok false if the point is not on the curve
    function mul(uint256 to, uint256 x, uint256 y, uint256 scalar) internal view returns (bool ok) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, x)
            mstore(add(input, 32), y)
            mstore(add(input, 64), scalar)
            ok := staticcall(MUL_GAS, 0x07, input, 96, to, 64)
        }
    }

    /// @notice Adds scalar * point to the sum held in the first 64 bytes of the accumulator.
    /// @return ok false if the point is not on the curve
    function accumulate(uint256 accumulator, uint256[2] calldata point, uint256 scalar)
        internal
        view
        returns (bool ok)
    {
        assembly ("memory-safe") {
            let term := add(accumulator, 64)
            calldatacopy(term, point, 64)
            mstore(add(accumulator, 128), scalar)
            ok := staticcall(MUL_GAS, 0x07, term, 96, term, 64)
            ok := and(ok, staticcall(ADD_GAS, 0x06, accumulator, 128, accumulator, 64))
        }
    }

    /// @notice Whether the product of e over `pairs` pairs that begin at `input` is one; false for malformed points.
    function pairing(uint256 input, uint256 pairs) internal view returns (bool ok) {
        uint256 cap = PAIRING_GAS + PAIRING_GAS_PER_PAIR * pairs;
        assembly ("memory-safe") {
            ok := staticcall(cap, 0x08, input, mul(pairs, PAIR), 0x00, 32)
            ok := and(and(ok, eq(returndatasize(), 32)), eq(mload(0x00), 1))
        }
    }
}
