// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Registry of committed LoRA adapters
/// @notice An adapter, once registered, never changes: a new version is a new adapter. The manifest with its
/// commitments is served by the contributor and named here by its SHA-256.
interface IAdapterRegistry {
    /// @notice What the escrow settles by.
    /// @param contributor who registered, offers and is paid
    /// @param groups number of statements and proofs of one receipt
    /// @param verifier contract that verifies this adapter's proofs
    /// @param verifierCodeHash code hash of the verifier at registration
    /// @param manifestHash SHA-256 of the manifest as served
    struct Adapter {
        address contributor;
        uint32 groups;
        address verifier;
        bytes32 verifierCodeHash;
        bytes32 manifestHash;
    }

    /// @notice All that was registered.
    /// @param vkHash what the verifier named as its key's hash at registration
    event AdapterRegistered(
        bytes32 indexed adapterId,
        address indexed contributor,
        address indexed verifier,
        bytes32 verifierCodeHash,
        bytes32 vkHash,
        bytes32 manifestHash,
        uint32 groups,
        bytes32 salt,
        string uri
    );

    error AdapterAlreadyRegistered(bytes32 adapterId);
    /// @notice The verifier has no code, or code that its owner can exchange (an EIP-7702 delegation).
    error VerifierNotAContract(address verifier);
    error GroupsOutOfRange(uint32 groups, uint32 maxGroups);
    error UriTooLong(uint256 length, uint256 maxLength);

    /// @notice Registers an adapter of the caller.
    /// @param manifestHash SHA-256 of the manifest
    /// @param uri where the manifest is served; kept in the event only
    /// @param verifier verifier contract of the key the commitments were made with
    /// @param groups number of groups in the manifest, 1 to `MAX_GROUPS`
    /// @param salt lets one manifest be registered more than once
    /// @return adapterId keccak256(abi.encode(bytes32("deltapay/1/adapter"), block.chainid, registry, contributor,
    /// manifestHash, verifier, verifier.codehash, groups, salt))
    function register(bytes32 manifestHash, string calldata uri, address verifier, uint32 groups, bytes32 salt)
        external
        returns (bytes32 adapterId);

    /// @notice The adapter; all fields zero if there is none.
    function adapters(bytes32 adapterId) external view returns (Adapter memory);

    /// @notice Most groups an adapter may have: every settlement carries a statement of 64 bytes per group.
    function MAX_GROUPS() external view returns (uint32);

    /// @notice Longest uri in bytes.
    function MAX_URI_LENGTH() external view returns (uint256);
}
