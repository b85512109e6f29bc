"""A responder over an in-memory status lookup, and the requests to ask it with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from domain import der, oids
from domain.certificates import Issuer, IssuerId, Kind
from domain.ports import Clock, StatusLookup, Steady
from domain.provisions import Provision, Record
from domain.serial import SerialNumber
from domain.status import UNKNOWN, CertificateStatus
from ocsp.delegation import delegate
from ocsp.responder import Responder, ResponderKey
from policies.admission import Admit, Admitted, Requestor
from policies.ocsp import OcspPolicy
from tests.support.authority import NOW, make_issuer, make_responder_certificate
from tests.support.signers import PrivateKey, responder_signer

OPEN = OcspPolicy(access="open")
NULL = der.tlv(der.NULL)
HASH_OIDS = {"sha1": oids.SHA1, "sha256": oids.SHA256, "sha384": oids.SHA384, "sha512": oids.SHA512}
GENERATIONS = tuple((kind, generation) for generation in ("g1", "g2") for kind in Kind)


class Unhurried:
    """A `StatusLookup` without an answer to quick questions."""

    def good_at(self, _issuer: IssuerId, _now: datetime, _until: int) -> Callable[[bytes], bool]:
        return lambda _: False


@dataclass
class Statuses:
    """The `StatusLookup` port over a dict; it keeps what it was asked."""

    known: dict[tuple[IssuerId, SerialNumber], CertificateStatus] = field(default_factory=dict)
    asked: list[SerialNumber] = field(default_factory=list)

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        self.asked.append(serial)
        return self.known.get((issuer, serial), UNKNOWN)

    def good_at(self, issuer: IssuerId, now: datetime, _until: int) -> Callable[[bytes], bool]:
        def good(serial: bytes) -> bool:
            if self.known.get((issuer, SerialNumber.of(serial)), UNKNOWN).at(now).word != "good":
                return False
            self.asked.append(SerialNumber.of(serial))
            return True

        return good


def admit_all(requestor: Requestor, kind: Kind, now: datetime) -> Admitted:
    """The `Admit` callable of an open responder."""
    return Admitted()


def forget(provision: Provision) -> None:
    """The `Record` callable of a responder whose answers nobody asks about."""


def make_responder_key(kind: Kind = Kind.SIGNATURE, generation: str = "g1") -> ResponderKey:
    """The key that answers for one issuer, valid from `NOW` on."""
    return delegate(
        make_issuer(kind, generation),
        make_responder_certificate(kind, generation),
        responder_signer(kind.value, generation),
    )


def make_responder(
    statuses: Mapping[tuple[IssuerId, SerialNumber], CertificateStatus] | None = None,
    *,
    lookup: StatusLookup | None = None,
    policy: OcspPolicy = OPEN,
    admit: Admit = admit_all,
    clock: Clock = lambda: NOW,
    keys: Iterable[ResponderKey] | None = None,
    record: Record = forget,
    steady: Steady | None = None,
) -> Responder:
    """A responder for all four issuers whose clock stands at `NOW`; it knows `statuses`, or asks `lookup`. A second of
    `steady` goes by whenever it is asked, so that no answer shares anything with one before."""
    if keys is None:
        keys = [make_responder_key(kind, generation) for kind, generation in GENERATIONS]
    return Responder(
        {key.issuer.id: key for key in keys},
        lookup or Statuses(dict(statuses or {})),
        policy,
        admit,
        clock,
        steady or count(10**9, 10**9).__next__,
        record,
    )


def make_cert_id(
    serial: SerialNumber | int, issuer: Issuer | None = None, algorithm: str = "sha1", parameters: bytes = NULL
) -> bytes:
    """A CertID (DER) for a certificate of `issuer` (signature-g1 unless told)."""
    issuer = issuer or make_issuer()
    return der.sequence(
        der.sequence(der.oid(HASH_OIDS[algorithm]), parameters),
        der.octet_string(hashlib.new(algorithm, issuer.subject).digest()),
        der.octet_string(hashlib.new(algorithm, issuer.public_key).digest()),
        der.integer(serial.value if isinstance(serial, SerialNumber) else serial),
    )


def make_extension(oid: str, value: bytes, critical: bool = False) -> bytes:
    """An Extension (DER) around the octets of its value."""
    return der.sequence(der.oid(oid), der.boolean(True) if critical else b"", der.octet_string(value))


def make_tbs_request(
    *cert_ids: bytes, nonce: bytes | None = None, name: bytes = b"", extensions: tuple[bytes, ...] = ()
) -> bytes:
    """A TBSRequest (DER); `name` is a GeneralName (DER)."""
    if nonce is not None:
        extensions = (make_extension(oids.OCSP_NONCE, der.octet_string(nonce)), *extensions)
    return der.sequence(
        der.explicit(1, name) if name else b"",
        der.sequence(*(der.sequence(cert_id) for cert_id in cert_ids)),
        der.explicit(2, der.sequence(*extensions)) if extensions else b"",
    )


def make_ocsp_request(*cert_ids: bytes, nonce: bytes | None = None) -> bytes:
    """An unsigned OCSPRequest (DER)."""
    return der.sequence(make_tbs_request(*cert_ids, nonce=nonce))


def sign_ocsp_request(
    tbs: bytes, key: PrivateKey, *certificates: bytes, algorithm: bytes | None = None, hash_: str = "sha256"
) -> bytes:
    """The OCSPRequest (DER) signed with SHA-256, or with `hash_` and the AlgorithmIdentifier that goes with it."""
    hasher: hashes.HashAlgorithm = getattr(hashes, hash_.upper())()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(tbs, padding.PKCS1v15(), hasher)
        algorithm = algorithm or der.sequence(der.oid(oids.SHA256_WITH_RSA), NULL)
    else:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        signature = key.sign(tbs, ec.ECDSA(hasher))
        algorithm = algorithm or der.sequence(der.oid(oids.ECDSA_WITH_SHA256))
    certs = der.explicit(0, der.sequence(*certificates)) if certificates else b""
    return der.sequence(tbs, der.explicit(0, der.sequence(algorithm, der.bit_string(signature), certs)))
