// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";
import {BN254} from "../verification/BN254.sol";
import {LoraVerifier, VerifyingKey} from "../verification/LoraVerifier.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice A key whose trapdoor is known: alpha, beta, gamma, delta = 3, 5, 7, 11. Whoever knows it proves anything
/// (protocol 3), which is how fuzz tests get as many valid proofs as they like.
contract TrapdoorVerifier is LoraVerifier {
    function vkHash() public pure override returns (bytes32) {
        return "a key with a known trapdoor";
    }

    function _verifyingKey() internal pure override returns (VerifyingKey memory key) {
        key.alpha1 = [
            uint256(0x0769bf9ac56bea3ff40232bcb1b6bd159315d84715b8e679f2d355961915abf0),
            0x2ab799bee0489429554fdb7c8d086475319e63b40b9c5b57cdf1ff3dd9fe2261
        ];
        key.beta2 = [
            uint256(0x0a09ccf561b55fd99d1c1208dee1162457b57ac5af3759d50671e510e428b2a1),
            0x2e539c423b302d13f4e5773c603948eaf5db5df8ae8a9a9113708390a06410d8,
            0x19b763513924a736e4eebd0d78c91c1bc1d657fee4214057d21414011cfcc763,
            0x2f8d9f9ab83727c77a2fec063cb7b6e5eb23044ccf535ad49d46d394fb6f6bf6
        ];
        key.gamma2 = [
            uint256(0x2903ba015a9abde26a5d081e84551e63be0fd4516e46ee6d593edeba46362455),
            0x224bdc5d4327fcf8ed702e01de1c2f1657a253ba75e32a89c390142aaa28b308,
            0x03c8b7cda6b2dedb7aeeaf5fda464ad17036bea1c4e6f7adbaed1ebe0335e0d8,
            0x1d92fff52a265017eeccb372e37d7a7bd431800eca28dfd82e21e8054114233f
        ];
        key.delta2 = [
            uint256(0x228b515a17f28b89920873207477f8c7fc05582debaf3184febf1cfdedc5ce88),
            0x12bb1156a9f6b360fcb2614e15d8a3ff07f2c699dc69ca830b20d2df91fe9cd3,
            0x2b15dc62a5c9e36597914ddbbfde48806a8eabe45c8d3cccf9578ad08e058f92,
            0x02a4fd764f52470e2fcfff325fb9692f55d6b8b077eefeaa04e07152b4d1fa94
        ];
    }

    /// @notice What a batch would check with equal weights, r_g = 1 for all g: the obvious variant.
    function productWithEqualWeights(uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs)
        external
        view
        returns (bool)
    {
        VerifyingKey memory key = _verifyingKey();
        uint256 n = proofs.length;
        bytes memory input;
        uint256[2] memory sumV;
        uint256[2] memory sumC;
        for (uint256 g = 0; g < n; ++g) {
            input = abi.encodePacked(input, proofs[g].a, proofs[g].b);
            sumV = Trapdoor.add(sumV, V[g]);
            sumC = Trapdoor.add(sumC, proofs[g].c);
        }
        input = abi.encodePacked(input, Trapdoor.mul(key.alpha1, BN254.P - n), key.beta2);
        input = abi.encodePacked(input, Trapdoor.mul(sumV, BN254.P - 1), key.gamma2);
        input = abi.encodePacked(input, Trapdoor.mul(sumC, BN254.P - 1), key.delta2);
        (bool ok, bytes memory answer) = address(0x08).staticcall(input);
        return ok && abi.decode(answer, (bool));
    }
}

/// @notice Proofs for the key of `TrapdoorVerifier`, made with its trapdoor, and the arithmetic of G1.
library Trapdoor {
    uint256 internal constant ALPHA_BETA = 15;
    uint256 internal constant GAMMA = 7;
    uint256 internal constant DELTA = 11;

    function generator() internal pure returns (uint256[2] memory) {
        return [uint256(1), 2];
    }

    function generator2() internal pure returns (uint256[4] memory) {
        return [
            uint256(0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2),
            0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed,
            0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b,
            0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa
        ];
    }

    function mul(uint256[2] memory point, uint256 scalar) internal view returns (uint256[2] memory) {
        (bool ok, bytes memory out) = address(0x07).staticcall(abi.encode(point, scalar));
        require(ok, "not on the curve");
        return abi.decode(out, (uint256[2]));
    }

    function add(uint256[2] memory left, uint256[2] memory right) internal view returns (uint256[2] memory) {
        (bool ok, bytes memory out) = address(0x06).staticcall(abi.encode(left, right));
        require(ok, "not on the curve");
        return abi.decode(out, (uint256[2]));
    }

    function negate(uint256[2] memory point) internal pure returns (uint256[2] memory) {
        return [point[0], BN254.Q - point[1]];
    }

    /// @notice The statement v * G and a proof of it: A = a * G, B = G2, C = (a - alpha beta - gamma v) / delta * G.
    /// Scalars for which a point would be infinity are moved away from it.
    function prove(uint256 v, uint256 a)
        internal
        view
        returns (uint256[2] memory V, ILoraVerifier.Proof memory proof)
    {
        v = 1 + v % (BN254.P - 1);
        a = 1 + a % (BN254.P - 1);
        uint256 rest = addmod(ALPHA_BETA, mulmod(GAMMA, v, BN254.P), BN254.P);
        if (a == rest) a = a == 1 ? 2 : a - 1;
        uint256 c = mulmod(addmod(a, BN254.P - rest, BN254.P), Math.invModPrime(DELTA, BN254.P), BN254.P);
        V = mul(generator(), v);
        proof = ILoraVerifier.Proof({a: mul(generator(), a), b: generator2(), c: mul(generator(), c)});
    }

    /// @notice `count` statements and proofs drawn from a seed.
    function proveMany(uint256 count, uint256 seed)
        internal
        view
        returns (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs)
    {
        V = new uint256[2][](count);
        proofs = new ILoraVerifier.Proof[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 drawn = uint256(keccak256(abi.encode(seed, i)));
            (V[i], proofs[i]) = prove(drawn, drawn >> 7);
        }
    }
}
