// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {AdapterRegistry} from "./AdapterRegistry.sol";
import {LoraEscrow} from "./LoraEscrow.sol";
import {Base} from "./test/Base.sol";
import {LoraVerifier14} from "./verifiers/LoraVerifier14.sol";

interface VmLoad {
    function load(address target, bytes32 slot) external view returns (bytes32);
}

/// @dev No owner, no upgrade, no pause, by the code itself: without DELEGATECALL and CALLCODE no code but this ever runs
/// with this storage, without SELFDESTRUCT it stays, without CREATE and CREATE2 it makes nothing new. The generated code of all
/// verifiers, and the whole ABI, are checked by test/contracts/properties.test.ts.
contract PowersTest is Base {
    AdapterRegistry private registry = new AdapterRegistry();

    function test_escrowCannotBeUpgradedOrRemoved() public {
        _assertPowerless(address(new LoraEscrow(registry)).code);
    }

    function test_registryCannotBeUpgradedOrRemoved() public view {
        _assertPowerless(address(registry).code);
    }

    function test_verifierCannotBeUpgradedOrRemoved() public {
        _assertPowerless(address(new LoraVerifier14()).code);
    }

    /// @dev Nothing remembers who deployed it: not the code, nor any slot but the guard's.
    function test_deployerHasNoPart() public {
        address deployer = address(uint160(uint256(keccak256("deployer"))));
        vm.prank(deployer);
        AdapterRegistry theirs = new AdapterRegistry();
        vm.assertEq(address(theirs).codehash, address(registry).codehash);
        vm.prank(deployer);
        LoraEscrow escrow = new LoraEscrow(registry);
        vm.assertTrue(_holds(address(escrow).code, abi.encodePacked(address(registry))));
        vm.assertFalse(_holds(address(escrow).code, abi.encodePacked(deployer)));
        for (uint256 slot = 0; slot < 16; ++slot) {
            vm.assertEq(VmLoad(address(vm)).load(address(escrow), bytes32(slot)), 0);
        }
    }

    function _assertPowerless(bytes memory code) private pure {
        uint256 i = 0;
        while (i < code.length) {
            uint8 op = uint8(code[i]);
            vm.assertFalse(op == 0xf0 || op == 0xf5, "CREATE");
            vm.assertFalse(op == 0xf2 || op == 0xf4, "DELEGATECALL");
            vm.assertFalse(op == 0xff, "SELFDESTRUCT");
            i += op >= 0x60 && op <= 0x7f ? op - 0x5e : 1;
        }
    }

    function _holds(bytes memory code, bytes memory part) private pure returns (bool) {
        for (uint256 i = 0; i + part.length <= code.length; ++i) {
            uint256 matching = 0;
            while (matching < part.length && code[i + matching] == part[matching]) ++matching;
            if (matching == part.length) return true;
        }
        return false;
    }
}
