#!/usr/bin/env python3
"""A buyer of its own: opens an agreement with a contributor, runs passes and pays for what it got, from docs/protocol.md alone.

    python3 client.py URL --rpc http://127.0.0.1:8545 --key commit-key.bin --vk-hash 0x…  [--tokens 4] [--passes 2]
    python3 client.py --vectors test/vectors/protocol.json

Pays from the account of DELTAPAY_PRIVATE_KEY (test chains: one of the node's accounts). Needs numpy and eth-account. TLS to a
pinned certificate is left out: off loopback use the real client.
"""

import argparse
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
from eth_account import Account
from eth_utils import keccak

import formats
import messages

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LIMITS = {"json": 2**20, "manifest": 4 * 2**20, "binary": 2**30}
ZERO = "0x" + "00" * 20


def say(text):
    print(text, file=sys.stderr)


def hex_of(data):
    return "0x" + bytes(data).hex()


def fetch(request, limit):
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            data = answer.read(limit + 1)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{request.full_url}: {error.code} {error.read(65536).decode(errors='replace')}") from None
    if len(data) > limit:
        raise SystemExit(f"{request.full_url}: more than {limit} bytes")
    return data


class Chain:
    """JSON-RPC of one node."""

    def __init__(self, url):
        self.url = url

    def rpc(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        answer = json.loads(fetch(request, LIMITS["json"]))
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def number(self, method, *params):
        return int(self.rpc(method, *params), 16)

    def read(self, to, data, types):
        answer = self.rpc("eth_call", {"to": to, "data": hex_of(data)}, "latest")
        return messages.decode(types, formats.hex_bytes(answer))

    def code_hash(self, address):
        return keccak(formats.hex_bytes(self.rpc("eth_getCode", address, "latest")))

    def send(self, account, to, data, value):
        price = self.number("eth_gasPrice")
        transaction = {
            "chainId": self.number("eth_chainId"),
            "nonce": self.number("eth_getTransactionCount", account.address, "pending"),
            "to": to,
            "data": hex_of(data),
            "value": value,
            "maxFeePerGas": 2 * price,
            "maxPriorityFeePerGas": min(price, 10**9),
        }
        estimate = {"from": account.address, "to": to, "data": hex_of(data), "value": hex(value)}
        transaction["gas"] = self.number("eth_estimateGas", estimate) * 5 // 4
        signed = account.sign_transaction(transaction)
        sent = self.rpc("eth_sendRawTransaction", hex_of(signed.raw_transaction))
        for _ in range(600):
            receipt = self.rpc("eth_getTransactionReceipt", sent)
            if receipt is not None:
                if int(receipt["status"], 16) != 1:
                    raise SystemExit(f"transaction {sent} was reverted")
                return sent
            time.sleep(0.1)
        raise SystemExit(f"transaction {sent} was not included within a minute")


class Service:
    """The contributor's HTTP service (section 6)."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in LOOPBACK:
            raise SystemExit("this example talks to loopback only: elsewhere a client must pin the record's certificate")
        self.base, self.token, self.place = url.rstrip("/"), None, parts

    def request(self, path, body=None, binary=False, limit="json"):
        headers = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["content-type"] = "application/octet-stream" if binary else "application/json"
            body = body if binary else json.dumps(body).encode()
        return fetch(urllib.request.Request(self.base + path, body, headers), LIMITS[limit])

    def json(self, path, body=None):
        return json.loads(self.request(path, body))


class Purchase:
    """One agreement from discovery to settlement, checked at every step."""

    def __init__(self, options):
        self.options = options
        self.chain, self.service = Chain(options.rpc), Service(options.url)
        with open(options.key, "rb") as file:
            self.key = formats.read_key(file.read())
        if hex_of(self.key.vk_hash) != options.vk_hash.lower():
            raise SystemExit("the key file is not the key of --vk-hash")

    def discover(self):
        """Registry, service record, offer and liveness (sections 5 and 6)."""
        found = self.service.json("/v1/service")
        self.chain_id, self.registry = int(found["chainId"]), found["registry"]
        if self.chain_id != self.chain.number("eth_chainId"):
            raise SystemExit("the service is on another chain than --rpc")
        self.domain = messages.Domain(self.chain_id, found["escrow"])
        self.adapter = next(a for a in found["adapters"] if self.options.adapter in (None, a["adapterId"]))
        self.adapter_id = self.adapter["adapterId"]
        read = messages.call("adapters(bytes32)", ["bytes32"], [formats.hex_bytes(self.adapter_id, 32)])
        kinds = ["address", "uint32", "address", "bytes32", "bytes32"]
        self.contributor, self.groups, verifier, code_hash, self.manifest_hash = self.chain.read(self.registry, read, kinds)
        if self.contributor == ZERO:
            raise SystemExit(f"{self.adapter_id} is not registered")
        (vk_hash,) = self.chain.read(verifier, messages.call("vkHash()", [], []), ["bytes32"])
        if vk_hash != self.key.vk_hash or self.chain.code_hash(verifier) != code_hash:
            raise SystemExit("the adapter's verifier is not the one of --vk-hash")
        self.check_record()
        nonce = hex_of(secrets.token_bytes(32))
        live = self.service.json(f"/v1/adapters/{self.adapter_id}/liveness", {"nonce": nonce})
        if live["liveness"]["nonce"] != nonce or live["liveness"]["adapterId"] != self.adapter_id:
            raise SystemExit("the contributor answered another question")
        self.domain.require_signer("Liveness", live["liveness"], live["signature"], self.contributor)

    def check_record(self):
        record = self.adapter["record"]
        self.domain.require_signer("ServiceRecord", record, self.adapter["recordSignature"], self.contributor)
        place = urllib.parse.urlsplit(record["url"])
        if record["adapterId"] != self.adapter_id or int(record["expiry"]) < time.time():
            raise SystemExit("the service record is of another adapter, or has expired")
        if place.port != self.service.place.port or place.hostname not in LOOPBACK:
            raise SystemExit(f"the contributor signed {record['url']}, not this place")

    def check_adapter(self):
        """Manifest, points and proofs of knowledge against the registry (section 4)."""
        raw = self.service.request(f"/v1/adapters/{self.adapter_id}/manifest", limit="manifest")
        if formats.hashlib.sha256(raw).digest() != self.manifest_hash:
            raise SystemExit("the manifest is not the registered one")
        manifest, self.modules = formats.read_manifest(raw)
        for field, expected in [
            ("chainId", self.chain_id),
            ("registry", self.registry.lower()),
            ("contributor", self.contributor.lower()),
            ("vkHash", hex_of(self.key.vk_hash)),
            ("keySize", self.key.size),
            ("groups", self.groups),
        ]:
            if manifest[field] != expected:
                raise SystemExit(f"the manifest's {field} is not the registry's")
        data = self.service.request(f"/v1/adapters/{self.adapter_id}/commitments", limit="binary")
        stated = manifest["commitments"]
        if len(data) != stated["bytes"] or hex_of(formats.hashlib.sha256(data).digest()) != stated["sha256"]:
            raise SystemExit("the commitments are not the manifest's")
        formats.read_commitments(data, manifest, self.modules, self.key)

    def open(self, account):
        """Accepts the first offer in ETH; the agreement's signer is a fresh key, on disk before any money moves."""
        choice = next(o for o in self.adapter["offers"] if int(o["offer"]["token"], 16) == 0)
        self.offer, signature = choice["offer"], choice["signature"]
        if self.offer["adapterId"] != self.adapter_id:
            raise SystemExit("the offer is for another adapter")
        self.domain.require_signer("Offer", self.offer, signature, self.contributor)
        self.signer = Account.create(secrets.token_bytes(32))
        with open(os.open(self.options.signer_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(hex_of(self.signer.key) + "\n")
        amount = int(self.offer["pricePerToken"]) * self.options.tokens * self.options.passes
        now = int(self.chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        deadline, nonce = now + 2 * int(self.offer["minDuration"]) + 3600, secrets.randbits(256)
        offer_hash = self.domain.struct_hash("Offer", self.offer)
        self.agreement = messages.agreement_id(
            self.chain_id, self.domain.escrow, account.address, offer_hash, self.signer.address, amount, deadline, nonce
        )
        data = messages.open_call(
            self.offer, formats.hex_bytes(signature), self.signer.address, amount, deadline, nonce
        )
        self.chain.send(account, self.domain.escrow, data, amount + int(self.offer["openingFee"]))

    def authenticate(self):
        message = {"agreementId": hex_of(self.agreement), "clientNonce": hex_of(secrets.token_bytes(32))}
        message |= self.service.json("/v1/sessions/challenge", message)
        signature = hex_of(self.domain.sign("Session", message, self.signer))
        self.service.token = self.service.json("/v1/sessions", message | {"signature": signature})["token"]
        formats.read_scales(self.service.request("/v1/session/scales", limit="binary"), self.modules)
        self.session = formats.Session(self.agreement, self.modules)

    def run_pass(self, random):
        """One pass of random activations; modules of one width could share them, here each has its own."""
        tokens, salt = self.options.tokens, secrets.token_bytes(32)
        X, Y = [], []
        for index, module in enumerate(self.modules):
            x, _ = formats.quantise(random.standard_normal((tokens, module.d_in)))
            head = formats.u32(1) + formats.u32(index) + salt + formats.u32(tokens)
            path = f"/v1/session/passes/{self.session.passes + 1}"
            answer = self.service.request(path, head + x.tobytes(), binary=True, limit="binary")
            X.append(x)
            Y += formats.read_answers(answer, tokens, [module])
        self.session.add_pass(salt, X, Y)

    def pay(self):
        """Signs the receipt of all passes; the contributor accepts it only if it computed the same."""
        V = self.session.statements(self.key, self.groups)
        receipt = {
            "agreementId": hex_of(self.agreement),
            "passes": str(self.session.passes),
            "tokens": str(self.session.tokens),
            "head": hex_of(self.session.head),
            "statementsHash": hex_of(formats.statements_hash(V)),
        }
        signature = hex_of(self.domain.sign("Receipt", receipt, self.signer))
        view = self.service.json("/v1/session/receipts", {"receipt": receipt, "signature": signature})
        if view["receipt"]["passes"] != self.session.passes or view["head"] != receipt["head"]:
            raise SystemExit("the contributor's session differs")
        self.service.json("/v1/session/end", {})
        return V

    def await_settlement(self, V):
        """Waits until the proofs of exactly these statements are settled."""
        for _ in range(600):
            view = self.service.json("/v1/session")
            if view["phase"] == "settled":
                bundle = self.service.json("/v1/session/bundle")
                if [[int(x), int(y)] for x, y in bundle["V"]] != [list(point) for point in V]:
                    raise SystemExit("the settled statements are not the ones signed")
                return view["settlement"]
            time.sleep(0.2)
        raise SystemExit("not settled within two minutes; the deposit can be refunded after the deadline")


def buy(options):
    secret = os.environ.get("DELTAPAY_PRIVATE_KEY")
    if not secret:
        raise SystemExit("set DELTAPAY_PRIVATE_KEY to the paying account's key")
    account = Account.from_key(secret)
    purchase = Purchase(options)
    purchase.discover()
    say(f"adapter {purchase.adapter_id} of {purchase.contributor}: registered, record and liveness signed")
    started = time.time()
    purchase.check_adapter()
    points = sum(m.d_in + m.d_out for m in purchase.modules)
    say(f"{len(purchase.modules)} modules: {points} commitments and their proofs of knowledge hold ({time.time() - started:.1f} s)")
    purchase.open(account)
    say(f"agreement {hex_of(purchase.agreement)} opened")
    purchase.authenticate()
    random = np.random.default_rng(options.seed)
    for _ in range(options.passes):
        purchase.run_pass(random)
        say(f"pass {purchase.session.passes}: {options.tokens} tokens answered, every answer within its bound")
    V = purchase.pay()
    say("receipt signed; the contributor computed the same statements")
    settlement = None if options.no_settlement else purchase.await_settlement(V)
    result = {
        "agreementId": hex_of(purchase.agreement),
        "tokens": purchase.session.tokens,
        "passes": purchase.session.passes,
        "head": hex_of(purchase.session.head),
        "V": [[str(x), str(y)] for x, y in V],
        "settlement": settlement,
    }
    print(json.dumps(result))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="the contributor's service")
    parser.add_argument("--vectors", metavar="FILE", help="check the test vectors and stop")
    parser.add_argument("--rpc", default="http://127.0.0.1:8545", help="the chain's JSON-RPC")
    parser.add_argument("--key", metavar="FILE", help="commit key file (commit-key.bin of `deltapay keys build`)")
    parser.add_argument("--vk-hash", help="the key to trust")
    parser.add_argument("--adapter", help="adapterId, when the service has several")
    parser.add_argument("--tokens", type=int, default=4, help="tokens a pass")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--seed", type=int, help="of the random activations")
    parser.add_argument("--signer-file", default="signer.key", help="where the agreement's fresh signer key is kept (must not exist)")
    parser.add_argument("--no-settlement", action="store_true", help="do not wait for the settlement")
    options = parser.parse_args()
    if options.vectors:
        import vectors

        sys.exit(vectors.check(options.vectors))
    if not (options.url and options.key and options.vk_hash):
        parser.error("URL, --key and --vk-hash are needed")
    buy(options)


if __name__ == "__main__":
    main()
