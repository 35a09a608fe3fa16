"""Hashes, encodings, files and the fold of docs/protocol.md, sections 1 to 8 and 11. Nothing here touches a file or a socket."""

import hashlib
import json
from dataclasses import dataclass, field

import numpy as np
from eth_abi import encode as abi_encode
from eth_utils import keccak

from curve import P, combine, decode_point, decode_points, encode_point


def tag(text):
    return ("deltapay/1/" + text).encode().ljust(32, b"\0")


def u32(value):
    return value.to_bytes(4, "little")


def sha(name, *fields):
    return hashlib.sha256(tag(name) + b"".join(fields)).digest()


def xof(seed, n):
    """n integers of 128 bits."""
    stream = hashlib.shake_256(seed).digest(16 * n)
    return [int.from_bytes(stream[i : i + 16], "little") for i in range(0, 16 * n, 16)]


def wide(name, *fields):
    return int.from_bytes(hashlib.shake_256(tag(name) + b"".join(fields)).digest(64), "little") % P


def keccak_of(name, types, values):
    return keccak(abi_encode(["bytes32", *types], [tag(name), *values]))


def hex_bytes(text, length=None):
    data = bytes.fromhex(text.removeprefix("0x"))
    if length is not None and len(data) != length:
        raise ValueError(f"{text}: expected {length} bytes")
    return data


class Reader:
    """Fixed fields of a file, one after another."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        if self.at + length > len(self.data):
            raise ValueError("the file is cut short")
        self.at += length
        return self.data[self.at - length : self.at]

    def u32(self):
        return int.from_bytes(self.take(4), "little")

    def scalars(self, n):
        values = [int.from_bytes(self.take(32), "little") for _ in range(n)]
        if any(value >= P for value in values):
            raise ValueError("a scalar is not below p")
        return values

    def end(self):
        if self.at != len(self.data):
            raise ValueError("bytes follow the file's end")


@dataclass
class Key:
    """The commit key file: what the buyer's side of a proof needs (section 3)."""

    size: int
    ic0: tuple
    bases: list  # I, H_0.., S_0.., Z
    vk_hash: bytes

    @property
    def H(self):
        return self.bases[1 : 1 + self.size]

    @property
    def S(self):
        return self.bases[1 + self.size : 1 + 2 * self.size]

    @property
    def Z(self):
        return self.bases[-1]


def read_key(data):
    r = Reader(data)
    if r.take(32) != tag("commit-key"):
        raise ValueError("not a commit key file")
    size = r.u32()
    r1cs, alpha, beta, gamma, delta = (r.take(n) for n in (32, 64, 128, 128, 128))
    ic0, bases = r.take(64), r.take(64 * (2 * size + 2))
    r.end()
    words = lambda data: [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]
    vk_hash = keccak_of(
        "verifying-key",
        ["uint256", "bytes32", "uint256", "uint256[2]", "uint256[4]", "uint256[4]", "uint256[4]", "uint256[2]", "bytes32"],
        [1, r1cs, size, words(alpha), words(beta), words(gamma), words(delta), words(ic0), keccak(bases)],
    )
    return Key(size, decode_point(ic0), decode_points(bases), vk_hash)


@dataclass
class Module:
    name: str
    d_in: int
    d_out: int
    r: int
    group: int
    scales_hash: bytes
    slot: int = 0
    CA: list = field(default_factory=list)
    CB: list = field(default_factory=list)


def read_manifest(data):
    """The manifest and its modules with their slots (sections 3 and 4); refuses any but the canonical bytes."""
    manifest = json.loads(data)
    if json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode() != data:
        raise ValueError("the manifest is not in canonical form")
    if manifest["protocol"] != 1:
        raise ValueError("the manifest is of another protocol")
    used = [0] * manifest["groups"]
    modules = []
    for entry in manifest["modules"]:
        d_in, d_out, r = entry["shape"]
        module = Module(entry["name"], d_in, d_out, r, entry["group"], hex_bytes(entry["scalesHash"], 32), used[entry["group"]])
        used[module.group] += r
        if y_max(r, d_in) >= 2**53:
            raise ValueError(f"{module.name}: the shape is too large")
        modules.append(module)
    if not all(0 < ranks <= manifest["keySize"] for ranks in used):
        raise ValueError("a group is empty, or larger than its key")
    return manifest, modules


def read_commitments(data, manifest, modules, key):
    """Reads every point into the modules and checks the proofs of knowledge (section 4)."""
    r = Reader(data)
    if r.take(32) != tag("commitments") or r.u32() != len(modules):
        raise ValueError("not the commitments of this manifest")
    raw = []
    for m in modules:
        raw.append((r.take(64 * m.d_in), r.take(64 * m.d_out)))
        m.CA, m.CB = decode_points(raw[-1][0]), decode_points(raw[-1][1])
    proofs = [(r.take(64), r.scalars(m.r + 1), r.take(64), r.scalars(m.r + 1)) for m in modules]
    r.end()
    seed = sha(
        "knowledge",
        manifest["chainId"].to_bytes(32, "little"),
        hex_bytes(manifest["registry"], 20),
        hex_bytes(manifest["vkHash"], 32),
        hex_bytes(manifest["contributor"], 20),
        hex_bytes(manifest["adapterSalt"], 32),
        u32(len(modules)),
        *(u32(value) for m in modules for value in (m.d_in, m.d_out, m.r, m.group, m.slot)),
        *(points for sides in raw for points in sides),
        *(T for T_A, _, T_B, _ in proofs for T in (T_A, T_B)),
    )
    stream = iter(xof(seed, sum(m.d_in + m.d_out for m in modules)))
    for m, (T_A, z_A, T_B, z_B) in zip(modules, proofs):
        for side, bases, commitments, T, z in (("A", key.H, m.CA, T_A, z_A), ("B", key.S, m.CB, T_B, z_B)):
            own = [*bases[m.slot : m.slot + m.r], key.Z]
            e = [next(stream) for _ in commitments]
            # the check as one sum that must be infinity
            if combine([*z, P - 1, *(P - value for value in e)], [*own, decode_point(T), *commitments]) is not None:
                raise ValueError(f"{m.name}: the proof of knowledge of {side} is wrong")


def y_max(r, d_in):
    return r * 127 * d_in * 127 * 32767


def read_scales(data, modules):
    """scaleSalt and the row scales b, each against its hash (section 2)."""
    r = Reader(data)
    salt = r.take(32)
    scales = []
    for index, m in enumerate(modules):
        raw = r.take(8 * m.d_out)
        if sha("scales", salt, u32(index), raw) != m.scales_hash:
            raise ValueError(f"{m.name}: the scales are not those of the manifest")
        b = np.frombuffer(raw, "<f8")
        if not np.all(np.isfinite(b)) or np.any(np.signbit(b)):
            raise ValueError(f"{m.name}: a scale is out of range")
        scales.append(b)
    r.end()
    return scales


def quantise(x):
    """Activations T x d_in to int16 and their scales (section 2)."""
    x = np.asarray(x, np.float64)
    if not np.all(np.isfinite(x)):
        raise ValueError("activations must be finite")
    sigma = np.abs(x).max(axis=1, keepdims=True) / 32767
    X = np.rint(np.divide(x, sigma, out=np.zeros_like(x), where=sigma > 0))
    return np.clip(X, -32767, 32767).astype("<i2"), sigma[:, 0]


def read_answers(data, tokens, modules):
    """Y of each module, checked: length and |y| <= Y_MAX."""
    if len(data) != 8 * tokens * sum(m.d_out for m in modules):
        raise ValueError("the answer has another length")
    answers, at = [], 0
    for m in modules:
        Y = np.frombuffer(data, "<i8", tokens * m.d_out, at).reshape(tokens, m.d_out)
        if np.any((Y > y_max(m.r, m.d_in)) | (Y < -y_max(m.r, m.d_in))):
            raise ValueError(f"{m.name}: an answer is out of range")
        answers.append(Y)
        at += 8 * Y.size
    return answers


class Session:
    """What a buyer keeps of its passes: head, sums and counts (section 7)."""

    def __init__(self, agreement_id, modules):
        self.modules = modules
        self.head = sha("transcript", agreement_id)
        self.passes = self.tokens = 0
        self.x_bar = [np.zeros(m.d_in, object) for m in modules]
        self.y_bar = [np.zeros(m.d_out, object) for m in modules]
        self.salt = b""

    def add_pass(self, salt, X, Y):
        """X[m]: T x d_in int16, Y[m]: T x d_out int64, of every module."""
        T = len(X[0])
        io = [
            sha("io", salt, u32(m), u32(T), X[m].astype("<i2").tobytes(), Y[m].astype("<i8").tobytes())
            for m in range(len(self.modules))
        ]
        self.head = sha("head", self.head, *io)
        for m in range(len(self.modules)):
            rho = np.array(xof(sha("fold", self.head, u32(m)), T), object)
            self.x_bar[m] = self.x_bar[m] + rho @ X[m].astype(object)
            self.y_bar[m] = self.y_bar[m] + rho @ Y[m].astype(object)
        self.passes, self.tokens, self.salt = self.passes + 1, self.tokens + T, salt

    def delta(self):
        return xof(sha("delta", self.head), sum(m.d_out for m in self.modules))

    def statement_blind(self, group):
        return wide("statement-blind", self.salt, self.head, u32(group))

    def statements(self, key, groups):
        """V of every group, from the commitments alone (section 8)."""
        delta, at, y_hat = self.delta(), 0, [0] * groups
        scalars, points = [[] for _ in range(groups)], [[] for _ in range(groups)]
        for m, x_bar, y_bar in zip(self.modules, self.x_bar, self.y_bar):
            own = delta[at : at + m.d_out]
            at += m.d_out
            y_hat[m.group] += sum(d * int(y) for d, y in zip(own, y_bar))
            scalars[m.group] += [int(x) for x in x_bar] + own
            points[m.group] += m.CA + m.CB
        return [
            combine(
                [1, y_hat[g] % P, *scalars[g], self.statement_blind(g)],
                [key.ic0, key.bases[0], *points[g], key.Z],
            )
            for g in range(groups)
        ]


def statements_hash(V):
    return keccak_of("statements", ["uint256[2][]"], [[list(point) for point in V]])


def statement_bytes(V):
    return b"".join(encode_point(point) for point in V)
