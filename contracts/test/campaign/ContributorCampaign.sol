// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {LoraEscrow} from "../../LoraEscrow.sol";
import {ILoraEscrow} from "../../interfaces/ILoraEscrow.sol";
import {Trapdoor} from "../Trapdoor.sol";
import {BuyerCampaign} from "./BuyerCampaign.sol";
import {Deed} from "./Deeds.sol";

/// @notice Receipts proven whole, in part, again, by others and wrongly; releases, cancellations, operators.
abstract contract ContributorCampaign is BuyerCampaign {
    /// @dev What is wrong with a settlement.
    enum Fault {
        None,
        InvalidProof,
        SignedByAnother,
        MoreTokens,
        OtherAgreement,
        OtherStatements,
        GroupTwice,
        NoClaims
    }

    mapping(address contributor => mapping(address operator => bool)) private _mayAct;

    function settleWhole(uint256 drawn) external watched {
        (bool some, uint256 index) = _somePaper(drawn);
        if (!some) return;
        Paper storage p = _papers[index];
        uint256 all = _all(p.deal);
        _settle(p, contributors[_deals[p.deal].adapter], p.proven == all ? all : all & ~p.proven, Fault.None);
    }

    function settleSome(uint256 drawn) external watched {
        (bool some, uint256 index) = _somePaper(drawn);
        if (!some) return;
        Paper storage p = _papers[index];
        uint256 bits = 1 + _roll(drawn, "bits", _all(p.deal));
        if (bits & ~p.proven != 0) bits &= ~p.proven;
        _settle(p, _someSettler(p, drawn), bits, Fault.None);
    }

    function settleWrongly(uint256 drawn) external watched {
        (bool some, uint256 index) = _somePaper(drawn);
        if (!some) return;
        Paper storage p = _papers[index];
        Fault fault = Fault(1 + _roll(drawn, "fault", 7));
        if (fault == Fault.GroupTwice && _all(p.deal) == 1) fault = Fault.InvalidProof;
        _settle(p, contributors[_deals[p.deal].adapter], _all(p.deal), fault);
    }

    function _settle(Paper storage p, address caller, uint256 bits, Fault fault) private {
        Deal storage d = _deals[p.deal];
        bool rightful = caller == contributors[d.adapter] || _mayAct[contributors[d.adapter]][caller];
        bool expected = fault == Fault.None && rightful && _isActive(d) && _now <= d.deadline && bits & p.proven == 0;
        _act("settle", caller, 0, _settlement(p, bits, fault), expected);
        if (fault == Fault.InvalidProof && rightful && _isActive(d) && _now <= d.deadline && p.proven == 0) {
            _note(Deed.InvalidProofRefused);
        }
        if (!expected) {
            _note(Deed.SettlementRefused);
            return;
        }
        _bookSettlement(p, d, caller, bits);
    }

    function _bookSettlement(Paper storage p, Deal storage d, address caller, uint256 bits) private {
        uint256 before = d.paid;
        uint256 gained = _bookProofs(p, bits, _all(p.deal));
        if (caller != contributors[d.adapter]) _note(Deed.ProvenByOperator);
        if (d.status == ILoraEscrow.Status.Closing) _note(Deed.SettledWhileClosing);
        if (!p.whole) {
            _note(Deed.ProvenInPart);
            return;
        }
        _note(Deed.ProvenWhole);
        if (gained == 0 && before != 0) _note(Deed.PaidNothingByAnOlderReceipt);
        if (gained != 0 && before != 0) _note(Deed.PaidMoreByALaterReceipt);
        if (gained != 0 && d.paid == d.amount) _note(Deed.PaidUpToTheAmount);
    }

    function _settlement(Paper storage p, uint256 bits, Fault fault) private view returns (bytes memory) {
        uint256 adapter = _deals[p.deal].adapter;
        uint256[2][] memory V = _statements[adapter];
        ILoraEscrow.Claim[] memory claims = _chosen(adapter, fault == Fault.NoClaims ? 0 : bits);
        ILoraEscrow.Receipt memory receipt = p.receipt;
        bytes32 id = receipt.agreementId;
        bytes memory signature =
            _signed(fault == Fault.SignedByAnother ? STRANGER_KEY : SIGNER_KEY, escrow.receiptDigest(receipt));
        if (fault == Fault.InvalidProof) claims[0].c = Trapdoor.negate(claims[0].c);
        if (fault == Fault.MoreTokens) ++receipt.tokens;
        if (fault == Fault.OtherAgreement) id = _deals[(p.deal + 1) % _deals.length].id;
        if (fault == Fault.OtherAgreement && _deals.length == 1) id = "none";
        if (fault == Fault.OtherStatements) V[0] = Trapdoor.negate(V[0]);
        if (fault == Fault.GroupTwice) claims[1] = claims[0];
        return abi.encodeCall(LoraEscrow.settle, (id, receipt, signature, V, claims));
    }

    function _chosen(uint256 adapter, uint256 bits) private view returns (ILoraEscrow.Claim[] memory chosen) {
        uint256 count;
        for (uint256 g = 0; g < groups[adapter]; ++g) {
            count += bits >> g & 1;
        }
        chosen = new ILoraEscrow.Claim[](count);
        uint256 next;
        for (uint256 g = 0; g < groups[adapter]; ++g) {
            if (bits >> g & 1 == 1) chosen[next++] = _valid[adapter][g];
        }
    }

    /// @dev A receipt shown before, or a new one; half of the new ones cover fewer tokens than the one before.
    function _somePaper(uint256 drawn) private returns (bool, uint256) {
        if (_deals.length == 0) return (false, 0);
        uint256 count = _papers.length;
        bool old = count != 0 && _roll(drawn, "old receipt", 2) == 0;
        if (old || count == MOST_PAPERS) return (true, _oldPaper(drawn, count));
        uint256 index = _someDeal(drawn);
        Deal storage d = _deals[index];
        Paper storage p = _papers.push();
        p.deal = index;
        p.receipt = ILoraEscrow.Receipt({
            agreementId: d.id,
            passes: uint64(1 + _roll(drawn, "passes", 100)),
            tokens: uint64(_roll(drawn, "tokens", 1_000)),
            head: bytes32(1 + count),
            statementsHash: escrow.hashStatements(_statements[d.adapter])
        });
        p.hash = escrow.receiptDigest(p.receipt);
        return (true, count);
    }

    /// @dev Mostly one of which some groups are still to be proven.
    function _oldPaper(uint256 drawn, uint256 count) private view returns (uint256 index) {
        index = _roll(drawn, "which", count);
        if (_roll(drawn, "any receipt", 4) == 0) return index;
        for (uint256 i = 0; i < count; ++i) {
            Paper storage p = _papers[(index + i) % count];
            if (!p.whole && _isActive(_deals[p.deal]) && _now <= _deals[p.deal].deadline) return (index + i) % count;
        }
    }

    function _someSettler(Paper storage p, uint256 drawn) private view returns (address) {
        Deal storage d = _deals[p.deal];
        uint256 who = _roll(drawn, "settler", 8);
        if (who == 0) return stranger;
        if (who == 1) return d.buyer;
        if (who == 2) return contributors[1 - d.adapter];
        return who < 6 ? operators[who % 2] : contributors[d.adapter];
    }

    function _all(uint256 index) private view returns (uint256) {
        return (1 << groups[_deals[index].adapter]) - 1;
    }

    function release(uint256 drawn) external watched {
        // Seldom: an agreement that is released has no further history.
        if (_deals.length == 0 || _roll(drawn, "at all", 3) != 0) return;
        Deal storage d = _deals[_someDeal(drawn)];
        address caller = contributors[d.adapter];
        if (_roll(drawn, "rightful", 3) == 0) caller = _roll(drawn, "who", 2) == 0 ? d.buyer : operators[0];
        bool expected = caller == contributors[d.adapter] && _isActive(d);
        _act("release", caller, 0, abi.encodeCall(LoraEscrow.release, (d.id)), expected);
        if (!expected) return;
        _bookEnd(d, ILoraEscrow.Status.Released);
        _note(Deed.Released);
    }

    function cancelOffer(uint256 drawn) external watched {
        // Seldom, too: nobody opens on an offer that was cancelled.
        if (_terms.length == 0 || _roll(drawn, "at all", 3) != 0) return;
        Terms storage t = _terms[_roll(drawn, "offer", _terms.length)];
        address caller = _roll(drawn, "rightful", 3) == 0 ? operators[0] : contributors[t.adapter];
        bool expected = caller == contributors[t.adapter] && !t.cancelled;
        _act("cancelOffer", caller, 0, abi.encodeCall(LoraEscrow.cancelOffer, (t.offer)), expected);
        if (!expected) return;
        t.cancelled = true;
        _note(Deed.OfferCancelled);
    }

    function setOperator(uint256 drawn) external watched {
        address contributor = contributors[_roll(drawn, "contributor", ADAPTERS)];
        address operator = operators[_roll(drawn, "operator", operators.length)];
        bool allowed = _roll(drawn, "allowed", 3) != 0;
        _act("setOperator", contributor, 0, abi.encodeCall(LoraEscrow.setOperator, (operator, allowed)), true);
        _mayAct[contributor][operator] = allowed;
    }
}
