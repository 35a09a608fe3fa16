"""G1 of BN254 (docs/protocol.md, section 1): points, checks and linear combinations, in plain Python.

A point is a pair (x, y); infinity, which no message may hold, is None. Sums run in Jacobian coordinates.
"""

Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583
P = 21888242871839275222246405745257275088548364400416034343698204186575808495617
GENERATOR = (1, 2)


class PointError(ValueError):
    """A point that the protocol refuses; the text is the error code of the document's vectors."""


def decode_point(data):
    """64 bytes x | y, big-endian; on the curve and not infinity."""
    if len(data) != 64:
        raise PointError("point/bad-length")
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
    if x >= Q or y >= Q:
        raise PointError("point/not-canonical")
    if x == 0 and y == 0:
        raise PointError("point/infinity")
    if (y * y - x * x * x - 3) % Q:
        raise PointError("point/off-curve")
    return x, y


def encode_point(point):
    x, y = point
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def decode_points(data):
    if len(data) % 64:
        raise PointError("point/bad-length")
    return [decode_point(data[i : i + 64]) for i in range(0, len(data), 64)]


def double(a):
    X, Y, Z = a
    if not Z:
        return a
    yy = Y * Y % Q
    s = 4 * X * yy % Q
    m = 3 * X * X % Q
    x = (m * m - 2 * s) % Q
    return x, (m * (s - x) - 8 * yy * yy) % Q, 2 * Y * Z % Q


def add(a, b):
    """Jacobian sum; Z = 0 is infinity."""
    if not a[2]:
        return b
    if not b[2]:
        return a
    (X1, Y1, Z1), (X2, Y2, Z2) = a, b
    zz1, zz2 = Z1 * Z1 % Q, Z2 * Z2 % Q
    u1, u2 = X1 * zz2 % Q, X2 * zz1 % Q
    s1, s2 = Y1 * Z2 * zz2 % Q, Y2 * Z1 * zz1 % Q
    h, r = (u2 - u1) % Q, (s2 - s1) % Q
    if not h:
        return double(a) if not r else (1, 1, 0)
    hh = h * h % Q
    hhh = h * hh % Q
    v = u1 * hh % Q
    x = (r * r - hhh - 2 * v) % Q
    return x, (r * (v - x) - s1 * hhh) % Q, Z1 * Z2 * h % Q


def affine(a):
    X, Y, Z = a
    if not Z:
        return None
    inverse = pow(Z, -1, Q)
    square = inverse * inverse % Q
    return X * square % Q, Y * square * inverse % Q


def combine(scalars, points):
    """sum scalars[i] * points[i] by buckets of 8 bits (Pippenger). Scalars are signed or mod P; None is infinity."""
    terms = []
    for scalar, (x, y) in zip(scalars, points, strict=True):
        short = scalar if -(2**253) < scalar < 2**253 else scalar % P
        if short:
            terms.append((abs(short), (x, y if short > 0 else Q - y, 1)))
    bits = max((scalar.bit_length() for scalar, _ in terms), default=0)
    total = (1, 1, 0)
    for shift in reversed(range(0, bits, 8)):
        for _ in range(8):
            total = double(total)
        buckets = {}
        for scalar, point in terms:
            digit = (scalar >> shift) & 255
            if digit:
                buckets[digit] = add(buckets[digit], point) if digit in buckets else point
        running = window = (1, 1, 0)
        for digit in range(255, 0, -1):
            if digit in buckets:
                running = add(running, buckets[digit])
            window = add(window, running)
        total = add(total, window)
    return affine(total)
