// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Escrow that pays for LoRA inference when it is proven
/// @notice A buyer opens an agreement on a contributor's signed offer and pays in. It signs cumulative receipts; the
/// contributor is credited for a receipt when the statement of every group of the adapter is proven. What is left
/// returns to the buyer after the deadline. No owner, no upgrade, no pause.
/// @dev Tokens whose balances change by themselves (rebasing) are not supported; the harm stays with that token.
interface ILoraEscrow {
    /// @notice Status of an agreement. None -> Open -> Closing, and Open or Closing -> Refunded or Released, for good.
    enum Status {
        None,
        Open,
        Closing,
        Refunded,
        Released
    }

    /// @notice The contributor's terms, signed by it (EIP-712).
    /// @param payout whom fee and earnings are credited to
    /// @param token ERC-20, or zero for ETH
    /// @param pricePerToken smallest units per token of a pass
    /// @param openingFee credited to payout at `open`, whatever follows
    /// @param maxUnpaidTokens tokens the contributor serves ahead of a receipt; not enforced here
    /// @param tokenCap tokens the contributor serves in all; not enforced here: a buyer who signs a receipt for more
    /// owes more, never above `amount`
    /// @param minDuration least seconds from `open` to the deadline
    /// @param closeWindow seconds left to settle after `close`
    /// @param maxOpens how often the offer can be taken
    /// @param nonce tells equal offers apart
    /// @param expiry last second at which the offer can be taken
    struct Offer {
        bytes32 adapterId;
        address payout;
        address token;
        uint128 pricePerToken;
        uint256 openingFee;
        uint64 maxUnpaidTokens;
        uint64 tokenCap;
        uint64 minDuration;
        uint64 closeWindow;
        uint64 maxOpens;
        uint256 nonce;
        uint64 expiry;
    }

    /// @notice What the buyer owes so far, signed by the agreement's signer (EIP-712); cumulative.
    /// @param passes passes covered, at least 1
    /// @param tokens tokens covered
    /// @param head transcript head after the last pass
    /// @param statementsHash keccak256(abi.encode(bytes32("deltapay/1/statements"), V))
    struct Receipt {
        bytes32 agreementId;
        uint64 passes;
        uint64 tokens;
        bytes32 head;
        bytes32 statementsHash;
    }

    /// @notice The proof of one group's statement; points as in ILoraVerifier.Proof.
    struct Claim {
        uint32 group;
        uint256[2] a;
        uint256[4] b;
        uint256[2] c;
    }

    /// @notice An agreement as stored; amounts in smallest units.
    /// @param deadline last second at which receipts settle
    /// @param signer whose signature makes a receipt
    /// @param amount paid in for inference, without the opening fee
    /// @param paid part of amount credited to payout so far
    struct Agreement {
        address buyer;
        uint64 deadline;
        Status status;
        address signer;
        uint64 closeWindow;
        address payout;
        address token;
        uint128 amount;
        uint128 paid;
        uint128 pricePerToken;
        bytes32 adapterId;
    }

    /// @notice `offer.openingFee` was credited to `offer.payout`, and `amount` is held.
    event AgreementOpened(
        bytes32 indexed agreementId,
        bytes32 indexed adapterId,
        address indexed buyer,
        bytes32 offerHash,
        Offer offer,
        address signer,
        uint256 amount,
        uint64 deadline,
        uint256 nonce
    );
    /// @notice Proofs of one receipt were accepted: bit i of `bits` is group 256 * word + i.
    event GroupsSettled(
        bytes32 indexed agreementId, bytes32 indexed receiptHash, address indexed settler, uint256 word, uint256 bits
    );
    /// @notice All groups of a receipt are proven.
    /// @param credited what payout was credited for it
    /// @param paid total credited under the agreement
    event ReceiptSettled(
        bytes32 indexed agreementId,
        bytes32 indexed receiptHash,
        uint64 passes,
        uint64 tokens,
        bytes32 head,
        bytes32 statementsHash,
        uint256 credited,
        uint256 paid
    );
    /// @notice The buyer asked to end the agreement; `deadline` is the one that now holds.
    event AgreementClosing(bytes32 indexed agreementId, uint64 deadline);
    /// @notice The deadline passed and the buyer was credited `amount`.
    event AgreementRefunded(bytes32 indexed agreementId, address indexed buyer, uint256 amount);
    /// @notice The contributor gave back `amount`, credited to the buyer.
    event AgreementReleased(bytes32 indexed agreementId, address indexed buyer, uint256 amount);
    /// @notice The offer can be opened no more; agreements already opened go on.
    event OfferCancelled(bytes32 indexed offerHash, bytes32 indexed adapterId, address indexed contributor);
    /// @notice Whether the operator may settle in the contributor's name from now on.
    event OperatorSet(address indexed contributor, address indexed operator, bool allowed);
    /// @notice The account's whole credit of the token left for `to`.
    event Withdrawn(address indexed account, address indexed token, address indexed to, uint256 amount);

    error UnknownAdapter(bytes32 adapterId);
    /// @notice The verifier's code is not the one registered.
    error VerifierChanged(address verifier, bytes32 registered, bytes32 found);
    error OfferExpired(uint64 expiry, uint256 timestamp);
    error OfferNotSignedByContributor(address recovered, address contributor);
    error OfferIsCancelled(bytes32 offerHash);
    error OfferExhausted(bytes32 offerHash, uint64 maxOpens);
    error ZeroAddress(string field);
    error DeadlineTooEarly(uint64 deadline, uint256 earliest);
    /// @notice Fee and amount together must fit in 128 bits.
    error AmountTooLarge(uint256 openingFee, uint256 amount);
    error AgreementExists(bytes32 agreementId);
    /// @notice ETH sent is not fee + amount, or not zero for an ERC-20.
    error WrongValue(uint256 sent, uint256 expected);
    /// @notice The token moved another amount than asked for.
    error InexactTransfer(address token, uint256 expected, uint256 actual);

    error WrongStatus(bytes32 agreementId, Status status);
    error DeadlinePassed(bytes32 agreementId, uint64 deadline, uint256 timestamp);
    error DeadlineNotPassed(bytes32 agreementId, uint64 deadline, uint256 timestamp);
    error NotBuyer(address caller, address buyer);
    error NotContributor(address caller, address contributor);
    error NotContributorOrOperator(address caller, address contributor);
    error ReceiptForOtherAgreement(bytes32 expected, bytes32 found);
    error ReceiptWithoutPass(bytes32 agreementId);
    error ReceiptNotSignedBySigner(address recovered, address signer);
    error WrongStatementCount(uint256 found, uint256 groups);
    error StatementsHashMismatch(bytes32 signed, bytes32 computed);
    error NoClaims();
    error GroupOutOfRange(uint256 position, uint32 group, uint32 groups);
    error GroupsNotIncreasing(uint256 position, uint32 previous, uint32 group);
    error GroupAlreadySettled(bytes32 agreementId, bytes32 receiptHash, uint256 group);
    error InvalidProof(bytes32 agreementId, bytes32 receiptHash, address verifier);
    error NothingToWithdraw(address token, address account);
    error InvalidRecipient(address to);

    /// @notice Takes an offer and pays in openingFee + amount: as ETH with the call, or by allowance of `offer.token`.
    /// @param offerSignature ECDSA signature of `offer` by the adapter's contributor
    /// @param signer plain key that signs the receipts; contracts (ERC-1271) cannot
    /// @param amount most the contributor can earn beyond the fee
    /// @param deadline last second at which receipts settle
    /// @param nonce any number that makes the agreement's id unused
    /// @return agreementId keccak256(abi.encode(bytes32("deltapay/1/agreement"), block.chainid, escrow, buyer,
    /// offerHash, signer, amount, deadline, nonce))
    function open(
        Offer calldata offer,
        bytes calldata offerSignature,
        address signer,
        uint256 amount,
        uint64 deadline,
        uint256 nonce
    ) external payable returns (bytes32 agreementId);

    /// @notice Proves groups of a receipt, in one call or several; by the contributor or its operator, until the
    /// deadline. With the last group payout is credited min(tokens * price, amount) less what was paid, if positive.
    /// @dev One invalid proof reverts the call. The seed of the batch (ILoraVerifier.verifyBatch) is
    /// keccak256(abi.encode(bytes32("deltapay/1/batch"), block.chainid, escrow, agreementId, receiptHash, vkHash, V,
    /// claims)) with receiptHash = receiptDigest(receipt), V and claims as given here.
    /// @param signature ECDSA signature of `receipt` by the agreement's signer
    /// @param V statements of all groups in order, G1 points
    /// @param claims proofs in strictly increasing order of group
    function settle(
        bytes32 agreementId,
        Receipt calldata receipt,
        bytes calldata signature,
        uint256[2][] calldata V,
        Claim[] calldata claims
    ) external;

    /// @notice The buyer ends an open agreement: deadline = min(deadline, now + closeWindow).
    function close(bytes32 agreementId) external;

    /// @notice After the deadline, by anyone: credits the buyer what is left.
    function refund(bytes32 agreementId) external;

    /// @notice By the contributor, at any time before the refund: credits the buyer what is left.
    function release(bytes32 agreementId) external;

    /// @notice Lets `operator` settle in the caller's name, or no longer.
    function setOperator(address operator, bool allowed) external;

    /// @notice Ends an offer for good; by the adapter's contributor. Agreements already opened go on.
    function cancelOffer(Offer calldata offer) external;

    /// @notice Sends the caller's whole credit of a token (zero: ETH) to `to`.
    function withdraw(address token, address to) external;

    /// @notice The agreement; all fields zero if there is none.
    function agreements(bytes32 agreementId) external view returns (Agreement memory);

    /// @notice What `account` can withdraw of `token` (zero: ETH).
    function credits(address token, address account) external view returns (uint256);

    /// @notice Bit i: group 256 * word + i of the receipt is settled.
    /// @param receiptHash `receiptDigest` of the receipt
    function settledGroups(bytes32 agreementId, bytes32 receiptHash, uint256 word) external view returns (uint256);

    /// @notice How often an offer was taken.
    function opens(bytes32 offerHash) external view returns (uint64);

    /// @notice Whether an offer was cancelled.
    function cancelled(bytes32 offerHash) external view returns (bool);

    /// @notice Whether `operator` may settle for `contributor`.
    function operators(address contributor, address operator) external view returns (bool);

    /// @notice EIP-712 struct hash of an offer: the offerHash.
    function hashOffer(Offer calldata offer) external pure returns (bytes32);

    /// @notice EIP-712 digest of an offer: what the contributor signs.
    function offerDigest(Offer calldata offer) external view returns (bytes32);

    /// @notice EIP-712 struct hash of a receipt.
    function hashReceipt(Receipt calldata receipt) external pure returns (bytes32);

    /// @notice EIP-712 digest of a receipt: what the signer signs, and the receiptHash.
    function receiptDigest(Receipt calldata receipt) external view returns (bytes32);

    /// @notice keccak256(abi.encode(bytes32("deltapay/1/statements"), V)).
    function hashStatements(uint256[2][] calldata V) external pure returns (bytes32);
}
