"""From linted octets to a signed object: the only way a certificate or a list comes to be."""

from __future__ import annotations

from domain import der
from domain.errors import Code, Refusal
from domain.ports import Signer


class LintedTbs:
    """TBS octets that a linter passed, good for one signature."""

    def __init__(self, tbs: bytes) -> None:
        self._tbs: bytes | None = tbs

    def redeem(self) -> bytes:
        """The octets, once; a second call raises RuntimeError."""
        tbs, self._tbs = self._tbs, None
        if tbs is None:
            raise RuntimeError("these octets were signed already")
        return tbs


def sign_once(linted: LintedTbs, signer: Signer) -> bytes:
    """The finished Certificate or CertificateList (DER). RFC 5280 §4.1, §5.1.

    Raises Refusal(LINT) when the TBS names another signature algorithm than the signer's.
    """
    tbs = linted.redeem()
    if signer.algorithm not in tbs:
        raise Refusal(Code.LINT, "the to-be-signed octets name another signature algorithm than the signer's")
    return assemble(tbs, signer.algorithm, signer.sign(tbs))


def assemble(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """SEQUENCE { tbs, algorithm, BIT STRING signature }."""
    return der.sequence(tbs, algorithm, der.bit_string(signature))
