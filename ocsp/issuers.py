"""Which of our issuers a CertID means: tables of name and key hashes, made once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from domain.certificates import Issuer, IssuerId
from domain.errors import Code, Refusal
from ocsp.request import CertId

ALGORITHMS: Final = ("sha1", "sha256", "sha384", "sha512")


class IssuerTable:
    """All key generations of all authorities by (hash algorithm, issuerNameHash, issuerKeyHash)."""

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        """Raises Refusal(BAD_CONFIGURATION) when two issuers have one name and key: no CertID could tell them apart."""
        self._issuers: dict[tuple[str | None, bytes, bytes], IssuerId] = {}
        for issuer in issuers:
            for algorithm in ALGORITHMS:
                # RFC 6960 §4.1.1: hashes over the issuer's subject DER and over the bits of its public key.
                key = (algorithm, _hash(algorithm, issuer.subject), _hash(algorithm, issuer.public_key))
                other = self._issuers.setdefault(key, issuer.id)
                if other != issuer.id:
                    raise Refusal(Code.BAD_CONFIGURATION, f"issuers {other} and {issuer.id} have the same name and key")

    def issuer_for(self, cert_id: CertId) -> IssuerId:
        """The issuer both of whose hashes `cert_id` has. Generations share the name and differ by key.

        Raises Refusal(FOREIGN_ISSUER) otherwise, also for a hash algorithm that is not known here.
        """
        issuer = self._issuers.get((cert_id.algorithm, cert_id.name_hash, cert_id.key_hash))
        if issuer is None:
            raise Refusal(Code.FOREIGN_ISSUER, "this responder does not answer for the certificate's issuer")
        return issuer

    def issuer_for_all(self, cert_ids: Iterable[CertId]) -> IssuerId:
        """The one issuer of all of them.

        Raises Refusal(FOREIGN_ISSUER) when they have several: a responder certificate speaks for the issuer that
        issued it and for no other (RFC 6960 §4.2.2.2), and an answer has one signature.
        """
        issuers = {self.issuer_for(cert_id) for cert_id in cert_ids}
        if len(issuers) > 1:
            raise Refusal(Code.FOREIGN_ISSUER, "the certificates have several issuers; send one request for each")
        return issuers.pop()


def _hash(algorithm: str, octets: bytes) -> bytes:
    return hashlib.new(algorithm, octets, usedforsecurity=False).digest()
