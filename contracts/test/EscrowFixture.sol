// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {AdapterRegistry} from "../AdapterRegistry.sol";
import {LoraEscrow} from "../LoraEscrow.sol";
import {ILoraEscrow} from "../interfaces/ILoraEscrow.sol";
import {ILoraVerifier} from "../interfaces/ILoraVerifier.sol";
import {Base} from "./Base.sol";
import {TestToken} from "./Tokens.sol";
import {Trapdoor, TrapdoorVerifier} from "./Trapdoor.sol";

/// @notice An adapter, its contributor and a buyer; agreements, receipts and claims for them.
abstract contract EscrowFixture is Base {
    uint256 internal constant CONTRIBUTOR_KEY = 0xC0;
    uint256 internal constant SIGNER_KEY = 0x51;
    uint256 internal constant STRANGER_KEY = 0x57;
    uint32 internal constant GROUPS = 3;
    uint128 internal constant PRICE = 10;
    uint256 internal constant FEE = 70;
    uint256 internal constant AMOUNT = 1_000;
    uint64 internal constant MIN_DURATION = 1 hours;
    uint64 internal constant CLOSE_WINDOW = 20 minutes;
    address internal constant ETH = address(0);

    address internal contributor = vm.addr(CONTRIBUTOR_KEY);
    address internal signer = vm.addr(SIGNER_KEY);
    address internal stranger = vm.addr(STRANGER_KEY);
    address internal buyer = address(0xB0B);
    address internal payout = address(0x9A1);

    AdapterRegistry internal registry = new AdapterRegistry();
    LoraEscrow internal escrow = new LoraEscrow(registry);
    TrapdoorVerifier internal verifier = new TrapdoorVerifier();
    TestToken internal token = new TestToken();
    bytes32 internal adapterId;

    /// @notice A settlement ready to be sent.
    struct Settlement {
        ILoraEscrow.Receipt receipt;
        bytes signature;
        uint256[2][] V;
        ILoraEscrow.Claim[] claims;
    }

    function setUp() public virtual {
        vm.warp(1_000_000);
        adapterId = _register(address(verifier), GROUPS);
        vm.deal(buyer, 1_000_000);
        token.mint(buyer, 1_000_000);
        vm.prank(buyer);
        token.approve(address(escrow), type(uint256).max);
    }

    function _register(address verifier_, uint32 groups) internal returns (bytes32) {
        vm.prank(contributor);
        return registry.register("manifest", "https://adapter.example/manifest", verifier_, groups, "salt");
    }

    function _offer(address token_) internal view returns (ILoraEscrow.Offer memory) {
        return ILoraEscrow.Offer({
            adapterId: adapterId,
            payout: payout,
            token: token_,
            pricePerToken: PRICE,
            openingFee: FEE,
            maxUnpaidTokens: 64,
            tokenCap: 1_000,
            minDuration: MIN_DURATION,
            closeWindow: CLOSE_WINDOW,
            maxOpens: 2,
            nonce: 1,
            expiry: uint64(block.timestamp + 1 days)
        });
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signedOffer(ILoraEscrow.Offer memory offer) internal view returns (bytes memory) {
        return _sign(CONTRIBUTOR_KEY, escrow.offerDigest(offer));
    }

    function _deadline() internal view returns (uint64) {
        return uint64(block.timestamp + 2 hours);
    }

    /// @dev By the buyer, with AMOUNT; pays ETH or allowance.
    function _open(ILoraEscrow.Offer memory offer, uint256 nonce) internal returns (bytes32) {
        return _openWith(offer, _signedOffer(offer), signer, AMOUNT, _deadline(), nonce);
    }

    function _openWith(
        ILoraEscrow.Offer memory offer,
        bytes memory signature,
        address signer_,
        uint256 amount,
        uint64 deadline,
        uint256 nonce
    ) internal returns (bytes32) {
        uint256 value = offer.token == ETH ? offer.openingFee + amount : 0;
        vm.prank(buyer);
        return escrow.open{value: value}(offer, signature, signer_, amount, deadline, nonce);
    }

    function _openEth() internal returns (bytes32) {
        return _open(_offer(ETH), 0);
    }

    /// @dev Statements and valid claims of all groups.
    function _claims(uint256 groups, uint256 seed)
        internal
        view
        returns (uint256[2][] memory V, ILoraEscrow.Claim[] memory claims)
    {
        ILoraVerifier.Proof[] memory proofs;
        (V, proofs) = Trapdoor.proveMany(groups, seed);
        claims = new ILoraEscrow.Claim[](groups);
        for (uint32 g = 0; g < groups; ++g) {
            claims[g] = _claim(g, proofs[g]);
        }
    }

    function _claim(uint32 group, ILoraVerifier.Proof memory proof) internal pure returns (ILoraEscrow.Claim memory) {
        return ILoraEscrow.Claim({group: group, a: proof.a, b: proof.b, c: proof.c});
    }

    function _receipt(bytes32 id, uint64 passes, uint64 tokens, uint256[2][] memory V)
        internal
        view
        returns (ILoraEscrow.Receipt memory)
    {
        return ILoraEscrow.Receipt({
            agreementId: id,
            passes: passes,
            tokens: tokens,
            head: keccak256(abi.encode(passes, tokens)),
            statementsHash: escrow.hashStatements(V)
        });
    }

    /// @dev A receipt signed by the agreement's signer, with valid claims of all groups.
    function _settlement(bytes32 id, uint64 passes, uint64 tokens) internal view returns (Settlement memory s) {
        (s.V, s.claims) = _claims(GROUPS, uint256(keccak256(abi.encode(id, passes, tokens))));
        s.receipt = _receipt(id, passes, tokens, s.V);
        _signReceipt(s);
    }

    function _signReceipt(Settlement memory s) internal view {
        s.signature = _sign(SIGNER_KEY, escrow.receiptDigest(s.receipt));
    }

    /// @dev Sent by the contributor; an expected revert may be announced just before.
    function _settle(bytes32 id, Settlement memory s) internal {
        vm.prank(contributor);
        escrow.settle(id, s.receipt, s.signature, s.V, s.claims);
    }

    /// @dev The same settlement with only the claims from `from` to before `to`.
    function _part(Settlement memory s, uint256 from, uint256 to) internal pure returns (Settlement memory part) {
        part = Settlement(s.receipt, s.signature, s.V, new ILoraEscrow.Claim[](to - from));
        for (uint256 i = from; i < to; ++i) {
            part.claims[i - from] = s.claims[i];
        }
    }

    function _paid(bytes32 id) internal view returns (uint256) {
        return escrow.agreements(id).paid;
    }
}
