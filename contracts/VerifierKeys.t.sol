// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraVerifier} from "./interfaces/ILoraVerifier.sol";
import {Base} from "./test/Base.sol";
import {Trapdoor, TrapdoorVerifier} from "./test/Trapdoor.sol";
import {ProofVectors} from "./test/vectors/ProofVectors.sol";
import {LoraVerifier, VerifyingKey} from "./verification/LoraVerifier.sol";
import {LoraVerifier1022} from "./verifiers/LoraVerifier1022.sol";
import {LoraVerifier126} from "./verifiers/LoraVerifier126.sol";
import {LoraVerifier14} from "./verifiers/LoraVerifier14.sol";
import {LoraVerifier2046} from "./verifiers/LoraVerifier2046.sol";
import {LoraVerifier254} from "./verifiers/LoraVerifier254.sol";
import {LoraVerifier30} from "./verifiers/LoraVerifier30.sol";
import {LoraVerifier4094} from "./verifiers/LoraVerifier4094.sol";
import {LoraVerifier510} from "./verifiers/LoraVerifier510.sol";
import {LoraVerifier62} from "./verifiers/LoraVerifier62.sol";
import {LoraVerifier8190} from "./verifiers/LoraVerifier8190.sol";

/// @notice A key that no ceremony gives: its alpha is off the curve.
contract BrokenKeyVerifier is LoraVerifier {
    function vkHash() public pure override returns (bytes32) {
        return "a broken key";
    }

    function _verifyingKey() internal pure override returns (VerifyingKey memory key) {
        key.alpha1 = [uint256(1), 1];
        key.beta2 = Trapdoor.generator2();
        key.gamma2 = Trapdoor.generator2();
        key.delta2 = Trapdoor.generator2();
    }
}

/// @dev The ten keys side by side: a proof under one of them is none under another.
contract VerifierKeysTest is Base {
    function _verifiers() private returns (ILoraVerifier[10] memory) {
        return [
            ILoraVerifier(new LoraVerifier14()),
            new LoraVerifier30(),
            new LoraVerifier62(),
            new LoraVerifier126(),
            new LoraVerifier254(),
            new LoraVerifier510(),
            new LoraVerifier1022(),
            new LoraVerifier2046(),
            new LoraVerifier4094(),
            new LoraVerifier8190()
        ];
    }

    function test_everyKeyHasAHashOfItsOwn() public {
        ILoraVerifier[10] memory all = _verifiers();
        for (uint256 i = 0; i < all.length; ++i) {
            vm.assertTrue(all[i].vkHash() != bytes32(0));
            for (uint256 j = 0; j < i; ++j) {
                vm.assertTrue(all[i].vkHash() != all[j].vkHash());
            }
        }
    }

    function test_aProofHoldsUnderItsOwnKeyOnly() public {
        ILoraVerifier[10] memory all = _verifiers();
        uint256[2][] memory V = new uint256[2][](2);
        ILoraVerifier.Proof[] memory proofs = new ILoraVerifier.Proof[](2);
        for (uint256 i = 0; i < all.length; ++i) {
            (V[0], proofs[0]) = ProofVectors.key14(0);
            (V[1], proofs[1]) = ProofVectors.key14(1);
            vm.assertTrue(all[i].verifyProof(V[0], proofs[0]) == (i == 0));
            vm.assertTrue(all[i].verifyBatch("seed", V, proofs) == (i == 0));
            (V[0], proofs[0]) = ProofVectors.key30(0);
            vm.assertTrue(all[i].verifyProof(V[0], proofs[0]) == (i == 1));
            vm.assertFalse(all[i].verifyBatch("seed", V, proofs));
        }
    }

    function test_aBrokenKeyAcceptsNothing() public {
        ILoraVerifier broken = new BrokenKeyVerifier();
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(2, 1);
        vm.assertTrue(new TrapdoorVerifier().verifyBatch("seed", V, proofs));
        vm.assertFalse(broken.verifyBatch("seed", V, proofs));
        vm.assertFalse(broken.verifyProof(V[0], proofs[0]));
    }
}
