// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @notice What a campaign must have seen, or its invariants were never put to the test.
enum Deed {
    OpenedInEth,
    OpenedInToken,
    OpenedInHostileToken,
    OpeningRefused,
    ProvenInPart,
    ProvenWhole,
    ProvenByOperator,
    PaidMoreByALaterReceipt,
    PaidNothingByAnOlderReceipt,
    PaidUpToTheAmount,
    SettlementRefused,
    SettledWhileClosing,
    InvalidProofRefused,
    Closed,
    Refunded,
    RefundedAfterPay,
    Released,
    OfferCancelled,
    WithdrawnInEth,
    WithdrawnInToken,
    WithdrawnInHostileToken,
    WithdrawalRefused,
    CallbackRefused,
    CallbackRefunded,
    WindfallReceived
}
