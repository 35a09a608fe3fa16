// SPDX-License-Identifier: GPL-3.0-or-later
// Made by scripts/generate-proof-vectors.ts with snarkjs under the dev keys. Do not edit.
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../../interfaces/ILoraVerifier.sol";

/// @notice Proofs as a contributor makes them.
library ProofVectors {
    uint256 internal constant COUNT_14 = 4;
    bytes32 internal constant VK_HASH_14 = 0xb123f4bc94c659f6e9954651de5cfea0bdd2e5829d6e09a653e4f16971723b34;

    /// @notice A statement and its proof under the key of size 14; index < 4.
    function key14(uint256 index)
        internal
        pure
        returns (uint256[2] memory V, ILoraVerifier.Proof memory proof)
    {
        if (index == 0) {
            V = [
                uint256(0x10d0022281ccee2ac9067b72dc68cfea60ea24a8446c79019edd9bd61ba8d35d),
                0x0185f8ec129a84f26b0782122ff67383366791dfd338c3b4c124a460d928868f
            ];
            proof.a = [
                uint256(0x2fe93df94846555895a08ad45939c4a66e69b6a11e7abb2c593556ec2a23f3ae),
                0x2d0dd37a1a921395e63c8c8de3becb3b68e69cfce812a00753de1668e8f41be8
            ];
            proof.b = [
                uint256(0x092e7489c6bb01c9cad69580e4f13d763299c5fc74048100ecf2627522326dca),
                0x021d3ddfc65f732a752f6b1672d94bc832d53d6d81fa9ee394859e90887b5a12,
                0x1261c3c07c6f85c6d965f817f73bfc46fef3c338d86ea98e64865b10580ec237,
                0x278b1c57efab2c74a452034b89269213fdaef141b71651d86341e578314b0e5f
            ];
            proof.c = [
                uint256(0x1123248ad203b25aa3ba00345f25a55a5d33c3c0f5c5a9e6f211658da7be734d),
                0x2555ad2cfb157e4ab6b68268be1daaf98a0a390df0d1b1f12d67b84e544fa10f
            ];
        }
        if (index == 1) {
            V = [
                uint256(0x1e459a6c86c591700a67a734c2dd11e241a4f741d277e3a833eca50bff58b45c),
                0x277cfff2e1ceee9eada7a9be6adf92dd5c23bc85ac71c2bdf6088dcb96421d8d
            ];
            proof.a = [
                uint256(0x0a2ef4afb8b363759da617c6f907881c60b5fac4329be84e66478cedcd1099a1),
                0x104eb02e41977b2af9629907524d441b02f8289f5eb9ca95bed06b74df4beb24
            ];
            proof.b = [
                uint256(0x1950c93968cbfb8b87bf53aaafc257085e54aab05dcebb11bb999decf5ffcd53),
                0x1d8b1f72ea4f15c7c5cf311547ad6427d427598a728757a810dce7dafdce0129,
                0x0ee845a3ff0bc3678ac7c088ace104715536cd2c226f258f4fe002147a8a28ba,
                0x2bc4ae6f2e94401391b0d13111716e58e86a01678262472bb2c7274a3ce0d4ba
            ];
            proof.c = [
                uint256(0x2d452cb9e88613ff76a8f0dd5b4777e830180df9cf6248cfaab9bff6125419f6),
                0x0891ce4c981c9606eeaf8862fdcf6455da44491645a346d81c7fd376c6a20429
            ];
        }
        if (index == 2) {
            V = [
                uint256(0x061fea52e74ec3dd3e85b3a39d29f7d950ed1a9915d3de2537b4271f67c8878a),
                0x10c539a7535af00df6777bc29ed832294ed9632745ceb6a9a3aa37e0c4055802
            ];
            proof.a = [
                uint256(0x1f82d70fac81c4f18f2360492597455e8e2bb71d6e91b82bcc921c0721ddec98),
                0x16573e3c5a4f30c3829abfcd3793c335f9af922ced9f824858c861eb96868bb3
            ];
            proof.b = [
                uint256(0x143062c5fa2c23de44f8749c06585b77610d15643a5907cc5bdbce430af6a96a),
                0x0331789c38d033b914c5406f83a80b1ea7bd6a64228824182a50795ffc111464,
                0x0f5915afe60730a022010f830209d5f724eab9f32fa82fde87918c3dd378b1fe,
                0x1691b15b8121dfb146e374468f73bd75b0009cabc4ce4af39626b99a0974d409
            ];
            proof.c = [
                uint256(0x035ca5a94b4541fae83d2d1829ef6b420c188f850aba1a49229a64357f3945ff),
                0x2843401e735e9ef16470678853aef5cc25fd35706790d790246f5670cb1123b8
            ];
        }
        if (index == 3) {
            V = [
                uint256(0x2c12e622afda95ac3b80ef49ed5cbc2ac13e44b4d18aedcca61ce494f07e2318),
                0x21f947a760e09bd6438ffca860a1ec451cf404ba8b6b01721aaf0d201abc3a20
            ];
            proof.a = [
                uint256(0x0b40cb4bf6ec62c7ed49edf765d16221aae88fbb39992a13c9e6c56b8a6eb507),
                0x11acb352db16808ed5623b5d8e54594bb48f21f2ecc9dd05847655dfb4b21326
            ];
            proof.b = [
                uint256(0x11124a89fb49dfa2fb808d8029bc25d6ecf30a1d8666e12e0df574a2ade2ef32),
                0x03d271b259cfdefcd720b01e05aa2c2294abe73c8f1129727bf79d723177d394,
                0x2add52143fbf9eb8f4f449de913323eeefe124facdb36e4f9d0f1912ccc1f8fd,
                0x08c73e31670109334c29b31f568ba414fc87701b9da2d1e04352e9f9d41f44f5
            ];
            proof.c = [
                uint256(0x0e3ecfc74dd6ec377951ba5be1127c3b9485ac7d6b5354748d877ce984ce4be3),
                0x2902be23aadc258db8651fa5779e900b82b36fc563676dd7a2278a3edf374faf
            ];
        }
    }

    uint256 internal constant COUNT_30 = 1;
    bytes32 internal constant VK_HASH_30 = 0xb35b1c3f6f1d7de20aa159e9205b2627fe4761a5fef6c9b5ffb7a00b5f8d78a0;

    /// @notice A statement and its proof under the key of size 30; index < 1.
    function key30(uint256 index)
        internal
        pure
        returns (uint256[2] memory V, ILoraVerifier.Proof memory proof)
    {
        if (index == 0) {
            V = [
                uint256(0x1903bc23fb3e91b4e163228a0506b3965495d009efb0f11a6b60e7a4a4227c0e),
                0x004a9997f4f85b8a0b4922e0ce780339eb7daec37a267accb0792af7f1132edc
            ];
            proof.a = [
                uint256(0x09d13f767ecdcb361f56c0e5d9a9e2b162c0a3ca8d664dca0fa82c8721123c5d),
                0x06aedc299459f755ca81ee78492d4d2a61b1de3df1a2459367848df1f0515280
            ];
            proof.b = [
                uint256(0x07ee08a41b221b4430b21b2d263fea1c85930134b0626b52896d621bc97823e6),
                0x1d4efe36d717f6fd7ff9f2ea355b1dc16d1a56f6bb6527e6c4388c6692534c77,
                0x058fc40b4bb3b436a2b51d926aa86098568a307476590c55f7424685ef457ee4,
                0x07e1a68afbaffec04bf462c111574daf21786c3af6dc1b53ceec053c07f4ff0e
            ];
            proof.c = [
                uint256(0x02c4bf91b5ecf54f6b370f02eb903ac5dff9b73b256d8dbfa1e1521b7470d231),
                0x15554b9e402abc8885f30428a5c37a3016f942d2a4fa54b73f09bdf6c1aa2d6b
            ];
        }
    }
}
