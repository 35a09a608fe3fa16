// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {LoraEscrow} from "./LoraEscrow.sol";
import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {EscrowFixture} from "./test/EscrowFixture.sol";

/// @dev Every encoding against a second one, written out from docs/protocol.md, for any values; and calldata that is not
/// an encoding at all. Single values are pinned by test/vectors (contracts/test/Vectors.t.sol); adapterId is in
/// AdapterRegistry.t.sol, the batch and its copies in verification/ClaimBatch.t.sol.
contract LoraEscrowEncodingsTest is EscrowFixture {
    uint256 private constant OFFER_FIELDS = 12;
    uint256 private constant RECEIPT_FIELDS = 5;

    function testFuzz_offerHashIsTheStructHashOfItsFields(ILoraEscrow.Offer calldata o) public view {
        bytes32 typeHash = keccak256(
            "Offer(bytes32 adapterId,address payout,address token,uint128 pricePerToken,uint256 openingFee,uint64 maxUnpaidTokens,uint64 tokenCap,uint64 minDuration,uint64 closeWindow,uint64 maxOpens,uint256 nonce,uint64 expiry)"
        );
        bytes memory head = abi.encode(
            typeHash, o.adapterId, o.payout, o.token, o.pricePerToken, o.openingFee, o.maxUnpaidTokens
        );
        bytes memory tail = abi.encode(o.tokenCap, o.minDuration, o.closeWindow, o.maxOpens, o.nonce, o.expiry);
        bytes32 structHash = keccak256(bytes.concat(head, tail));
        vm.assertEq(escrow.hashOffer(o), structHash);
        vm.assertEq(escrow.offerDigest(o), _digest(structHash, block.chainid, address(escrow)));
    }

    function testFuzz_receiptDigestIsTheTypedDataHashOfItsFields(ILoraEscrow.Receipt calldata r) public view {
        bytes32 typeHash =
            keccak256("Receipt(bytes32 agreementId,uint64 passes,uint64 tokens,bytes32 head,bytes32 statementsHash)");
        bytes32 structHash =
            keccak256(abi.encode(typeHash, r.agreementId, r.passes, r.tokens, r.head, r.statementsHash));
        vm.assertEq(escrow.hashReceipt(r), structHash);
        vm.assertEq(escrow.receiptDigest(r), _digest(structHash, block.chainid, address(escrow)));
    }

    /// @dev Chain and escrow are in every digest: what is signed for one holds for no other.
    function testFuzz_digestsAreOfOneChainAndOneEscrow(ILoraEscrow.Receipt calldata r, uint32 chain) public {
        vm.chainId(1 + uint256(chain));
        LoraEscrow other = new LoraEscrow(registry);
        bytes32 structHash = escrow.hashReceipt(r);
        vm.assertEq(escrow.receiptDigest(r), _digest(structHash, 1 + uint256(chain), address(escrow)));
        vm.assertEq(other.receiptDigest(r), _digest(structHash, 1 + uint256(chain), address(other)));
        vm.assertTrue(other.receiptDigest(r) != escrow.receiptDigest(r));
    }

    function testFuzz_statementsHashIsThatOfTheirEncoding(uint256[2][] calldata V) public view {
        vm.assertEq(escrow.hashStatements(V), keccak256(abi.encode(bytes32("deltapay/1/statements"), V)));
    }

    /// @dev Any buyer, signer, amount, deadline and nonce, any terms.
    function testFuzz_agreementIdIsTheHashOfItsParts(
        ILoraEscrow.Offer memory o,
        address buyer_,
        address signer_,
        uint128 amount,
        uint256 nonce
    ) public {
        (buyer, signer) = (_notZero(buyer_), _notZero(signer_));
        (o.adapterId, o.payout, o.token) = (adapterId, _notZero(o.payout), ETH);
        (o.openingFee, o.maxOpens) = (uint128(o.openingFee), o.maxOpens | 1);
        (o.minDuration, o.expiry) = (o.minDuration >> 1, o.expiry | 1 << 40);
        uint64 deadline = uint64(block.timestamp) + o.minDuration;
        vm.deal(buyer, o.openingFee + amount);
        bytes memory parts = abi.encode(
            bytes32("deltapay/1/agreement"), block.chainid, address(escrow), buyer, escrow.hashOffer(o), signer
        );
        bytes32 id = _openWith(o, _signedOffer(o), signer, amount, deadline, nonce);
        vm.assertEq(id, keccak256(bytes.concat(parts, abi.encode(uint256(amount), deadline, nonce))));
    }

    /// @dev Every field counts: another value in any one of them is another hash.
    function testFuzz_everyFieldChangesTheHash(ILoraEscrow.Offer memory o, ILoraEscrow.Receipt memory r, uint256 drawn)
        public
        view
    {
        bytes memory offer = abi.encodeCall(escrow.hashOffer, (o));
        _assertOtherHash(offer, 4 + 32 * (drawn % OFFER_FIELDS));
        bytes memory receipt = abi.encodeCall(escrow.hashReceipt, (r));
        _assertOtherHash(receipt, 4 + 32 * (drawn % RECEIPT_FIELDS));
    }

    /// @dev Flips the lowest bit of a word: no field is narrower than that.
    function _assertOtherHash(bytes memory data, uint256 offset) private view {
        (, bytes memory before) = address(escrow).staticcall(data);
        data[offset + 31] ^= 0x01;
        (bool ok, bytes memory hash) = address(escrow).staticcall(data);
        vm.assertTrue(ok && keccak256(hash) != keccak256(before));
    }

    // ------------------------------------------------------------------ malformed

    /// @dev **Attack**: two encodings of one offer, by bits above a field's width. They have no hash.
    function test_refusesBitsAboveAFieldsWidth() public view {
        bytes memory offer = abi.encodeCall(escrow.hashOffer, (_offer(ETH)));
        bytes memory receipt =
            abi.encodeCall(escrow.hashReceipt, (ILoraEscrow.Receipt("id", 1, 2, "head", "statements")));
        // Words of 256 bits have no bits above their width: adapterId, openingFee, nonce; agreementId, head, hash.
        uint256 narrow = 0;
        for (uint256 word = 0; word < OFFER_FIELDS; ++word) {
            if (word != 0 && word != 4 && word != 10) narrow += _refusesHighBit(offer, 4 + 32 * word);
        }
        for (uint256 word = 0; word < RECEIPT_FIELDS; ++word) {
            if (word == 1 || word == 2) narrow += _refusesHighBit(receipt, 4 + 32 * word);
        }
        vm.assertEq(narrow, OFFER_FIELDS - 3 + 2);
    }

    function _refusesHighBit(bytes memory data, uint256 offset) private view returns (uint256) {
        data[offset] ^= 0x80;
        (bool ok,) = address(escrow).staticcall(data);
        data[offset] ^= 0x80;
        return ok ? 0 : 1;
    }

    /// @dev **Attack**: a group above 32 bits, which as a shift of the bitmap would be group 0 again.
    function test_refusesAGroupAbove32Bits() public {
        bytes32 id = _openEth();
        bytes memory data = _settleCall(id, _settlement(id, 1, 40));
        // Argument word 8 says where the claims begin; the first claim's group follows their count.
        uint256 offset = 4 + _word(data, 4 + 32 * 8) + 32;
        vm.assertEq(_word(data, offset), 0);
        data[offset] = 0x01;
        vm.prank(contributor);
        (bool ok,) = address(escrow).call(data);
        vm.assertFalse(ok);
    }

    /// @dev Calldata that ends too soon, at any byte, settles nothing.
    function testFuzz_refusesCutCalldata(uint256 cut) public {
        bytes32 id = _openEth();
        bytes memory data = _settleCall(id, _settlement(id, 1, 40));
        uint256 length = 4 + cut % (data.length - 4);
        assembly ("memory-safe") {
            mstore(data, length)
        }
        vm.prank(contributor);
        (bool ok,) = address(escrow).call(data);
        vm.assertFalse(ok);
        vm.assertEq(_paid(id), 0);
    }

    /// @dev **Attack**: offsets and lengths that point anywhere. Either they give the same arguments, or nothing happens.
    function testFuzz_wildOffsetsSettleNothingElse(uint256 word, uint256 value) public {
        bytes32 id = _openEth();
        bytes memory data = _settleCall(id, _settlement(id, 1, 40));
        uint256 offset = 4 + 32 * (word % (data.length / 32 - 1));
        if (_word(data, offset) == value) return;
        assembly ("memory-safe") {
            mstore(add(add(data, 32), offset), value)
        }
        vm.prank(contributor);
        (bool ok,) = address(escrow).call(data);
        // Only padding behind the signature is not read: it alone may change without harm.
        vm.assertTrue(_paid(id) == 0 || (ok && _paid(id) == 400));
        if (_paid(id) != 0) vm.assertEq(escrow.credits(ETH, payout), FEE + 400);
    }

    // -------------------------------------------------------------------- helpers

    function _settleCall(bytes32 id, Settlement memory s) private view returns (bytes memory) {
        return abi.encodeCall(escrow.settle, (id, s.receipt, s.signature, s.V, s.claims));
    }

    function _word(bytes memory data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), offset))
        }
    }

    function _notZero(address account) private pure returns (address) {
        return account == address(0) ? address(1) : account;
    }

    function _digest(bytes32 structHash, uint256 chain, address verifyingContract) private pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("deltapay"),
                keccak256("1"),
                chain,
                verifyingContract
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
