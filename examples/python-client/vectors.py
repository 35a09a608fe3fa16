"""Checks this client against the project's test vectors (docs/protocol.md names them)."""

import hashlib
import json
import struct

import numpy as np
from eth_account import Account

import curve
import formats
import messages
from formats import hex_bytes


def numbers(text):
    return [int(value) for value in text.split()] if text else []


def matrix(text, rows, kind):
    return np.array(numbers(text), kind).reshape(rows, -1)


class Book:
    """The vectors by name, and the values that others are made of."""

    def __init__(self, file):
        with open(file) as source:
            self.by_name = {v["name"]: v for v in json.load(source)["vectors"]}
        self.key = formats.read_key(hex_bytes(self.output("key/commit-key-file")))
        text = self.output("manifest/bytes")["text"]
        self.manifest, self.modules = formats.read_manifest(text.encode())
        data = hex_bytes(self.output("commitments-file")["bytes"])
        formats.read_commitments(data, self.manifest, self.modules, self.key)

    def inputs(self, name):
        return self.by_name[name]["inputs"]

    def output(self, name):
        return self.by_name[name]["output"]

    def session(self):
        session = formats.Session(hex_bytes(self.inputs("head/0")["agreementId"]), self.modules)
        for p in (1, 2):
            io = [self.inputs(f"io-hash/{p}/{m}") for m in range(len(self.modules))]
            T = io[0]["tokens"]
            X = [matrix(v["X"], T, "<i2") for v in io]
            Y = [matrix(v["Y"], T, "<i8") for v in io]
            session.add_pass(hex_bytes(io[0]["passSalt"]), X, Y)
            yield session, X, Y


def refusal(data):
    try:
        curve.decode_point(hex_bytes(data))
    except curve.PointError as error:
        return {"error": str(error)}
    return None


def checks(book):
    """(vector, what this client computes) pairs."""
    for name, vector in book.by_name.items():
        given = vector["inputs"]
        if name.startswith("tag/"):
            yield name, formats.tag(given["text"].removeprefix("deltapay/1/"))
        elif name.startswith("u32/"):
            yield name, formats.u32(given["value"])
        elif name.startswith("point/refused/"):
            yield name, refusal(given["bytes"])
        elif name.startswith("scales-hash/"):
            raw = b"".join(struct.pack("<d", float(value)) for value in given["b"].split())
            yield name, formats.sha("scales", hex_bytes(given["scaleSalt"]), formats.u32(given["m"]), raw)
        elif name.startswith("eip712/"):
            kind, domain = name[7:], messages.Domain(int(given["chainId"]), given["escrow"])
            account = Account.from_key(given["privateKey"])
            output = vector["output"]
            yield name, {
                **output,
                "structHash": domain.struct_hash(kind, given["message"]),
                "digest": domain.digest(kind, given["message"]),
                "signer": account.address.lower(),
                "signature": domain.sign(kind, given["message"], account),
            }
    G = curve.GENERATOR
    yield "point/generator", curve.encode_point(G)
    yield "point/minus-generator", curve.encode_point(curve.combine([-1], [G]))
    yield "point/37-generator", curve.encode_point(curve.combine([37], [G]))
    given = book.inputs("xof")
    yield "xof", {**book.output("xof"), "integers": " ".join(map(str, formats.xof(hex_bytes(given["seed"]), given["n"])))}
    given = book.inputs("wide")
    yield "wide", str(formats.wide("commit-blind", *map(hex_bytes, given["fields"])))
    yield "key/vk-hash", book.key.vk_hash
    yield "manifest/hash", hashlib.sha256(book.output("manifest/bytes")["text"].encode()).digest()
    given = book.inputs("quantise/activations")
    x = np.array([float(value) for value in given["x"].split()]).reshape(given["tokens"], -1)
    X, _ = formats.quantise(x)
    yield "quantise/activations", {**book.output("quantise/activations"), "X": " ".join(map(str, X.ravel()))}
    given = book.inputs("adapter-id")
    raw = {k: hex_bytes(given[k]) for k in ("manifestHash", "verifierCodeHash", "salt")}
    yield "adapter-id", messages.adapter_id(
        int(given["chainId"]), given["registry"], given["contributor"], raw["manifestHash"], given["verifier"],
        raw["verifierCodeHash"], given["groups"], raw["salt"],
    )
    given = book.inputs("agreement-id")
    yield "agreement-id", messages.agreement_id(
        int(given["chainId"]), given["escrow"], given["buyer"], hex_bytes(given["offerHash"]), given["signer"],
        *(int(given[k]) for k in ("amount", "deadline", "nonce")),
    )
    given = book.inputs("call/open")
    yield "call/open", messages.open_call(
        given["offer"], hex_bytes(given["signature"]), given["signer"], *(int(given[k]) for k in ("amount", "deadline", "nonce"))
    )
    yield from session_checks(book)


def session_checks(book):
    yield "head/0", formats.sha("transcript", hex_bytes(book.inputs("head/0")["agreementId"]))
    formats.read_scales(hex_bytes(book.output("wire/scales")), book.modules)
    for session, X, Y in book.session():
        yield f"head/{session.passes}", session.head
        for m in range(len(book.modules)):
            weights = formats.xof(formats.sha("fold", session.head, formats.u32(m)), len(X[m]))
            yield f"fold-weights/{session.passes}/{m}", " ".join(map(str, weights))
    for m, (x_bar, y_bar) in enumerate(zip(session.x_bar, session.y_bar)):
        yield f"fold/{m}", {"xBar": " ".join(map(str, x_bar)), "yBar": " ".join(map(str, y_bar))}
    yield "delta", " ".join(map(str, session.delta()))
    V = session.statements(book.key, book.manifest["groups"])
    for g, point in enumerate(V):
        yield f"statement-blind/{g}", str(session.statement_blind(g))
        yield f"statement/{g}", curve.encode_point(point)
    yield "statements-hash", formats.statements_hash(V)


def plain(value):
    """Bytes as the vectors write them."""
    if isinstance(value, (bytes, bytearray)):
        return "0x" + bytes(value).hex()
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def check(file):
    book = Book(file)
    wrong = count = 0
    for name, value in checks(book):
        count += 1
        if plain(value) != book.output(name):
            wrong += 1
            print(f"{name}: differs")
    print(f"{count} vectors, {wrong} differ")
    return 1 if wrong else 0
