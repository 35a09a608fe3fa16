// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {AdapterRegistry} from "../../AdapterRegistry.sol";
import {LoraEscrow} from "../../LoraEscrow.sol";
import {ILoraEscrow} from "../../interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "../../interfaces/ILoraVerifier.sol";
import {Base} from "../Base.sol";
import {RefusingReceiver, TestToken} from "../Tokens.sol";
import {Trapdoor, TrapdoorVerifier} from "../Trapdoor.sol";
import {HostileToken} from "./HostileToken.sol";

/// @title Who takes part in a campaign
/// @notice Two contributors with an adapter each, of one group and of three; three buyers, one of which refuses ETH;
/// operators, odd payouts, a stranger; ETH, a plain token and a hostile one.
abstract contract Cast is Base {
    uint256 internal constant SIGNER_KEY = 0x51;
    uint256 internal constant STRANGER_KEY = 0x57;
    uint256 internal constant ADAPTERS = 2;
    address internal constant ETH = address(0);

    AdapterRegistry public registry = new AdapterRegistry();
    LoraEscrow public escrow = new LoraEscrow(registry);
    HostileToken public hostile = new HostileToken();

    address internal signer = vm.addr(SIGNER_KEY);
    address internal stranger = vm.addr(STRANGER_KEY);
    address internal refusing = address(new RefusingReceiver());
    uint256[ADAPTERS] internal contributorKeys = [uint256(0xC0), 0xC1];
    uint32[ADAPTERS] internal groups = [uint32(1), 3];
    address[ADAPTERS] internal contributors;
    bytes32[ADAPTERS] internal adapterIds;
    address[3] internal buyers;
    address[2] internal operators;
    address[5] internal payouts;
    address[3] public tokens;

    /// @dev Statements and valid claims by adapter: under a known trapdoor they fit any receipt.
    mapping(uint256 adapter => uint256[2][]) internal _statements;
    mapping(uint256 adapter => ILoraEscrow.Claim[]) internal _valid;

    function _raiseTheCurtain() internal {
        TestToken plain = new TestToken();
        tokens = [ETH, address(plain), address(hostile)];
        buyers = [address(0xB0), address(0xB1), refusing];
        operators = [address(0x09), address(0x0A)];
        address verifier = address(new TrapdoorVerifier());
        for (uint256 i = 0; i < ADAPTERS; ++i) {
            contributors[i] = vm.addr(contributorKeys[i]);
            vm.prank(contributors[i]);
            adapterIds[i] = registry.register("manifest", "", verifier, groups[i], "salt");
            _proveOnce(i);
        }
        // A payout that earns, one that cannot take ETH, one that also buys, one that can never withdraw.
        payouts = [contributors[0], address(0x9A), refusing, buyers[0], address(escrow)];
        for (uint256 i = 0; i < buyers.length; ++i) {
            vm.deal(buyers[i], type(uint128).max);
            plain.mint(buyers[i], type(uint120).max);
            hostile.mint(buyers[i], type(uint120).max);
            vm.prank(buyers[i]);
            plain.approve(address(escrow), type(uint256).max);
            vm.prank(buyers[i]);
            hostile.approve(address(escrow), type(uint256).max);
        }
    }

    function _proveOnce(uint256 adapter) private {
        (uint256[2][] memory V, ILoraVerifier.Proof[] memory proofs) = Trapdoor.proveMany(groups[adapter], adapter);
        for (uint32 g = 0; g < groups[adapter]; ++g) {
            _statements[adapter].push(V[g]);
            _valid[adapter].push(ILoraEscrow.Claim(g, proofs[g].a, proofs[g].b, proofs[g].c));
        }
    }

    /// @notice Everybody who might hold a credit.
    function everybody() public view returns (address[16] memory all) {
        all[0] = stranger;
        all[1] = signer;
        all[2] = address(registry);
        all[3] = address(this);
        all[4] = tokens[1];
        all[5] = tokens[2];
        all[6] = contributors[0];
        all[7] = contributors[1];
        all[8] = buyers[0];
        all[9] = buyers[1];
        all[10] = refusing;
        all[11] = operators[0];
        all[12] = operators[1];
        all[13] = payouts[1];
        all[14] = address(escrow);
        all[15] = address(1);
    }

    function _signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
