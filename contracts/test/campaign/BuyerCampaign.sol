// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {LoraEscrow} from "../../LoraEscrow.sol";
import {ILoraEscrow} from "../../interfaces/ILoraEscrow.sol";
import {Campaign} from "./Campaign.sol";
import {Deed} from "./Deeds.sol";
import {HostileToken} from "./HostileToken.sol";

/// @notice Offers and openings, closings and refunds, by the right and the wrong callers.
abstract contract BuyerCampaign is Campaign {
    struct Terms {
        ILoraEscrow.Offer offer;
        uint256 adapter;
        uint64 taken;
        bool cancelled;
    }

    /// @dev What is wrong with an opening.
    enum Flaw {
        None,
        WrongSigner,
        WrongValue,
        TooEarly,
        NoReceiptSigner,
        SameNonce
    }

    Terms[] internal _terms;

    struct Opening {
        uint256 terms;
        address buyer;
        uint256 amount;
        uint64 deadline;
        uint256 nonce;
        Flaw flaw;
    }

    function open(uint256 drawn) external watched {
        if (_deals.length == MOST_DEALS) return;
        Opening memory o;
        o.terms = _someTerms(drawn);
        o.buyer = buyers[_roll(drawn, "buyer", buyers.length)];
        o.amount = _roll(drawn, "amount", 4) == 0 ? _roll(drawn, "little", 50) : _roll(drawn, "much", 100_000);
        o.deadline = uint64(_now + _terms[o.terms].offer.minDuration + _roll(drawn, "deadline", 4 hours));
        o.nonce = _deals.length;
        if (_roll(drawn, "flawed", 8) == 0) o.flaw = Flaw(_roll(drawn, "flaw", 6));
        if (o.flaw == Flaw.TooEarly) o.deadline = uint64(_now + _terms[o.terms].offer.minDuration - 1);
        _changeMood(_terms[o.terms].offer.token, drawn);
        _open(o);
    }

    function _open(Opening memory o) private {
        Terms storage t = _terms[o.terms];
        bytes32 digest = escrow.offerDigest(t.offer);
        bytes memory signature =
            _signed(o.flaw == Flaw.WrongSigner ? STRANGER_KEY : contributorKeys[t.adapter], digest);
        bool expected = o.flaw == Flaw.None && !t.cancelled && t.taken < t.offer.maxOpens && _now <= t.offer.expiry
            && _arrives(t.offer.token);
        if (o.flaw == Flaw.SameNonce) expected = false;
        bytes memory data = abi.encodeCall(
            LoraEscrow.open,
            (t.offer, signature, o.flaw == Flaw.NoReceiptSigner ? address(0) : signer, o.amount, o.deadline, o.nonce)
        );
        uint256 value = t.offer.token == ETH ? t.offer.openingFee + o.amount : 0;
        if (o.flaw == Flaw.WrongValue) ++value;
        if (o.flaw == Flaw.SameNonce) {
            // The very same call twice: the first opens, where it can, and the second must not.
            o.flaw = Flaw.None;
            _open(o);
        }
        uint256 refunded = _armCallback(t.offer.token);
        bytes memory answer = _act("open", o.buyer, value, data, expected);
        if (!expected) {
            _note(Deed.OpeningRefused);
            return;
        }
        _bookOpen(o, t, abi.decode(answer, (bytes32)));
        if (t.offer.token == address(hostile)) _bookCallback(refunded);
    }

    function _bookOpen(Opening memory o, Terms storage t, bytes32 id) private {
        ++t.taken;
        Deal memory d;
        d.id = id;
        (d.adapter, d.offer) = (t.adapter, o.terms);
        (d.buyer, d.payout, d.token) = (o.buyer, t.offer.payout, t.offer.token);
        (d.amount, d.price) = (o.amount, t.offer.pricePerToken);
        (d.deadline, d.closeWindow) = (o.deadline, t.offer.closeWindow);
        d.status = ILoraEscrow.Status.Open;
        _bookOpening(d, t.offer.openingFee);
        if (d.token == ETH) _note(Deed.OpenedInEth);
        else _note(d.token == address(hostile) ? Deed.OpenedInHostileToken : Deed.OpenedInToken);
    }

    /// @dev An offer made before, or a new one.
    function _someTerms(uint256 drawn) private returns (uint256) {
        uint256 count = _terms.length;
        if (count != 0 && _roll(drawn, "old offer", 3) == 0) return _roll(drawn, "which offer", count);
        uint256 adapter = _roll(drawn, "adapter", ADAPTERS);
        Terms storage t = _terms.push();
        t.adapter = adapter;
        t.offer = ILoraEscrow.Offer({
            adapterId: adapterIds[adapter],
            payout: payouts[_roll(drawn, "payout", payouts.length)],
            token: tokens[_roll(drawn, "token", tokens.length)],
            pricePerToken: uint128(_roll(drawn, "price", 60)),
            openingFee: _roll(drawn, "fee", 2) * _roll(drawn, "how much", 1_000),
            maxUnpaidTokens: 64,
            tokenCap: 1_000,
            minDuration: uint64(1 + _roll(drawn, "duration", 1 hours)),
            closeWindow: uint64(_roll(drawn, "window", 1 hours)),
            maxOpens: uint64(1 + _roll(drawn, "opens", 3)),
            nonce: count,
            expiry: uint64(_now + _roll(drawn, "expiry", 8 hours))
        });
        return count;
    }

    /// @dev Whether what is paid in arrives in full: a fee kept by the token, or `false`, does not.
    function _arrives(address token) private view returns (bool) {
        if (token != address(hostile)) return true;
        HostileToken.Mode mode = hostile.mode();
        return mode != HostileToken.Mode.KeepsFee && mode != HostileToken.Mode.Refuses;
    }

    /// @dev What the hostile token does next: half of the time as it should, or calling back.
    function _changeMood(address token, uint256 drawn) internal {
        if (token != address(hostile)) return;
        uint256 mood = _roll(drawn, "mood", 8);
        if (mood > 4) mood = uint256(mood == 5 ? HostileToken.Mode.Honest : HostileToken.Mode.CallsBack);
        hostile.setMode(HostileToken.Mode(mood), address(0), "");
    }

    /// @dev A hostile token that calls back refunds an agreement that is over, or else withdraws, while it
    /// moves.
    function _armCallback(address token) internal returns (uint256 refunded) {
        if (token != address(hostile) || hostile.mode() != HostileToken.Mode.CallsBack) return 0;
        bytes memory data = abi.encodeCall(LoraEscrow.withdraw, (token, stranger));
        for (uint256 i = 0; i < _deals.length; ++i) {
            if (!_isActive(_deals[i]) || _now <= _deals[i].deadline) continue;
            refunded = i;
            data = abi.encodeCall(LoraEscrow.refund, (_deals[i].id));
            break;
        }
        hostile.setMode(HostileToken.Mode.CallsBack, address(escrow), data);
    }

    function close(uint256 drawn) external watched {
        if (_deals.length == 0) return;
        Deal storage d = _deals[_someDeal(drawn)];
        address caller = _roll(drawn, "rightful", 4) == 0 ? contributors[d.adapter] : d.buyer;
        bool expected = caller == d.buyer && d.status == ILoraEscrow.Status.Open && _now <= d.deadline;
        _act("close", caller, 0, abi.encodeCall(LoraEscrow.close, (d.id)), expected);
        if (!expected) return;
        d.status = ILoraEscrow.Status.Closing;
        uint64 closing = uint64(_now) + d.closeWindow;
        if (closing < d.deadline) d.deadline = closing;
        _note(Deed.Closed);
    }

    function refund(uint256 drawn) external watched {
        if (_deals.length == 0) return;
        Deal storage d = _deals[_someOverdue(drawn)];
        bool expected = _isActive(d) && _now > d.deadline;
        _act("refund", stranger, 0, abi.encodeCall(LoraEscrow.refund, (d.id)), expected);
        if (!expected) return;
        _note(d.paid == 0 ? Deed.Refunded : Deed.RefundedAfterPay);
        _bookEnd(d, ILoraEscrow.Status.Refunded);
    }

    /// @dev Any agreement, but mostly one whose money waits to be refunded.
    function _someOverdue(uint256 drawn) private view returns (uint256 index) {
        uint256 count = _deals.length;
        index = _roll(drawn, "deal", count);
        if (_roll(drawn, "any deal", 4) == 0) return index;
        for (uint256 i = 0; i < count; ++i) {
            Deal storage d = _deals[(index + i) % count];
            if (_isActive(d) && _now > d.deadline) return (index + i) % count;
        }
    }
}
