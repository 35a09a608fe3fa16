// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraEscrow} from "../interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";
import {Base} from "../test/Base.sol";
import {ClaimBatch} from "./ClaimBatch.sol";

/// @dev The copied encoding is the compiler's own.
contract ClaimBatchTest is Base {
    function encode(bytes32 seed, uint256[2][] calldata V, ILoraEscrow.Claim[] calldata claims)
        external
        pure
        returns (bytes memory)
    {
        return ClaimBatch.encode(seed, V, claims);
    }

    function hashStatements(uint256[2][] calldata V) external pure returns (bytes32) {
        return ClaimBatch.hashStatements(V);
    }

    function testFuzz_hashesStatementsAsTheCompilerDoes(uint256[2][] calldata V) public view {
        vm.assertEq(this.hashStatements(V), keccak256(abi.encode(bytes32("deltapay/1/statements"), V)));
    }

    function hashBatch(bytes32[3] calldata hashes, uint256[2][] calldata V, ILoraEscrow.Claim[] calldata claims)
        external
        view
        returns (bytes32)
    {
        return ClaimBatch.hashBatch(hashes[0], hashes[1], hashes[2], V, claims);
    }

    function testFuzz_hashesABatchAsTheCompilerDoes(
        bytes32[3] calldata hashes,
        uint256[2][] calldata V,
        ILoraEscrow.Claim[] calldata claims
    ) public view {
        bytes memory preimage = abi.encode(
            bytes32("deltapay/1/batch"),
            block.chainid,
            address(this),
            hashes[0],
            hashes[1],
            hashes[2],
            V,
            claims
        );
        vm.assertEq(this.hashBatch(hashes, V, claims), keccak256(preimage));
    }

    function testFuzz_encodesAsTheCompilerDoes(bytes32 seed, uint256 count, uint256 drawn) public view {
        count %= 9;
        uint256[2][] memory V = new uint256[2][](2 * count + 1);
        uint256[2][] memory chosen = new uint256[2][](count);
        ILoraVerifier.Proof[] memory proofs = new ILoraVerifier.Proof[](count);
        ILoraEscrow.Claim[] memory claims = new ILoraEscrow.Claim[](count);
        for (uint256 g = 0; g < V.length; ++g) {
            V[g] = [_draw(drawn, 100 + g), _draw(drawn, 200 + g)];
        }
        for (uint256 i = 0; i < count; ++i) {
            uint32 group = uint32(2 * i + _draw(drawn, i) % 3);
            ILoraVerifier.Proof memory proof = proofs[i];
            for (uint256 k = 0; k < 4; ++k) {
                proof.a[k % 2] = _draw(drawn, 1000 + 10 * i + k);
                proof.b[k] = _draw(drawn, 2000 + 10 * i + k);
                proof.c[k % 2] = _draw(drawn, 3000 + 10 * i + k);
            }
            claims[i] = ILoraEscrow.Claim(group, proof.a, proof.b, proof.c);
            chosen[i] = V[group];
        }
        vm.assertEq(
            this.encode(seed, V, claims), abi.encodeCall(ILoraVerifier.verifyBatch, (seed, chosen, proofs))
        );
    }

    function _draw(uint256 drawn, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(drawn, index)));
    }
}
