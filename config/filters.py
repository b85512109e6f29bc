"""Filters as files: how they are made with a class's key, and what a verifier opens to check certificates offline."""

from __future__ import annotations

import math
from datetime import datetime
from functools import cache, partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.assemble import Services
from config.document import Secret
from config.files import alone, read_file, read_keys, replace_keys, replace_public, write_private
from domain.code_keys import FIRST
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.gauges import Gauge
from domain.serial import SerialNumber
from domain.standings import Standing
from filters.checker import FilterChecker, Verdict
from filters.container import FilterFile, read_filter
from filters.publish import ClassKey, FilterOffice, publish_filters
from filters.shelf import Shelf
from keys.algorithms import verify

_KEY_OCTETS = 32
CLASSES = tuple(standing.value for standing in Standing if standing.through is None)
"""Classes of verifiers that filters are made for: those of a standing who ask for themselves."""


def shelf_of(services: Services) -> Shelf:
    """The folder of filters."""
    return _shelf(services.settings.state / "filters")


@cache
def _shelf(folder: Path) -> Shelf:
    return Shelf(folder)


def filter_office(services: Services) -> FilterOffice:
    """What makes the filters of a state directory."""
    folder = services.settings.state / "filters"
    return FilterOffice(
        issuers=services.issuers,
        signers=services.issuer_signers,
        key_of=partial(class_key, services.settings.state),
        begin=services.begin,
        clock=services.clock,
        random=services.random,
        shelf=shelf_of(services),
        write=lambda name, octets: replace_public(folder / name, octets),
        lifetime=services.settings.crl.lifetime,
        holder=services.publisher.holder,
    )


def make_class_key(services: Services, verifiers: str, *, anew: bool = False) -> Path:
    """A new key for a class of verifiers. With `anew` it takes the place of the one there is, which opens no filter
    that is made from now on.

    Raises Refusal(MALFORMED) for a class that is none, Refusal(ALREADY_APPLIED) for a class that has a key,
    Refusal(NOT_FOUND) where there is none to be replaced.
    """
    state = services.settings.state
    path = _key_path(state, verifiers)
    with alone(state):
        if anew:
            last = max(_keys_of(path, verifiers))
            replace_keys(path, {last + 1: services.random(_KEY_OCTETS)})
        elif path.exists():
            raise Refusal(Code.ALREADY_APPLIED, f"the class {verifiers} has its key already: {path.name}")
        else:
            write_private(path, services.random(_KEY_OCTETS).hex().encode() + b"\n")
    return path


def class_key(state: Path, verifiers: str) -> ClassKey:
    """The key of a class. Raises Refusal(NOT_FOUND) for a class that has no key yet."""
    keys = _keys_of(_key_path(state, verifiers), verifiers)
    last = max(keys)
    return ClassKey(verifiers if last == FIRST else f"{verifiers}.{last}", keys[last])


def publish_due_filters(services: Services) -> list[str]:
    """Make the filters that are due, of every class that has a key; their names. Raises as `publish_filters` does."""
    office = filter_office(services)
    classes = [word for word in CLASSES if _key_path(services.settings.state, word).exists()]
    return [name for word in classes for name in publish_filters(office, word, due=True)]


def filter_gauges(services: Services) -> tuple[Gauge, ...]:
    """For each class that has a key: the largest share of a filter's validity that is gone, without end where one is
    missing. Past half of it nobody makes filters."""
    now, shelf, used = services.clock(), shelf_of(services), dict[str, float]()
    living = [issuer.id for issuer in services.issuers.values() if not issuer.validity.ended(now)]
    for word in CLASSES:
        if not _key_path(services.settings.state, word).exists():
            continue
        for issuer in living:
            base, delta = shelf.pair(word, issuer)
            label = (delta or base).label if base is not None else None
            share = (now - label.this_update) / (label.next_update - label.this_update) if label else math.inf
            used[word] = max(used.get(word, 0.0), share)
    meaning = "Largest share of a filter's validity that is gone; 1 is its end"
    values = tuple(((("class", word),), share) for word, share in used.items())
    return (Gauge("jpki_filter_validity_used", meaning, values),) if used else ()


def _keys_of(path: Path, verifiers: str) -> dict[int, bytes]:
    if not path.exists():
        raise Refusal(
            Code.NOT_FOUND, f"there is no class of verifiers {verifiers}; make its key with: jpki filters key"
        )
    return read_keys(Secret(file=path))


def _key_path(state: Path, verifiers: str) -> Path:
    if verifiers not in CLASSES:
        raise Refusal(Code.MALFORMED, f"a class of verifiers is one of {', '.join(CLASSES)}")
    return state / "secrets" / f"filter-{verifiers}.key"


def check_certificate(
    certificate: Path, *, key: Path, issuer: Path, base: Path, delta: Path | None, now: datetime
) -> tuple[Verdict, datetime]:
    """What the filters in these files say of a certificate, and as of when. Certificates are PEM or DER.

    Raises Refusal(MALFORMED) with the name of a file that is not what it should be, Refusal(FOREIGN_ISSUER) for a
    certificate of another issuer, and what `FilterChecker` raises.
    """
    holder, authority = _certificate(certificate), _certificate(issuer)
    spki = authority.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    checker = FilterChecker(
        _key(key), _filter(base), _filter(delta) if delta else None, lambda *parts: verify(spki, *parts)
    )
    serial = SerialNumber.known(holder.serial_number)
    if serial is None or not _issued_by(holder, authority):
        raise Refusal(Code.FOREIGN_ISSUER, f"{certificate.name} is not a certificate of this issuer")
    return checker.check(serial, holder.not_valid_before_utc, now), checker.newest.this_update


def _issued_by(holder: x509.Certificate, authority: x509.Certificate) -> bool:
    """By the key: generations of an authority share a name."""
    try:
        holder.verify_directly_issued_by(authority)
    except Exception:
        return False
    return True


def _key(path: Path) -> bytes:
    """The key in the authority's file, or in one that a verifier keeps: 64 hex digits, behind a colon perhaps."""
    try:
        key = bytes.fromhex(read_file(path).decode("ascii").strip().rpartition(":")[2])
    except ValueError:
        key = b""
    if len(key) != _KEY_OCTETS:
        raise Refusal(Code.MALFORMED, f"{path.name} is not a key of a class of verifiers: want 64 hex digits")
    return key


def _filter(path: Path) -> FilterFile:
    try:
        return read_filter(read_file(path))
    except DerError as error:
        raise Refusal(Code.MALFORMED, f"{path.name} is no filter: {error}") from None


def _certificate(path: Path) -> x509.Certificate:
    octets = read_file(path)
    load = x509.load_pem_x509_certificate if octets.startswith(b"-----") else x509.load_der_x509_certificate
    try:
        return load(octets)
    except ValueError:
        raise Refusal(Code.MALFORMED, f"{path.name} is no certificate in PEM or DER") from None
