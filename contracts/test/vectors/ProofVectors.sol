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
                uint256(0x26e2fe5808c315e69b99cf339e65958156a540d84693e5d145631f5dd604ce5e),
                0x0d6a8f0a70b79c570c2e6538d2f8e5036cdabb4bf3a2abb3d8ac05d0a87c4de9
            ];
            proof.b = [
                uint256(0x29565287dad1b25afe80e823145d7d89ef1465675274af350305d96af9cdddfb),
                0x0ef84dd884af29adb20964ec5e05d11cc8c461982aa80bfc94b0cbc571b91d25,
                0x1f9bb5481efc5d19fb397eb9e5da285e42bc329a3a0fda4c472e1c20bae1aaf1,
                0x047256eba03b57ec05d7d8abbb93ccf84573e2e7ed234f3ff23ea0e593abdb98
            ];
            proof.c = [
                uint256(0x06c865ae486f299db62076b8c4f069c0747112958ea136427c4fda896daaa92b),
                0x02d17455f21c56c8a7e3b4f7052ff4a6401cfaee3455b4da01c815130c591166
            ];
        }
        if (index == 1) {
            V = [
                uint256(0x1e459a6c86c591700a67a734c2dd11e241a4f741d277e3a833eca50bff58b45c),
                0x277cfff2e1ceee9eada7a9be6adf92dd5c23bc85ac71c2bdf6088dcb96421d8d
            ];
            proof.a = [
                uint256(0x0a20dc12b548a2d2131abec8980477467cf506d3c703d76c553b2c818b61fd80),
                0x298d58e05eef068fe56866b97ed30dbe4719e96bcb4bfeb1b49a8b8c3d7e97b1
            ];
            proof.b = [
                uint256(0x28c5625f6d0a8e2c3cc1742fd2bc4b3bbbd19e97b00ce0646e89982ab93b3b15),
                0x06ebccaeb1249d0f5197186c0c5085ed5d71b37ca6c93c5a7f9acb9f36b31fcf,
                0x0fe643338030787e35dbd77e5ba61abc7e9f1f7485c94d7bc0aba72e787602a8,
                0x2c380a4b821d032ea393eb9b9b4c1e49831956a457a015d5afc8da84d389c681
            ];
            proof.c = [
                uint256(0x1ef3936d6cfdf488675e858f7241d03f3d331d37927f65483dd112612a78a395),
                0x2f011e725416ff87ea21ed92be0522d731c2d0b9735c4852792cca9c89a71fe2
            ];
        }
        if (index == 2) {
            V = [
                uint256(0x061fea52e74ec3dd3e85b3a39d29f7d950ed1a9915d3de2537b4271f67c8878a),
                0x10c539a7535af00df6777bc29ed832294ed9632745ceb6a9a3aa37e0c4055802
            ];
            proof.a = [
                uint256(0x0864624984ab52bd74ebca180f336c84e5402424ea97bea55a43f8e8709d45cc),
                0x001bde649dca26c70d082e31ccb0cb92eb0d428f78a7071fba3c35c3c7f3f785
            ];
            proof.b = [
                uint256(0x04153a434581242c218497e30c7ddf865eb0cfb0812a6c1f6b9ea44367ba3956),
                0x0490bccf394e15be86c0033e6b60e12033491b5bcad99f4ee53e876cc2caa3a1,
                0x13493600ce068dda15c6f20991e91565002890d17d8d9a84274949e6f929fd28,
                0x06dd4c2955a639718ef94522dfa86b003f9d1dd8a4d93dbabf826237e41377a6
            ];
            proof.c = [
                uint256(0x26b4187b4d5ef28fdd659536139c8952eb5b60ec57cb0f92cd6faf729ecb233a),
                0x1ce6f903ac0f37ea1dd0f429738518dc63eeefa59b544d3449d885c4ae6000c5
            ];
        }
        if (index == 3) {
            V = [
                uint256(0x2c12e622afda95ac3b80ef49ed5cbc2ac13e44b4d18aedcca61ce494f07e2318),
                0x21f947a760e09bd6438ffca860a1ec451cf404ba8b6b01721aaf0d201abc3a20
            ];
            proof.a = [
                uint256(0x0f9aaeeab9c405b13a4ccdcf8a6d514317829ab545b5430911dbeb60d8a3dadf),
                0x1cad121cd9b0b72d5225e13ca0b12ec3c5d30c35a582e3a917137b266f0c905a
            ];
            proof.b = [
                uint256(0x29a622a87acd3e948217c3cc74e59403f658956b672e9d62c7142047f1c513d4),
                0x0189699801e084879abda08cba0032a7a1ecae40b88052a650d2234a66500062,
                0x0ed32c03d9887942de97ff2db3baed96ca277dcf6f990e1dd302cfdca257864f,
                0x1e79a02f01e0119004f21d03eba8841abee9a4049f9fce350354ca0d6089ca51
            ];
            proof.c = [
                uint256(0x030e506963c5875fcaaa01879eaa49d871cee86dbeb10b6d88060cea87b2d1f4),
                0x28acb50a5b164daff6f8d938d6238e0f22ba47ab78820f0b37669ea129587ff7
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
                uint256(0x0174f5e001bd99a470974c6cea06688958ae60304a1c21947b8e9a1bc20b0494),
                0x28eff92c869f522ae8522936359ca8a475749fb7a8670890fad11b4e55560b20
            ];
            proof.b = [
                uint256(0x0d041e5172dc901d633360bc82c2d09eeb23dc77274a6c9279848f787720e0ff),
                0x1cc63eebe8a1c892619ff75cd598577f275bc4cbe30b0870006ec160bd5347b1,
                0x007dfe8679c782f6d65c3a165d83caa5faa6d5b056405165b947c52a38d49c2a,
                0x0609bfc07e83c3019ddd342c55f9e0158cebf87a6864d2f0ed2c482bcf5b9c0e
            ];
            proof.c = [
                uint256(0x2ee7aac2b89916a9b5c6802b91e73001053f74dac75b6d16f15d0c5cdeddfa50),
                0x2144745c54be214277e5c8a2f5985838d63e9035dbcc43efe29b0cdf53724f75
            ];
        }
    }
}
