// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraEscrow} from "../../interfaces/ILoraEscrow.sol";

/// @title What an honest bookkeeper would have written down
/// @notice A second account of every agreement, receipt and credit, kept from the rules of docs/protocol.md (10) alone:
/// it never asks the escrow. A campaign compares the two after every call.
abstract contract Books {
    struct Deal {
        bytes32 id;
        uint256 adapter;
        uint256 offer;
        address buyer;
        address payout;
        address token;
        uint256 amount;
        uint256 price;
        uint256 paid;
        uint64 deadline;
        uint64 closeWindow;
        ILoraEscrow.Status status;
    }

    /// @notice A receipt that was presented. `proven` has a bit for every group that was accepted with a valid proof.
    struct Paper {
        uint256 deal;
        ILoraEscrow.Receipt receipt;
        bytes32 hash;
        uint256 proven;
        bool whole;
    }

    Deal[] internal _deals;
    Paper[] internal _papers;

    /// @notice What each account may withdraw.
    mapping(address token => mapping(address account => uint256)) public due;
    /// @notice All that came in by `open`, and went out by `withdraw`.
    mapping(address token => uint256) public paidIn;
    mapping(address token => uint256) public withdrawn;
    /// @notice What the escrow was given without being asked, or by a balance that grew.
    mapping(address token => uint256) public windfall;

    function dealCount() external view returns (uint256) {
        return _deals.length;
    }

    function deal(uint256 index) external view returns (Deal memory) {
        return _deals[index];
    }

    function paperCount() external view returns (uint256) {
        return _papers.length;
    }

    function paper(uint256 index) external view returns (Paper memory) {
        return _papers[index];
    }

    /// @notice What active agreements still hold of a token.
    function deposits(address token) external view returns (uint256 sum) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            Deal storage d = _deals[i];
            if (d.token == token && _isActive(d)) sum += d.amount - d.paid;
        }
    }

    function _isActive(Deal storage d) internal view returns (bool) {
        return d.status == ILoraEscrow.Status.Open || d.status == ILoraEscrow.Status.Closing;
    }

    function _bookOpening(Deal memory d, uint256 fee) internal {
        _deals.push(d);
        paidIn[d.token] += fee + d.amount;
        due[d.token][d.payout] += fee;
    }

    /// @return gained what payout earned by it; only a receipt proven whole earns
    function _bookProofs(Paper storage p, uint256 bits, uint256 all) internal returns (uint256 gained) {
        p.proven |= bits;
        if (p.proven != all) return 0;
        p.whole = true;
        Deal storage d = _deals[p.deal];
        uint256 owed = p.receipt.tokens * d.price;
        if (owed > d.amount) owed = d.amount;
        if (owed <= d.paid) return 0;
        gained = owed - d.paid;
        d.paid = owed;
        due[d.token][d.payout] += gained;
    }

    function _bookEnd(Deal storage d, ILoraEscrow.Status status) internal {
        d.status = status;
        due[d.token][d.buyer] += d.amount - d.paid;
    }

    function _bookWithdrawal(address token, address account) internal {
        withdrawn[token] += due[token][account];
        due[token][account] = 0;
    }
}
