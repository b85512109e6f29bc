"""From linted octets to a signed object: the only way a certificate or a list comes to be."""

from __future__ import annotations

from domain import der
from domain.errors import Code, Refusal
from domain.ports import Signer

_SIGNATURE_FIELD = 64
"""The signature field ends within so many octets: a version and at most a serial stand before it."""


class LintedTbs:
    """TBS octets that a linter passed, good for one signature."""

    def __init__(self, tbs: bytes | memoryview) -> None:
        self._tbs: bytes | memoryview | None = tbs

    def redeem(self) -> bytes | memoryview:
        """The octets, once; a second call raises RuntimeError."""
        tbs, self._tbs = self._tbs, None
        if tbs is None:
            raise RuntimeError("these octets were signed already")
        return tbs


def sign_tbs(tbs: bytes | memoryview, signer: Signer, digest: bytes | None = None) -> bytes:
    """The signature over redeemed octets, whose `digest` may be known. Raises Refusal(LINT) when they name another
    signature algorithm than the signer's."""
    if signer.algorithm not in bytes(tbs[:_SIGNATURE_FIELD]):
        raise Refusal(Code.LINT, "the to-be-signed octets name another signature algorithm than the signer's")
    return signer.sign(tbs) if digest is None else signer.sign_digest(digest)


def sign_once(linted: LintedTbs, signer: Signer) -> bytes:
    """The finished Certificate or CertificateList (DER). RFC 5280 §4.1, §5.1. Raises as `sign_tbs` does."""
    tbs = linted.redeem()
    return assemble(bytes(tbs), signer.algorithm, sign_tbs(tbs, signer))


def assemble(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """SEQUENCE { tbs, algorithm, BIT STRING signature }."""
    return der.sequence(tbs, algorithm, der.bit_string(signature))
