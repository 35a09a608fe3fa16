// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IAdapterRegistry} from "./interfaces/IAdapterRegistry.sol";
import {ILoraEscrow} from "./interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "./interfaces/ILoraVerifier.sol";
import {ClaimBatch} from "./verification/ClaimBatch.sol";

/// @title Escrow that pays for LoRA inference when it is proven
/// @notice See {ILoraEscrow}. Money comes in by `open` and leaves by `withdraw`; all else moves credits.
contract LoraEscrow is ILoraEscrow, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    bytes32 private constant OFFER_TYPEHASH = keccak256(
        "Offer(bytes32 adapterId,address payout,address token,uint128 pricePerToken,uint256 openingFee,"
        "uint64 maxUnpaidTokens,uint64 tokenCap,uint64 minDuration,uint64 closeWindow,uint64 maxOpens,"
        "uint256 nonce,uint64 expiry)"
    );
    bytes32 private constant RECEIPT_TYPEHASH =
        keccak256("Receipt(bytes32 agreementId,uint64 passes,uint64 tokens,bytes32 head,bytes32 statementsHash)");
    bytes32 private constant AGREEMENT_TAG = "deltapay/1/agreement";

    /// @notice Where adapters are looked up; nothing about an adapter comes from elsewhere.
    IAdapterRegistry public immutable registry;

    /// @inheritdoc ILoraEscrow
    mapping(address token => mapping(address account => uint256)) public credits;
    /// @inheritdoc ILoraEscrow
    mapping(bytes32 offerHash => uint64) public opens;
    /// @inheritdoc ILoraEscrow
    mapping(bytes32 offerHash => bool) public cancelled;
    /// @inheritdoc ILoraEscrow
    mapping(address contributor => mapping(address operator => bool)) public operators;
    /// @inheritdoc ILoraEscrow
    mapping(bytes32 agreementId => mapping(bytes32 receiptHash => mapping(uint256 word => uint256))) public
        settledGroups;

    mapping(bytes32 agreementId => Agreement) private _agreements;

    constructor(IAdapterRegistry registry_) EIP712("deltapay", "1") {
        registry = registry_;
    }

    // ------------------------------------------------------------------ buyer

    /// @inheritdoc ILoraEscrow
    function open(
        Offer calldata offer,
        bytes calldata offerSignature,
        address signer,
        uint256 amount,
        uint64 deadline,
        uint256 nonce
    ) external payable nonReentrant returns (bytes32 agreementId) {
        bytes32 offerHash = hashOffer(offer);
        _checkOffer(offer, offerHash, offerSignature);
        if (signer == address(0)) revert ZeroAddress("signer");
        uint256 earliest = block.timestamp + offer.minDuration;
        if (deadline < earliest) revert DeadlineTooEarly(deadline, earliest);
        agreementId = keccak256(
            abi.encode(
                AGREEMENT_TAG, block.chainid, address(this), msg.sender, offerHash, signer, amount, deadline, nonce
            )
        );
        if (_agreements[agreementId].status != Status.None) revert AgreementExists(agreementId);

        _pull(offer.token, _total(offer.openingFee, amount));
        ++opens[offerHash];
        credits[offer.token][offer.payout] += offer.openingFee;
        _store(agreementId, offer, signer, amount, deadline);
        emit AgreementOpened(
            agreementId, offer.adapterId, msg.sender, offerHash, offer, signer, amount, deadline, nonce
        );
    }

    /// @inheritdoc ILoraEscrow
    function close(bytes32 agreementId) external {
        Agreement storage agreement = _agreements[agreementId];
        if (agreement.status != Status.Open) revert WrongStatus(agreementId, agreement.status);
        if (msg.sender != agreement.buyer) revert NotBuyer(msg.sender, agreement.buyer);
        _requireBeforeDeadline(agreementId, agreement.deadline);
        uint64 deadline = uint64(Math.min(agreement.deadline, block.timestamp + agreement.closeWindow));
        agreement.status = Status.Closing;
        agreement.deadline = deadline;
        emit AgreementClosing(agreementId, deadline);
    }

    /// @inheritdoc ILoraEscrow
    function refund(bytes32 agreementId) external {
        Agreement storage agreement = _active(agreementId);
        if (block.timestamp <= agreement.deadline) {
            revert DeadlineNotPassed(agreementId, agreement.deadline, block.timestamp);
        }
        agreement.status = Status.Refunded;
        emit AgreementRefunded(agreementId, agreement.buyer, _creditRest(agreement));
    }

    // ------------------------------------------------------------ contributor

    /// @inheritdoc ILoraEscrow
    function settle(
        bytes32 agreementId,
        Receipt calldata receipt,
        bytes calldata signature,
        uint256[2][] calldata V,
        Claim[] calldata claims
    ) external nonReentrant {
        Agreement storage agreement = _active(agreementId);
        _requireBeforeDeadline(agreementId, agreement.deadline);
        IAdapterRegistry.Adapter memory adapter = registry.adapters(agreement.adapterId);
        _requireSettler(adapter.contributor);
        if (V.length != adapter.groups) revert WrongStatementCount(V.length, adapter.groups);
        bytes32 receiptHash = _checkReceipt(agreementId, agreement.signer, receipt, signature, V);
        _mark(agreementId, receiptHash, adapter.groups, claims);
        _verify(agreementId, receiptHash, adapter, V, claims);
        if (_isComplete(agreementId, receiptHash, adapter.groups)) {
            _pay(agreementId, agreement, receiptHash, receipt);
        }
    }

    /// @inheritdoc ILoraEscrow
    function release(bytes32 agreementId) external {
        Agreement storage agreement = _active(agreementId);
        _requireContributor(registry.adapters(agreement.adapterId).contributor);
        agreement.status = Status.Released;
        emit AgreementReleased(agreementId, agreement.buyer, _creditRest(agreement));
    }

    /// @inheritdoc ILoraEscrow
    function setOperator(address operator, bool allowed) external {
        operators[msg.sender][operator] = allowed;
        emit OperatorSet(msg.sender, operator, allowed);
    }

    /// @inheritdoc ILoraEscrow
    function cancelOffer(Offer calldata offer) external {
        _requireContributor(registry.adapters(offer.adapterId).contributor);
        bytes32 offerHash = hashOffer(offer);
        if (cancelled[offerHash]) revert OfferIsCancelled(offerHash);
        cancelled[offerHash] = true;
        emit OfferCancelled(offerHash, offer.adapterId, msg.sender);
    }

    // ---------------------------------------------------------------- anybody

    /// @inheritdoc ILoraEscrow
    function withdraw(address token, address to) external nonReentrant {
        if (to == address(0) || to == address(this)) revert InvalidRecipient(to);
        uint256 amount = credits[token][msg.sender];
        if (amount == 0) revert NothingToWithdraw(token, msg.sender);
        credits[token][msg.sender] = 0;
        emit Withdrawn(msg.sender, token, to, amount);
        _push(token, to, amount);
    }

    /// @inheritdoc ILoraEscrow
    function agreements(bytes32 agreementId) external view returns (Agreement memory) {
        return _agreements[agreementId];
    }

    /// @inheritdoc ILoraEscrow
    function offerDigest(Offer calldata offer) external view returns (bytes32) {
        return _hashTypedDataV4(hashOffer(offer));
    }

    /// @inheritdoc ILoraEscrow
    function receiptDigest(Receipt calldata receipt) public view returns (bytes32) {
        return _hashTypedDataV4(hashReceipt(receipt));
    }

    /// @inheritdoc ILoraEscrow
    function hashOffer(Offer calldata offer) public pure returns (bytes32) {
        return keccak256(abi.encode(OFFER_TYPEHASH, offer));
    }

    /// @inheritdoc ILoraEscrow
    function hashReceipt(Receipt calldata receipt) public pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, receipt));
    }

    /// @inheritdoc ILoraEscrow
    function hashStatements(uint256[2][] calldata V) public pure returns (bytes32) {
        return ClaimBatch.hashStatements(V);
    }

    // ------------------------------------------------------------- open: parts

    function _checkOffer(Offer calldata offer, bytes32 offerHash, bytes calldata signature) private view {
        if (block.timestamp > offer.expiry) revert OfferExpired(offer.expiry, block.timestamp);
        if (offer.payout == address(0)) revert ZeroAddress("payout");
        IAdapterRegistry.Adapter memory adapter = registry.adapters(offer.adapterId);
        if (adapter.contributor == address(0)) revert UnknownAdapter(offer.adapterId);
        _requireSameCode(adapter);
        address recovered = ECDSA.recover(_hashTypedDataV4(offerHash), signature);
        if (recovered != adapter.contributor) revert OfferNotSignedByContributor(recovered, adapter.contributor);
        if (cancelled[offerHash]) revert OfferIsCancelled(offerHash);
        if (opens[offerHash] >= offer.maxOpens) revert OfferExhausted(offerHash, offer.maxOpens);
    }

    function _total(uint256 openingFee, uint256 amount) private pure returns (uint256) {
        if (openingFee > type(uint128).max || amount > type(uint128).max) revert AmountTooLarge(openingFee, amount);
        return openingFee + amount;
    }

    function _store(bytes32 agreementId, Offer calldata offer, address signer, uint256 amount, uint64 deadline)
        private
    {
        _agreements[agreementId] = Agreement({
            buyer: msg.sender,
            deadline: deadline,
            status: Status.Open,
            signer: signer,
            closeWindow: offer.closeWindow,
            payout: offer.payout,
            token: offer.token,
            amount: uint128(amount),
            paid: 0,
            pricePerToken: offer.pricePerToken,
            adapterId: offer.adapterId
        });
    }

    // ----------------------------------------------------------- settle: parts

    /// @dev The receipt's digest, if the agreement's signer signed this receipt for these statements.
    function _checkReceipt(
        bytes32 agreementId,
        address signer,
        Receipt calldata receipt,
        bytes calldata signature,
        uint256[2][] calldata V
    ) private view returns (bytes32 receiptHash) {
        if (receipt.agreementId != agreementId) revert ReceiptForOtherAgreement(agreementId, receipt.agreementId);
        if (receipt.passes == 0) revert ReceiptWithoutPass(agreementId);
        bytes32 statementsHash = hashStatements(V);
        if (receipt.statementsHash != statementsHash) {
            revert StatementsHashMismatch(receipt.statementsHash, statementsHash);
        }
        receiptHash = receiptDigest(receipt);
        address recovered = ECDSA.recover(receiptHash, signature);
        if (recovered != signer) revert ReceiptNotSignedBySigner(recovered, signer);
    }

    /// @dev Marks the claims' groups settled; refuses a group out of range or order, or settled before.
    function _mark(bytes32 agreementId, bytes32 receiptHash, uint32 groups, Claim[] calldata claims) private {
        if (claims.length == 0) revert NoClaims();
        uint256 word;
        uint256 bits;
        uint32 previous;
        for (uint256 i = 0; i < claims.length; ++i) {
            uint32 group = claims[i].group;
            if (group >= groups) revert GroupOutOfRange(i, group, groups);
            if (i != 0 && group <= previous) revert GroupsNotIncreasing(i, previous, group);
            if (group >> 8 != word) {
                _markWord(agreementId, receiptHash, word, bits);
                word = group >> 8;
                bits = 0;
            }
            bits |= 1 << (group & 255);
            previous = group;
        }
        _markWord(agreementId, receiptHash, word, bits);
    }

    function _markWord(bytes32 agreementId, bytes32 receiptHash, uint256 word, uint256 bits) private {
        if (bits == 0) return;
        uint256 settled = settledGroups[agreementId][receiptHash][word];
        uint256 twice = settled & bits;
        if (twice != 0) {
            uint256 lowest = Math.log2(twice & (~twice + 1));
            revert GroupAlreadySettled(agreementId, receiptHash, 256 * word + lowest);
        }
        settledGroups[agreementId][receiptHash][word] = settled | bits;
        emit GroupsSettled(agreementId, receiptHash, msg.sender, word, bits);
    }

    function _verify(
        bytes32 agreementId,
        bytes32 receiptHash,
        IAdapterRegistry.Adapter memory adapter,
        uint256[2][] calldata V,
        Claim[] calldata claims
    ) private view {
        _requireSameCode(adapter);
        bytes32 vkHash = ILoraVerifier(adapter.verifier).vkHash();
        bytes32 seed = ClaimBatch.hashBatch(agreementId, receiptHash, vkHash, V, claims);
        if (!ClaimBatch.verify(adapter.verifier, seed, V, claims)) {
            revert InvalidProof(agreementId, receiptHash, adapter.verifier);
        }
    }

    function _isComplete(bytes32 agreementId, bytes32 receiptHash, uint256 groups) private view returns (bool) {
        mapping(uint256 word => uint256) storage settled = settledGroups[agreementId][receiptHash];
        uint256 words = groups >> 8;
        for (uint256 word = 0; word < words; ++word) {
            if (settled[word] != type(uint256).max) return false;
        }
        uint256 rest = (1 << (groups & 255)) - 1;
        return rest == 0 || settled[words] == rest;
    }

    /// @dev Tokens times price fits in 192 bits. An older receipt that completes later pays nothing.
    function _pay(
        bytes32 agreementId,
        Agreement storage agreement,
        bytes32 receiptHash,
        Receipt calldata receipt
    ) private {
        uint256 owed = Math.min(uint256(receipt.tokens) * agreement.pricePerToken, agreement.amount);
        uint256 paid = agreement.paid;
        uint256 credited = Math.saturatingSub(owed, paid);
        if (credited != 0) {
            paid = owed;
            agreement.paid = uint128(owed);
            credits[agreement.token][agreement.payout] += credited;
        }
        emit ReceiptSettled(
            agreementId,
            receiptHash,
            receipt.passes,
            receipt.tokens,
            receipt.head,
            receipt.statementsHash,
            credited,
            paid
        );
    }

    // ------------------------------------------------------------------ shared

    /// @dev The agreement, open or closing.
    function _active(bytes32 agreementId) private view returns (Agreement storage agreement) {
        agreement = _agreements[agreementId];
        Status status = agreement.status;
        if (status != Status.Open && status != Status.Closing) revert WrongStatus(agreementId, status);
    }

    function _requireBeforeDeadline(bytes32 agreementId, uint64 deadline) private view {
        if (block.timestamp > deadline) revert DeadlinePassed(agreementId, deadline, block.timestamp);
    }

    function _requireContributor(address contributor) private view {
        if (msg.sender != contributor) revert NotContributor(msg.sender, contributor);
    }

    function _requireSettler(address contributor) private view {
        if (msg.sender != contributor && !operators[contributor][msg.sender]) {
            revert NotContributorOrOperator(msg.sender, contributor);
        }
    }

    /// @dev The registered hash pins the code even of a verifier made to be exchanged.
    function _requireSameCode(IAdapterRegistry.Adapter memory adapter) private view {
        bytes32 found = adapter.verifier.codehash;
        if (found != adapter.verifierCodeHash) {
            revert VerifierChanged(adapter.verifier, adapter.verifierCodeHash, found);
        }
    }

    /// @dev Credits the buyer what the contributor has not earned; the caller has made the status final.
    function _creditRest(Agreement storage agreement) private returns (uint256 rest) {
        rest = agreement.amount - agreement.paid;
        credits[agreement.token][agreement.buyer] += rest;
    }

    /// @dev Takes exactly `amount` from the caller.
    function _pull(address token, uint256 amount) private {
        uint256 value = token == address(0) ? amount : 0;
        if (msg.value != value) revert WrongValue(msg.value, value);
        if (token == address(0)) return;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert InexactTransfer(token, amount, received);
    }

    /// @dev Sends `amount`, and sees that a token takes no more than that out of what others are owed.
    function _push(address token, address to, uint256 amount) private {
        if (token == address(0)) {
            Address.sendValue(payable(to), amount);
            return;
        }
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        uint256 sent = before - IERC20(token).balanceOf(address(this));
        if (sent != amount) revert InexactTransfer(token, amount, sent);
    }
}
