// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {EscrowFixture} from "./test/EscrowFixture.sol";

interface VmAccesses {
    function record() external;
    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
}

/// @dev What each call may write, slot by slot. So nobody but payout and buyer is ever credited, no call touches another
/// agreement, and nothing else is kept anywhere.
contract LoraEscrowWritesTest is EscrowFixture {
    /// @dev Places in storage, in the order of declaration; 0 and 1 are EIP712's unused fallbacks.
    uint256 private constant CREDITS = 2;
    uint256 private constant OPENS = 3;
    uint256 private constant CANCELLED = 4;
    uint256 private constant OPERATORS = 5;
    uint256 private constant SETTLED_GROUPS = 6;
    uint256 private constant AGREEMENTS = 7;
    /// @dev Slots of an agreement; the first has buyer, deadline and status.
    uint256 private constant AGREEMENT_SLOTS = 7;
    /// @dev ERC-7201 slot of OpenZeppelin's guard.
    bytes32 private constant GUARD = 0x9b779b17422d0df92223018b32b4d1fa46e071723d6817e2486d003becc55f00;

    mapping(bytes32 slot => bool) private _allowed;

    function test_openWritesTheAgreementTheFeeAndTheCount() public {
        ILoraEscrow.Offer memory offer = _offer(address(token));
        bytes memory signature = _signedOffer(offer);
        uint64 deadline = _deadline();
        bytes32 id = keccak256(
            abi.encode(
                bytes32("deltapay/1/agreement"),
                block.chainid,
                address(escrow),
                buyer,
                escrow.hashOffer(offer),
                signer,
                AMOUNT,
                deadline,
                uint256(5)
            )
        );
        _allowAgreement(id);
        _allow(GUARD);
        _allow(_credit(address(token), payout));
        _allow(_at(escrow.hashOffer(offer), OPENS));
        _record();
        vm.assertEq(_openWith(offer, signature, signer, AMOUNT, deadline, 5), id);
        _assertWrites(_credit(address(token), payout));
    }

    function test_settleWritesItsBitsWhatIsPaidAndPayoutsCredit() public {
        bytes32 id = _openEth();
        Settlement memory s = _settlement(id, 1, 40);
        bytes32 receiptHash = escrow.receiptDigest(s.receipt);
        bytes32 bits = keccak256(abi.encode(uint256(0), keccak256(abi.encode(receiptHash, _at(id, SETTLED_GROUPS)))));
        _allow(GUARD);
        _allow(bits);
        _record();
        _settle(id, _part(s, 0, 1));
        _assertWrites(bits);
        _allowAgreement(id);
        _allow(_credit(ETH, payout));
        _record();
        _settle(id, _part(s, 1, 3));
        _assertWrites(_credit(ETH, payout));
    }

    function test_anOlderReceiptWritesItsBitsOnly() public {
        bytes32 id = _openEth();
        Settlement memory older = _settlement(id, 1, 40);
        _settle(id, _settlement(id, 2, 50));
        bytes32 receiptHash = escrow.receiptDigest(older.receipt);
        bytes32 bits = keccak256(abi.encode(uint256(0), keccak256(abi.encode(receiptHash, _at(id, SETTLED_GROUPS)))));
        _allow(GUARD);
        _allow(bits);
        _record();
        _settle(id, older);
        _assertWrites(bits);
    }

    function test_closeWritesTheAgreementOnly() public {
        bytes32 id = _openEth();
        _allow(_at(id, AGREEMENTS));
        _record();
        vm.prank(buyer);
        escrow.close(id);
        _assertWrites(_at(id, AGREEMENTS));
    }

    function test_refundAndReleaseWriteTheStatusAndTheBuyersCredit() public {
        bytes32 released = _open(_offer(ETH), 0);
        bytes32 refunded = _open(_offer(ETH), 1);
        _allow(_credit(ETH, buyer));
        _allowAgreement(released);
        _record();
        vm.prank(contributor);
        escrow.release(released);
        _assertWrites(_credit(ETH, buyer));
        vm.warp(_deadline() + 1);
        _allowAgreement(refunded);
        _record();
        vm.prank(stranger);
        escrow.refund(refunded);
        _assertWrites(_credit(ETH, buyer));
    }

    function test_withdrawWritesTheCallersCreditOnly() public {
        _openEth();
        _allow(GUARD);
        _allow(_credit(ETH, payout));
        _record();
        vm.prank(payout);
        escrow.withdraw(ETH, stranger);
        _assertWrites(_credit(ETH, payout));
    }

    function test_setOperatorWritesTheCallersChoiceOnly() public {
        bytes32 slot =
            keccak256(abi.encode(stranger, keccak256(abi.encode(contributor, OPERATORS))));
        _allow(slot);
        _record();
        vm.prank(contributor);
        escrow.setOperator(stranger, true);
        _assertWrites(slot);
    }

    function test_cancelOfferWritesTheOffersMarkOnly() public {
        ILoraEscrow.Offer memory offer = _offer(ETH);
        bytes32 slot = _at(escrow.hashOffer(offer), CANCELLED);
        _allow(slot);
        _record();
        vm.prank(contributor);
        escrow.cancelOffer(offer);
        _assertWrites(slot);
    }

    // -------------------------------------------------------------------- helpers

    function _at(bytes32 key, uint256 place) private pure returns (bytes32) {
        return keccak256(abi.encode(key, place));
    }

    function _credit(address token_, address account) private pure returns (bytes32) {
        return keccak256(abi.encode(account, keccak256(abi.encode(token_, CREDITS))));
    }

    function _allow(bytes32 slot) private {
        _allowed[slot] = true;
    }

    function _allowAgreement(bytes32 id) private {
        for (uint256 i = 0; i < AGREEMENT_SLOTS; ++i) {
            _allow(bytes32(uint256(_at(id, AGREEMENTS)) + i));
        }
    }

    function _record() private {
        VmAccesses(address(vm)).record();
    }

    /// @dev Nothing but what was allowed, and `expected` among it: the places above are those of the contract.
    function _assertWrites(bytes32 expected) private {
        (, bytes32[] memory writes) = VmAccesses(address(vm)).accesses(address(escrow));
        bool found;
        for (uint256 i = 0; i < writes.length; ++i) {
            vm.assertTrue(_allowed[writes[i]], "a slot this call must not write");
            if (writes[i] == expected) found = true;
        }
        vm.assertTrue(found, "the slot this call is for");
    }
}
