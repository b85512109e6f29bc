"""Keys and tags of the ledger: what a line is found by and opened with, by whoever knows whom it is about."""

from __future__ import annotations

import hmac
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.certificates import IssuerId
from domain.provisions import ASKED_OCTETS, FILTER_SUBJECT

_FILING = b"jpki provisions filing\x00"
_EPOCHS = b"jpki ledger epochs\x00"
_TAG = b"jpki ledger tag\x00"
_LINE = b"jpki ledger line\x00"
_TAG_OCTETS = 16
_NONCE = 12

Subject = tuple[IssuerId, bytes]
"""What records are about: the issuer, and the octets of a serial or the area of a list, filled up with zeros to 16."""


def filing_key(master: bytes) -> bytes:
    """The private key (X25519) that files records, from the secret of the state directory."""
    return hmac.digest(master, _FILING, "sha256")


def epoch_of(moment: datetime) -> str:
    """The month (UTC) in whose part of the ledger a record stands."""
    return f"{moment:%Y-%m}"


def list_subject(issuer: IssuerId, area: str) -> Subject:
    """The subject of a list; `area` is `ca` or five digits."""
    return issuer, area.encode().ljust(ASKED_OCTETS, b"\0")


def filter_subject(issuer: IssuerId) -> Subject:
    """The subject of the filters of an issuer."""
    return issuer, FILTER_SUBJECT.ljust(ASKED_OCTETS, b"\0")


def seal_epoch(master: bytes, epoch: str, key: bytes, nonce: bytes) -> bytes:
    """The key of a month as the database keeps it; `nonce` are 12 octets that were never used."""
    return nonce + AESGCM(hmac.digest(master, _EPOCHS, "sha256")).encrypt(nonce, key, epoch.encode())


def open_epoch(master: bytes, epoch: str, sealed: bytes) -> bytes:
    """The key of a month. Raises ValueError when it was sealed with another secret."""
    try:
        cipher = AESGCM(hmac.digest(master, _EPOCHS, "sha256"))
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], epoch.encode())
    except InvalidTag:
        raise ValueError("the key of this month was sealed with another secret") from None


def tag_of(epoch_key: bytes, subject: Subject) -> bytes:
    """16 octets by which the lines of a month about `subject` are found. Tags of two months have nothing in common."""
    return hmac.digest(epoch_key, _TAG + _octets(subject), "sha256")[:_TAG_OCTETS]


def seal_line(epoch_key: bytes, subject: Subject, content: bytes, nonce: bytes) -> bytes:
    """A line as the ledger keeps it; `nonce` are 12 octets that were never used for this subject."""
    return nonce + _cipher(epoch_key, subject).encrypt(nonce, content, None)


def open_line(epoch_key: bytes, subject: Subject, sealed: bytes) -> bytes:
    """What a line says. Raises ValueError when it is about somebody else, or was changed."""
    try:
        return _cipher(epoch_key, subject).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except InvalidTag:
        raise ValueError("this line was not sealed for this subject") from None


def _cipher(epoch_key: bytes, subject: Subject) -> AESGCM:
    return AESGCM(hmac.digest(epoch_key, _LINE + _octets(subject), "sha256"))


def _octets(subject: Subject) -> bytes:
    issuer, asked = subject
    return issuer.encode() + b"\0" + asked
