// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";
import {Base} from "../test/Base.sol";
import {Trapdoor, TrapdoorVerifier} from "../test/Trapdoor.sol";
import {ProofVectors} from "../test/vectors/ProofVectors.sol";
import {LoraVerifier14} from "../verifiers/LoraVerifier14.sol";
import {LoraVerifier30} from "../verifiers/LoraVerifier30.sol";
import {BN254} from "./BN254.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @dev Proofs of snarkjs under the generated keys; the fuzz tests use a key with a known trapdoor.
contract LoraVerifierTest is Base {
    LoraVerifier14 private verifier14 = new LoraVerifier14();
    LoraVerifier30 private verifier30 = new LoraVerifier30();
    TrapdoorVerifier private trapdoor = new TrapdoorVerifier();

    // ---------------------------------------------------------------- accepted

    function test_vkHashesAreThoseOfTheVectors() public view {
        vm.assertEq(verifier14.vkHash(), ProofVectors.VK_HASH_14);
        vm.assertEq(verifier30.vkHash(), ProofVectors.VK_HASH_30);
    }

    function test_acceptsProofsOfSnarkjs() public view {
        for (uint256 i = 0; i < ProofVectors.COUNT_14; ++i) {
            (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(i);
            vm.assertTrue(verifier14.verifyProof(V, proof));
        }
        (uint256[2] memory V30, ILoraVerifier.Proof memory proof30) = ProofVectors.key30(0);
        vm.assertTrue(verifier30.verifyProof(V30, proof30));
    }

    function testFuzz_acceptsBatchesOfSnarkjsForAnySeed(bytes32 seed, uint256 count) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = _real(1 + count % ProofVectors.COUNT_14);
        vm.assertTrue(verifier14.verifyBatch(seed, V, proofs));
    }

    function testFuzz_acceptsValidBatches(bytes32 seed, uint256 drawn, uint256 count) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(1 + count % 5, drawn);
        vm.assertTrue(trapdoor.verifyBatch(seed, V, proofs));
    }

    // ---------------------------------------------------- proofs of other things

    function test_refusesAnEmptyBatch() public view {
        vm.assertFalse(verifier14.verifyBatch(0, new uint256[2][](0), new ILoraVerifier.Proof[](0)));
    }

    function test_refusesUnequalLengths() public view {
        (uint256[2][] memory V,) = _real(3);
        (, ILoraVerifier.Proof[] memory proofs) = _real(2);
        vm.assertFalse(verifier14.verifyBatch("seed", V, proofs));
        vm.assertFalse(verifier14.verifyBatch("seed", new uint256[2][](0), proofs));
        (uint256[2][] memory shortV,) = _real(1);
        vm.assertFalse(verifier14.verifyBatch("seed", shortV, proofs));
    }

    function test_refusesTheProofOfAnotherKey() public view {
        (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key30(0);
        vm.assertFalse(verifier14.verifyProof(V, proof));
        _assertRefusedInBatch(V, proof);
    }

    function test_refusesTheProofOfAnotherStatement() public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = _real(4);
        vm.assertFalse(verifier14.verifyProof(V[1], proofs[0]));
        (V[0], V[1]) = (V[1], V[0]);
        vm.assertFalse(verifier14.verifyBatch("seed", V, proofs));
    }

    function testFuzz_refusesAWrongStatement(uint256 shift, uint256 position) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = _real(4);
        uint256 g = position % 4;
        V[g] = Trapdoor.add(V[g], Trapdoor.mul(Trapdoor.generator(), 1 + shift % (BN254.P - 1)));
        vm.assertFalse(verifier14.verifyProof(V[g], proofs[g]));
        vm.assertFalse(verifier14.verifyBatch("seed", V, proofs));
    }

    function testFuzz_refusesAWrongProof(uint256 shift, uint256 position, bool inA) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = _real(4);
        ILoraVerifier.Proof memory proof = proofs[position % 4];
        uint256[2] memory change = Trapdoor.mul(Trapdoor.generator(), 1 + shift % (BN254.P - 1));
        if (inA) proof.a = Trapdoor.add(proof.a, change);
        else proof.c = Trapdoor.add(proof.c, change);
        vm.assertFalse(verifier14.verifyProof(V[position % 4], proof));
        vm.assertFalse(verifier14.verifyBatch("seed", V, proofs));
    }

    function test_refusesANegatedProof() public view {
        (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
        proof.a = Trapdoor.negate(proof.a);
        vm.assertFalse(verifier14.verifyProof(V, proof));
        proof.c = Trapdoor.negate(proof.c);
        V = Trapdoor.negate(V);
        vm.assertFalse(verifier14.verifyProof(V, proof));
    }

    // --------------------------------------------------- errors that cancel out

    /// @dev **Attack**: errors +D and -D in two proofs cancel in a product with equal weights.
    function testFuzz_refusesErrorsThatCancelWithEqualWeights(bytes32 seed, uint256 drawn) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(3, uint256(seed));
        _shift(proofs, 0, drawn, 2, BN254.P - 1 - drawn % (BN254.P - 1));
        vm.assertTrue(trapdoor.productWithEqualWeights(V, proofs), "the obvious variant accepts");
        vm.assertFalse(trapdoor.verifyBatch(seed, V, proofs));
    }

    /// @dev **Attack**: two statements whose errors cancel in the sum, each with the proof of the right one.
    function testFuzz_refusesStatementsThatCancelWithEqualWeights(bytes32 seed, uint256 drawn) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(2, uint256(seed));
        uint256[2] memory d = Trapdoor.mul(Trapdoor.generator(), 1 + drawn % (BN254.P - 1));
        V[0] = Trapdoor.add(V[0], d);
        V[1] = Trapdoor.add(V[1], Trapdoor.negate(d));
        vm.assertTrue(trapdoor.productWithEqualWeights(V, proofs), "the obvious variant accepts");
        vm.assertFalse(trapdoor.verifyBatch(seed, V, proofs));
    }

    /// @dev Why the seed must depend on the proofs: errors D/r_0 and -D/r_1 cancel for the one seed they were made for.
    function testFuzz_errorsMadeForOneSeedFailForAnother(bytes32 seed, uint256 drawn) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(2, drawn);
        uint256 d = 1 + drawn % (BN254.P - 1);
        uint256 first = mulmod(d, Math.invModPrime(_weight(seed, 0), BN254.P), BN254.P);
        uint256 second = mulmod(d, Math.invModPrime(_weight(seed, 1), BN254.P), BN254.P);
        _shift(proofs, 0, first - 1, 1, BN254.P - second);
        vm.assertTrue(trapdoor.verifyBatch(seed, V, proofs));
        vm.assertFalse(trapdoor.verifyBatch(keccak256(abi.encode(seed)), V, proofs));
    }

    /// @dev The weights are those of the specification, by position: swapped proofs lose their cancellation.
    function testFuzz_errorsMadeForOnePositionFailAtAnother(bytes32 seed, uint256 drawn) public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(2, drawn);
        uint256 d = 1 + drawn % (BN254.P - 1);
        uint256 first = mulmod(d, Math.invModPrime(_weight(seed, 0), BN254.P), BN254.P);
        uint256 second = mulmod(d, Math.invModPrime(_weight(seed, 1), BN254.P), BN254.P);
        _shift(proofs, 0, first - 1, 1, BN254.P - second);
        (V[0], V[1]) = (V[1], V[0]);
        (proofs[0], proofs[1]) = (proofs[1], proofs[0]);
        vm.assertFalse(trapdoor.verifyBatch(seed, V, proofs));
    }

    /// @dev **Attack**: the same claim twice, its second copy made the inverse of the first.
    function test_refusesAClaimAndItsInverse() public view {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(2, 1);
        V[1] = V[0];
        proofs[1] = abi.decode(abi.encode(proofs[0]), (ILoraVerifier.Proof));
        _shift(proofs, 0, 41, 1, BN254.P - 42);
        vm.assertFalse(trapdoor.verifyProof(V[0], proofs[0]));
        vm.assertFalse(trapdoor.verifyProof(V[1], proofs[1]));
        vm.assertTrue(trapdoor.productWithEqualWeights(V, proofs), "the obvious variant accepts");
        vm.assertFalse(trapdoor.verifyBatch("seed", V, proofs));
    }

    // -------------------------------------------------------------- malformed

    function test_refusesCoordinatesNotBelowQ() public view {
        for (uint256 word = 0; word < 10; ++word) {
            (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
            uint256 value = _wordOf(V, proof, word);
            _setWord(V, proof, word, value + BN254.Q);
            _assertRefusedCheaply(V, proof);
            _setWord(V, proof, word, type(uint256).max);
            _assertRefusedCheaply(V, proof);
        }
    }

    function testFuzz_refusesEveryChangedWord(uint256 word, uint256 value) public view {
        (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
        word %= 10;
        if (value == _wordOf(V, proof, word)) return;
        _setWord(V, proof, word, value);
        _assertRefusedCheaply(V, proof);
    }

    function test_refusesInfinity() public view {
        for (uint256 point = 0; point < 4; ++point) {
            (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
            if (point == 0) V = [uint256(0), 0];
            if (point == 1) proof.a = [uint256(0), 0];
            if (point == 2) proof.b = [uint256(0), 0, 0, 0];
            if (point == 3) proof.c = [uint256(0), 0];
            _assertRefusedCheaply(V, proof);
        }
    }

    /// @dev V = infinity has a proof under a known trapdoor, C = infinity too: only the check for infinity refuses them.
    function test_refusesInfinityWhereThePairingHolds() public view {
        uint256 inverse = Math.invModPrime(Trapdoor.DELTA, BN254.P);
        ILoraVerifier.Proof memory proof = ILoraVerifier.Proof({
            a: Trapdoor.mul(Trapdoor.generator(), 37),
            b: Trapdoor.generator2(),
            c: Trapdoor.mul(Trapdoor.generator(), mulmod(37 - Trapdoor.ALPHA_BETA, inverse, BN254.P))
        });
        _assertOnlyInfinityIsWrong([uint256(0), 0], proof);
        proof.a = Trapdoor.mul(Trapdoor.generator(), Trapdoor.ALPHA_BETA + 2 * Trapdoor.GAMMA);
        proof.c = [uint256(0), 0];
        _assertOnlyInfinityIsWrong(Trapdoor.mul(Trapdoor.generator(), 2), proof);
        // 15 + 7 * 2 + 11 c = 0, with a or b at infinity.
        uint256 c = mulmod(BN254.P - 29, inverse, BN254.P);
        proof.a = [uint256(0), 0];
        proof.c = Trapdoor.mul(Trapdoor.generator(), c);
        _assertOnlyInfinityIsWrong(Trapdoor.mul(Trapdoor.generator(), 2), proof);
        proof.a = Trapdoor.generator();
        proof.b = [uint256(0), 0, 0, 0];
        _assertOnlyInfinityIsWrong(Trapdoor.mul(Trapdoor.generator(), 2), proof);
    }

    function test_refusesPointsOffTheCurve() public view {
        for (uint256 word = 0; word < 10; ++word) {
            (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
            _setWord(V, proof, word, (_wordOf(V, proof, word) + 1) % BN254.Q);
            _assertRefusedCheaply(V, proof);
        }
    }

    /// @dev y = 0 negates to q, and x = 0 is no point either.
    function test_refusesZeroCoordinates() public view {
        for (uint256 word = 0; word < 10; ++word) {
            (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
            _setWord(V, proof, word, 0);
            _assertRefusedCheaply(V, proof);
        }
    }

    /// @dev On the twist, but not of order p.
    function test_refusesAPointOutsideTheSubgroup() public view {
        (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
        proof.b = [
            uint256(0),
            1,
            0x2351dcdda257b62181cbd745dfee16d5fdf4eb185bbcf33c20a0fe6eaa9cb4a3,
            0x07fb3d558dafafb6bf6dd326a5fefe0beca3f9ac3bd999a390d504fad34b0b8c
        ];
        _assertRefusedCheaply(V, proof);
    }

    /// @dev snarkjs writes the real part first.
    function test_refusesTheOtherOrderOfB() public view {
        (uint256[2] memory V, ILoraVerifier.Proof memory proof) = ProofVectors.key14(0);
        proof.b = [proof.b[1], proof.b[0], proof.b[3], proof.b[2]];
        _assertRefusedCheaply(V, proof);
    }

    // ---------------------------------------------------------------- helpers

    function _real(uint256 count) private pure returns (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) {
        V = new uint256[2][](count);
        proofs = new ILoraVerifier.Proof[](count);
        for (uint256 i = 0; i < count; ++i) {
            (V[i], proofs[i]) = ProofVectors.key14(i);
        }
    }

    function _weight(bytes32 seed, uint256 position) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, position))) % BN254.P;
    }

    /// @dev Adds (1 + first mod p-1) * G to one c and second * G to another.
    function _shift(
        ILoraVerifier.Proof[] memory proofs,
        uint256 i,
        uint256 first,
        uint256 j,
        uint256 second
    ) private view {
        uint256[2] memory g = Trapdoor.generator();
        proofs[i].c = Trapdoor.add(proofs[i].c, Trapdoor.mul(g, 1 + first % (BN254.P - 1)));
        proofs[j].c = Trapdoor.add(proofs[j].c, Trapdoor.mul(g, second));
    }

    function _wordOf(uint256[2] memory V, ILoraVerifier.Proof memory proof, uint256 word)
        private
        pure
        returns (uint256)
    {
        if (word < 2) return V[word];
        if (word < 4) return proof.a[word - 2];
        if (word < 8) return proof.b[word - 4];
        return proof.c[word - 8];
    }

    function _setWord(uint256[2] memory V, ILoraVerifier.Proof memory proof, uint256 word, uint256 value)
        private
        pure
    {
        if (word < 2) V[word] = value;
        else if (word < 4) proof.a[word - 2] = value;
        else if (word < 8) proof.b[word - 4] = value;
        else proof.c[word - 8] = value;
    }

    /// @dev Refused alone and in a batch of two, and for little more gas than an honest verification costs.
    function _assertRefusedCheaply(uint256[2] memory V, ILoraVerifier.Proof memory proof) private view {
        uint256 before = gasleft();
        vm.assertFalse(verifier14.verifyProof(V, proof));
        vm.assertLe(before - gasleft(), 260_000, "gas of a malformed proof");
        _assertRefusedInBatch(V, proof);
    }

    function _assertRefusedInBatch(uint256[2] memory V, ILoraVerifier.Proof memory proof) private view {
        (uint256[2][] memory batchV, ILoraVerifier.Proof[] memory proofs) = _real(2);
        batchV[1] = V;
        proofs[1] = proof;
        uint256 before = gasleft();
        vm.assertFalse(verifier14.verifyBatch("seed", batchV, proofs));
        vm.assertLe(before - gasleft(), 360_000, "gas of a malformed batch");
    }

    function _assertOnlyInfinityIsWrong(uint256[2] memory V, ILoraVerifier.Proof memory proof) private view {
        uint256[2][] memory batchV = new uint256[2][](2);
        ILoraVerifier.Proof[] memory proofs = new ILoraVerifier.Proof[](2);
        (batchV[0], proofs[0]) = Trapdoor.prove(5, 6);
        (batchV[1], proofs[1]) = (V, proof);
        vm.assertTrue(trapdoor.productWithEqualWeights(batchV, proofs), "the pairing alone accepts");
        vm.assertFalse(trapdoor.verifyProof(V, proof));
        vm.assertFalse(trapdoor.verifyBatch("seed", batchV, proofs));
    }
}
