"""Key pairs inside a token: how they are made, and their public halves as others want them.

Attributes and mechanisms: OASIS PKCS #11 2.40, base specification §4 and current mechanisms §2.1, §2.3.
"""

from __future__ import annotations

import sys

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from domain import der
from keys.algorithms import public_octets
from keys.cryptoki import LABEL, Module, Value

KINDS = ("rsa-2048", "ec-p256", "ec-p384")

_TOKEN, _PRIVATE, _KEY_TYPE = 0x1, 0x2, 0x100
_ID, _SENSITIVE, _SIGN, _VERIFY, _EXTRACTABLE = 0x102, 0x103, 0x108, 0x10A, 0x162
_MODULUS, _MODULUS_BITS, _EXPONENT = 0x120, 0x121, 0x122
_EC_PARAMS, _EC_POINT = 0x180, 0x181
_RSA, _EC = 0x0, 0x3
_MAKE_RSA, _MAKE_EC = 0x0, 0x1040
# RFC 5480 §2.1.1.1.
_CURVES: dict[str, tuple[bytes, ec.EllipticCurve]] = {
    "ec-p256": (der.oid("1.2.840.10045.3.1.7"), ec.SECP256R1()),
    "ec-p384": (der.oid("1.3.132.0.34"), ec.SECP384R1()),
}


def make_pair(module: Module, session: int, label: str, kind: str) -> None:
    """Make a pair of a kind of `KINDS` in a session that writes; the private half can sign and not leave.

    Raises CryptokiError, and KeyError for another kind.
    """
    name: dict[int, Value] = {_TOKEN: True, LABEL: label.encode(), _ID: label.encode()}
    public: dict[int, Value] = {**name, _VERIFY: True}
    if kind == "rsa-2048":
        mechanism = _MAKE_RSA
        public |= {_MODULUS_BITS: 2048, _EXPONENT: (65537).to_bytes(3)}
    else:
        mechanism = _MAKE_EC
        public[_EC_PARAMS], _ = _CURVES[kind]
    private = {**name, _PRIVATE: True, _SENSITIVE: True, _EXTRACTABLE: False, _SIGN: True}
    module.make_pair(session, mechanism, public, private)


def public_of(module: Module, session: int, key: int) -> bytes:
    """SubjectPublicKeyInfo of a public key in a token, empty for a kind that is not used here. Raises CryptokiError."""
    kind = int.from_bytes(module.attribute(session, key, _KEY_TYPE), sys.byteorder)
    if kind == _RSA:
        exponent, modulus = (int.from_bytes(module.attribute(session, key, part)) for part in (_EXPONENT, _MODULUS))
        return public_octets(rsa.RSAPublicNumbers(exponent, modulus).public_key())
    curve = dict(_CURVES.values()).get(module.attribute(session, key, _EC_PARAMS)) if kind == _EC else None
    if curve is None:
        return b""
    point = module.attribute(session, key, _EC_POINT)
    if len(point) != 1 + 2 * (
        curve.key_size // 8
    ):  # as the standard has it, in an OCTET STRING; some tokens give the point alone
        start, end = der.only(point, der.OCTET_STRING)
        point = point[start:end]
    return public_octets(ec.EllipticCurvePublicKey.from_encoded_point(curve, point))
