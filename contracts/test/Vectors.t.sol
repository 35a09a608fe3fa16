// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {AdapterRegistry} from "../AdapterRegistry.sol";
import {LoraEscrow} from "../LoraEscrow.sol";
import {IAdapterRegistry} from "../interfaces/IAdapterRegistry.sol";
import {ILoraEscrow} from "../interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";
import {LoraVerifier14} from "../verifiers/LoraVerifier14.sol";
import {Base} from "./Base.sol";
import {ProtocolVectors} from "./ProtocolVectors.sol";

interface VmExpectCall {
    function expectCall(address target, bytes calldata data) external;
}

/// @dev The contracts against test/vectors/protocol.json: the same ids, hashes and seed as off chain, and the calldata of
/// a whole agreement, sent as it stands there.
contract VectorsTest is Base {
    AdapterRegistry private constant registry = AdapterRegistry(ProtocolVectors.REGISTRY);
    LoraEscrow private constant escrow = LoraEscrow(ProtocolVectors.ESCROW);

    /// @dev Puts the contracts where the vectors have them. Nothing in them depends on where they were made.
    function setUp() public {
        vm.chainId(ProtocolVectors.CHAIN_ID);
        vm.warp(1_800_000_000);
        vm.etch(ProtocolVectors.REGISTRY, address(new AdapterRegistry()).code);
        vm.etch(ProtocolVectors.ESCROW, address(new LoraEscrow(IAdapterRegistry(ProtocolVectors.REGISTRY))).code);
        vm.etch(ProtocolVectors.VERIFIER, address(new LoraVerifier14()).code);
        vm.deal(ProtocolVectors.BUYER, ProtocolVectors.OPEN_VALUE);
    }

    // ------------------------------------------------------------------ hashes

    function test_verifierNamesTheVkHash() public view {
        vm.assertEq(ILoraVerifier(ProtocolVectors.VERIFIER).vkHash(), ProtocolVectors.VK_HASH_14);
        vm.assertEq(ProtocolVectors.VERIFIER.codehash, ProtocolVectors.VERIFIER_CODE_HASH);
    }

    function test_offerHashAndDigest() public view {
        ILoraEscrow.Offer memory offer = _offer();
        vm.assertEq(escrow.hashOffer(offer), ProtocolVectors.OFFER_HASH);
        vm.assertEq(escrow.offerDigest(offer), ProtocolVectors.OFFER_DIGEST);
    }

    function test_receiptHashAndDigest() public view {
        (, ILoraEscrow.Receipt memory receipt,,,) = _settlement();
        vm.assertEq(escrow.hashReceipt(receipt), ProtocolVectors.RECEIPT_STRUCT_HASH);
        vm.assertEq(escrow.receiptDigest(receipt), ProtocolVectors.RECEIPT_DIGEST);
    }

    function test_statementsHash() public view {
        (,,, uint256[2][] memory V,) = _settlement();
        vm.assertEq(escrow.hashStatements(V), ProtocolVectors.STATEMENTS_HASH);
    }

    function test_domainSeparator() public view {
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) =
            escrow.eip712Domain();
        bytes32 typeHash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 separator =
            keccak256(abi.encode(typeHash, keccak256(bytes(name)), keccak256(bytes(version)), chainId, verifyingContract));
        vm.assertEq(separator, ProtocolVectors.DOMAIN_SEPARATOR);
    }

    // ---------------------------------------------------- an agreement, call by call

    function test_registerGivesTheAdapterId() public {
        vm.assertEq(_register(), ProtocolVectors.ADAPTER_ID);
        IAdapterRegistry.Adapter memory adapter = registry.adapters(ProtocolVectors.ADAPTER_ID);
        vm.assertEq(adapter.manifestHash, ProtocolVectors.MANIFEST_HASH);
        vm.assertEq(adapter.verifierCodeHash, ProtocolVectors.VERIFIER_CODE_HASH);
    }

    function test_openGivesTheAgreementId() public {
        _register();
        vm.assertEq(_open(), ProtocolVectors.AGREEMENT_ID);
        vm.assertEq(escrow.agreements(ProtocolVectors.AGREEMENT_ID).signer, ProtocolVectors.SIGNER);
    }

    function test_settlePaysForTheSessionsProofs() public {
        _register();
        _open();
        (, ILoraEscrow.Receipt memory receipt,,,) = _settlement();
        ILoraEscrow.Offer memory offer = _offer();
        _call(ProtocolVectors.CONTRIBUTOR, address(escrow), 0, ProtocolVectors.SETTLE);
        uint256 owed = uint256(receipt.tokens) * offer.pricePerToken;
        vm.assertEq(escrow.credits(address(0), ProtocolVectors.PAYOUT), offer.openingFee + owed);
        vm.assertEq(escrow.settledGroups(ProtocolVectors.AGREEMENT_ID, ProtocolVectors.RECEIPT_DIGEST, 0), 3);
    }

    function test_settleVerifiesUnderTheBatchSeed() public {
        _register();
        _open();
        (,,, uint256[2][] memory V, ILoraEscrow.Claim[] memory claims) = _settlement();
        ILoraVerifier.Proof[] memory proofs = new ILoraVerifier.Proof[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            proofs[i] = ILoraVerifier.Proof(claims[i].a, claims[i].b, claims[i].c);
        }
        VmExpectCall(address(vm)).expectCall(
            ProtocolVectors.VERIFIER,
            abi.encodeCall(ILoraVerifier.verifyBatch, (ProtocolVectors.BATCH_SEED, V, proofs))
        );
        _call(ProtocolVectors.CONTRIBUTOR, address(escrow), 0, ProtocolVectors.SETTLE);
    }

    // ---------------------------------------------------------------- helpers

    function _register() private returns (bytes32) {
        bytes memory answer = _call(ProtocolVectors.CONTRIBUTOR, address(registry), 0, ProtocolVectors.REGISTER);
        return abi.decode(answer, (bytes32));
    }

    function _open() private returns (bytes32) {
        bytes memory answer =
            _call(ProtocolVectors.BUYER, address(escrow), ProtocolVectors.OPEN_VALUE, ProtocolVectors.OPEN);
        return abi.decode(answer, (bytes32));
    }

    function _call(address sender, address to, uint256 value, bytes memory data) private returns (bytes memory answer) {
        bool ok;
        vm.prank(sender);
        (ok, answer) = to.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    function _offer() private view returns (ILoraEscrow.Offer memory offer) {
        (offer,,,,,) = this.decodeOpen(ProtocolVectors.OPEN);
    }

    function _settlement()
        private
        view
        returns (
            bytes32 agreementId,
            ILoraEscrow.Receipt memory receipt,
            bytes memory signature,
            uint256[2][] memory V,
            ILoraEscrow.Claim[] memory claims
        )
    {
        return this.decodeSettle(ProtocolVectors.SETTLE);
    }

    /// @dev Calldata, so that the selector can be cut off.
    function decodeOpen(bytes calldata data)
        external
        pure
        returns (ILoraEscrow.Offer memory, bytes memory, address, uint256, uint64, uint256)
    {
        return abi.decode(data[4:], (ILoraEscrow.Offer, bytes, address, uint256, uint64, uint256));
    }

    function decodeSettle(bytes calldata data)
        external
        pure
        returns (
            bytes32,
            ILoraEscrow.Receipt memory,
            bytes memory,
            uint256[2][] memory,
            ILoraEscrow.Claim[] memory
        )
    {
        return abi.decode(data[4:], (bytes32, ILoraEscrow.Receipt, bytes, uint256[2][], ILoraEscrow.Claim[]));
    }
}
