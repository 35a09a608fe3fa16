// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {AdapterRegistry} from "./AdapterRegistry.sol";
import {IAdapterRegistry} from "./interfaces/IAdapterRegistry.sol";
import {Base} from "./test/Base.sol";
import {TrapdoorVerifier} from "./test/Trapdoor.sol";

contract AdapterRegistryTest is Base {
    AdapterRegistry private registry = new AdapterRegistry();
    address private verifier = address(new TrapdoorVerifier());

    function _id(address contributor, bytes32 manifestHash, address verifier_, uint32 groups, bytes32 salt)
        private
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                bytes32("deltapay/1/adapter"),
                block.chainid,
                address(registry),
                contributor,
                manifestHash,
                verifier_,
                verifier_.codehash,
                groups,
                salt
            )
        );
    }

    function testFuzz_registersAndAnnouncesEverything(
        address contributor,
        bytes32 manifestHash,
        uint32 groups,
        bytes32 salt
    ) public {
        groups = 1 + groups % registry.MAX_GROUPS();
        // address(0) would be no contributor: no call comes from it.
        if (contributor == address(0)) contributor = address(1);
        bytes32 expected = _id(contributor, manifestHash, verifier, groups, salt);
        vm.expectEmit();
        emit IAdapterRegistry.AdapterRegistered(
            expected,
            contributor,
            verifier,
            verifier.codehash,
            TrapdoorVerifier(verifier).vkHash(),
            manifestHash,
            groups,
            salt,
            "https://example/manifest"
        );
        vm.prank(contributor);
        bytes32 id = registry.register(manifestHash, "https://example/manifest", verifier, groups, salt);

        vm.assertEq(id, expected);
        IAdapterRegistry.Adapter memory adapter = registry.adapters(id);
        vm.assertEq(adapter.contributor, contributor);
        vm.assertEq(adapter.groups, groups);
        vm.assertEq(adapter.verifier, verifier);
        vm.assertEq(adapter.verifierCodeHash, verifier.codehash);
        vm.assertEq(adapter.manifestHash, manifestHash);
    }

    function test_unknownAdapterIsAllZero() public view {
        vm.assertEq(registry.adapters("nothing").contributor, address(0));
    }

    function test_refusesTheSameAdapterTwice() public {
        bytes32 id = registry.register("m", "", verifier, 1, "s");
        vm.expectRevert(abi.encodeWithSelector(IAdapterRegistry.AdapterAlreadyRegistered.selector, id));
        registry.register("m", "elsewhere", verifier, 1, "s");
    }

    function test_everyFieldIsPartOfTheId() public {
        registry.register("m", "", verifier, 1, "s");
        registry.register("n", "", verifier, 1, "s");
        registry.register("m", "", address(new TrapdoorVerifier()), 1, "s");
        registry.register("m", "", verifier, 2, "s");
        registry.register("m", "", verifier, 1, "t");
        vm.prank(address(0xC));
        registry.register("m", "", verifier, 1, "s");
        vm.chainId(5);
        registry.register("m", "", verifier, 1, "s");
    }

    function test_refusesGroupsOutOfRange() public {
        uint32 most = registry.MAX_GROUPS();
        vm.expectRevert(abi.encodeWithSelector(IAdapterRegistry.GroupsOutOfRange.selector, 0, most));
        registry.register("m", "", verifier, 0, "s");
        vm.expectRevert(abi.encodeWithSelector(IAdapterRegistry.GroupsOutOfRange.selector, most + 1, most));
        registry.register("m", "", verifier, most + 1, "s");
        registry.register("m", "", verifier, most, "s");
    }

    function test_refusesALongUri() public {
        uint256 most = registry.MAX_URI_LENGTH();
        vm.expectRevert(abi.encodeWithSelector(IAdapterRegistry.UriTooLong.selector, most + 1, most));
        registry.register("m", string(new bytes(most + 1)), verifier, 1, "s");
        registry.register("m", string(new bytes(most)), verifier, 1, "s");
    }

    function test_refusesAVerifierWithoutCode() public {
        vm.expectRevert(abi.encodeWithSelector(IAdapterRegistry.VerifierNotAContract.selector, address(0xE0A)));
        registry.register("m", "", address(0xE0A), 1, "s");
    }

    /// @dev **Attack**: an account that delegates its code (EIP-7702) can delegate elsewhere before the settlement.
    function test_refusesADelegatedAccount() public {
        vm.etch(address(0xE0A), abi.encodePacked(hex"ef0100", verifier));
        vm.expectRevert(abi.encodeWithSelector(IAdapterRegistry.VerifierNotAContract.selector, address(0xE0A)));
        registry.register("m", "", address(0xE0A), 1, "s");
    }

    function test_refusesAContractWithoutVkHash() public {
        vm.expectRevert();
        registry.register("m", "", address(registry), 1, "s");
    }
}
