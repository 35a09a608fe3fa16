// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {LoraEscrow} from "./LoraEscrow.sol";
import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {Base} from "./test/Base.sol";
import {Books} from "./test/campaign/Books.sol";
import {Deed} from "./test/campaign/Deeds.sol";
import {MoneyCampaign} from "./test/campaign/MoneyCampaign.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @dev In this file, as the invariant runner knows the contracts of the file it runs only.
contract Everything is MoneyCampaign {}

/// @dev Calls of a campaign in any order; after each of them the escrow must agree with the books.
/// A campaign ends as failed when it did not see every deed often enough: see `afterInvariant`.
contract LoraEscrowInvariantsTest is Base {
    /// @dev Totals over the runs of one campaign: the runner forgets all storage between two of them.
    string private constant TOTALS = "cache/invariants.bin";
    /// @dev Runs after which the totals are looked at, and by how many runs a deed may be missed.
    uint256 private constant ENOUGH_RUNS = 64;
    uint256 private constant RUNS_PER_DEED = 16;

    Everything private campaign;
    LoraEscrow private escrow;

    function setUp() public {
        campaign = new Everything();
        escrow = campaign.escrow();
        vm.writeFileBinary(TOTALS, abi.encode(new uint256[](1 + uint256(type(Deed).max) + 1)));
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(campaign);
    }

    function invariant_escrowAgreesWithTheBooks() public view {
        for (uint256 i = 0; i < 3; ++i) {
            _assertCovered(campaign.tokens(i));
        }
        for (uint256 i = 0; i < campaign.dealCount(); ++i) {
            _assertAgreement(campaign.deal(i));
        }
        _assertPapers();
    }

    /// @dev What the escrow holds is what it owes to the last unit, and it owes nobody else.
    function _assertCovered(address token) private view {
        uint256 owed = campaign.deposits(token);
        address[16] memory all = campaign.everybody();
        for (uint256 i = 0; i < all.length; ++i) {
            uint256 credit = escrow.credits(token, all[i]);
            vm.assertEq(credit, campaign.due(token, all[i]), "credit");
            owed += credit;
        }
        vm.assertEq(owed, campaign.paidIn(token) - campaign.withdrawn(token), "owed");
        uint256 held = token == address(0) ? address(escrow).balance : IERC20(token).balanceOf(address(escrow));
        vm.assertEq(held, owed + campaign.windfall(token), "held");
    }

    function _assertAgreement(Books.Deal memory expected) private view {
        ILoraEscrow.Agreement memory found = escrow.agreements(expected.id);
        vm.assertEq(uint256(found.status), uint256(expected.status), "status");
        vm.assertEq(found.deadline, expected.deadline, "deadline");
        vm.assertEq(found.paid, expected.paid, "paid");
        vm.assertLe(found.paid, found.amount, "paid more than was paid in");
    }

    /// @dev What was paid is what the dearest receipt proven whole says, up to the amount, and nothing else.
    function _assertPapers() private view {
        uint256[] memory dearest = new uint256[](campaign.dealCount());
        for (uint256 i = 0; i < campaign.paperCount(); ++i) {
            Books.Paper memory p = campaign.paper(i);
            Books.Deal memory d = campaign.deal(p.deal);
            vm.assertEq(escrow.settledGroups(d.id, p.hash, 0), p.proven, "proven");
            uint256 worth = p.receipt.tokens * d.price;
            if (worth > d.amount) worth = d.amount;
            if (p.whole && worth > dearest[p.deal]) dearest[p.deal] = worth;
        }
        for (uint256 i = 0; i < dearest.length; ++i) {
            vm.assertEq(escrow.agreements(campaign.deal(i).id).paid, dearest[i], "paid for what was not proven");
        }
    }

    /// @dev At the end of every run. An invariant over a campaign in which nothing was settled would hold of anything.
    function afterInvariant() public {
        uint256[] memory totals = abi.decode(vm.readFileBinary(TOTALS), (uint256[]));
        uint256 runs = ++totals[0];
        for (uint256 i = 1; i < totals.length; ++i) {
            totals[i] += campaign.seen(Deed(i - 1));
            if (runs >= ENOUGH_RUNS) vm.assertLe(runs, RUNS_PER_DEED * totals[i], "a deed this campaign hardly saw");
        }
        vm.writeFileBinary(TOTALS, abi.encode(totals));
    }
}
