"""EIP-712 messages, identifiers and the escrow's calls (docs/protocol.md, sections 5, 9 and 10)."""

from eth_abi import decode as abi_decode
from eth_abi import encode as abi_encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from formats import hex_bytes, keccak_of

TYPES = {
    "Offer": "bytes32 adapterId,address payout,address token,uint128 pricePerToken,uint256 openingFee,uint64 maxUnpaidTokens,"
    "uint64 tokenCap,uint64 minDuration,uint64 closeWindow,uint64 maxOpens,uint256 nonce,uint64 expiry",
    "Receipt": "bytes32 agreementId,uint64 passes,uint64 tokens,bytes32 head,bytes32 statementsHash",
    "ServiceRecord": "bytes32 adapterId,string url,bytes32 tlsCertificate,uint64 expiry",
    "Liveness": "bytes32 adapterId,bytes32 nonce,uint64 time",
    "Session": "bytes32 agreementId,bytes32 clientNonce,bytes32 serverNonce",
}
FIELDS = {name: [field.split(" ") for field in text.split(",")] for name, text in TYPES.items()}


def typed(name, message):
    """JSON's strings as the values of the message's types."""
    convert = lambda kind, value: int(value) if kind.startswith("uint") else value
    return {field: convert(kind, message[field]) for kind, field in FIELDS[name]}


class Domain:
    def __init__(self, chain_id, escrow):
        self.chain_id, self.escrow = chain_id, escrow

    def signable(self, name, message):
        return encode_typed_data(
            domain_data={
                "name": "deltapay",
                "version": "1",
                "chainId": self.chain_id,
                "verifyingContract": self.escrow,
            },
            message_types={name: [{"type": kind, "name": field} for kind, field in FIELDS[name]]},
            message_data=typed(name, message),
        )

    def sign(self, name, message, account):
        return account.sign_message(self.signable(name, message)).signature

    def require_signer(self, name, message, signature, expected):
        signer = Account.recover_message(self.signable(name, message), signature=hex_bytes(signature, 65))
        if signer.lower() != expected.lower():
            raise ValueError(f"the {name} is signed by {signer}, not by {expected}")

    def digest(self, name, message):
        s = self.signable(name, message)
        return keccak(b"\x19" + s.version + s.header + s.body)

    def struct_hash(self, name, message):
        return self.signable(name, message).body


def adapter_id(chain_id, registry, contributor, manifest_hash, verifier, code_hash, groups, salt):
    return keccak_of(
        "adapter",
        ["uint256", "address", "address", "bytes32", "address", "bytes32", "uint256", "bytes32"],
        [chain_id, registry, contributor, manifest_hash, verifier, code_hash, groups, salt],
    )


def agreement_id(chain_id, escrow, buyer, offer_hash, signer, amount, deadline, nonce):
    return keccak_of(
        "agreement",
        ["uint256", "address", "address", "bytes32", "address", "uint256", "uint256", "uint256"],
        [chain_id, escrow, buyer, offer_hash, signer, amount, deadline, nonce],
    )


def tuple_type(name):
    return "(" + ",".join(kind for kind, _ in FIELDS[name]) + ")"


def call(signature, types, values):
    return keccak(signature.encode())[:4] + abi_encode(types, values)


def open_call(offer, signature, signer, amount, deadline, nonce):
    types = [tuple_type("Offer"), "bytes", "address", "uint256", "uint64", "uint256"]
    values = [tuple(typed("Offer", offer).values()), signature, signer, amount, deadline, nonce]
    values[0] = tuple(hex_bytes(v) if kind == "bytes32" else v for (kind, _), v in zip(FIELDS["Offer"], values[0]))
    return call(f"open({','.join(types)})", types, values)


def decode(types, data):
    return abi_decode(types, data)
