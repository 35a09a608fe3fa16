// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IAdapterRegistry} from "./interfaces/IAdapterRegistry.sol";
import {ILoraVerifier} from "./interfaces/ILoraVerifier.sol";

/// @title Registry of committed LoRA adapters
/// @notice See {IAdapterRegistry}. Nobody can change or remove an entry.
contract AdapterRegistry is IAdapterRegistry {
    /// @inheritdoc IAdapterRegistry
    uint32 public constant MAX_GROUPS = 1024;
    /// @inheritdoc IAdapterRegistry
    uint256 public constant MAX_URI_LENGTH = 512;

    bytes32 private constant ADAPTER_TAG = "deltapay/1/adapter";
    bytes32 private constant DELEGATION_PREFIX = bytes32(bytes3(0xef0100));

    mapping(bytes32 adapterId => Adapter) private _adapters;

    /// @inheritdoc IAdapterRegistry
    function register(bytes32 manifestHash, string calldata uri, address verifier, uint32 groups, bytes32 salt)
        external
        returns (bytes32 adapterId)
    {
        if (groups == 0 || groups > MAX_GROUPS) revert GroupsOutOfRange(groups, MAX_GROUPS);
        if (bytes(uri).length > MAX_URI_LENGTH) revert UriTooLong(bytes(uri).length, MAX_URI_LENGTH);
        _requireFixedCode(verifier);
        bytes32 codeHash = verifier.codehash;
        adapterId = keccak256(
            abi.encode(
                ADAPTER_TAG, block.chainid, address(this), msg.sender, manifestHash, verifier, codeHash, groups, salt
            )
        );
        if (_adapters[adapterId].contributor != address(0)) revert AdapterAlreadyRegistered(adapterId);
        _adapters[adapterId] = Adapter(msg.sender, groups, verifier, codeHash, manifestHash);
        bytes32 vkHash = ILoraVerifier(verifier).vkHash();
        emit AdapterRegistered(
            adapterId, msg.sender, verifier, codeHash, vkHash, manifestHash, groups, salt, uri
        );
    }

    /// @inheritdoc IAdapterRegistry
    function adapters(bytes32 adapterId) external view returns (Adapter memory) {
        return _adapters[adapterId];
    }

    /// @dev An account with an EIP-7702 delegation has code, but exchanges it at will.
    function _requireFixedCode(address verifier) private view {
        bytes32 prefix;
        assembly ("memory-safe") {
            extcodecopy(verifier, 0x00, 0, 32)
            prefix := mload(0x00)
        }
        if (verifier.code.length == 0 || bytes3(prefix) == bytes3(DELEGATION_PREFIX)) {
            revert VerifierNotAContract(verifier);
        }
    }
}
