"""Residents with keys of their own who ask for their ledger."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ca.authority import Authority
from domain.applications import IssuedPair
from domain.certificates import IssuerId, Kind
from domain.serial import SerialNumber
from provisions.disclosure import DisclosureOffice, content_of
from tests.support.house import House
from tests.support.people import serial_of
from tests.support.provisions import MASTER
from tests.support.requests import holder_key, make_request
from tests.support.signers import PrivateKey


@dataclass(frozen=True)
class Holder:
    """A resident's pair, and the keys of it."""

    pair: IssuedPair
    keys: Mapping[Kind, PrivateKey]

    def certificate(self, kind: Kind = Kind.AUTHENTICATION) -> bytes:
        return self.pair.certificates[kind]

    def sign(self, challenge: str, kind: Kind = Kind.AUTHENTICATION) -> bytes:
        """The answer to a challenge, as a card makes it."""
        return signed(self.keys[kind], content_of(challenge))


def signed(key: PrivateKey, content: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(content, ec.ECDSA(hashes.SHA384()))


def make_holder(house: House, number: int = 1, *, rsa_keys: bool = False) -> Holder:
    """Resident `number` has a pair, of either generation."""
    keys: dict[Kind, PrivateKey] = {}
    for place, kind in enumerate(Kind):
        if rsa_keys:
            keys[kind] = holder_key("rsa", 2 * number + place)
        else:
            keys[kind] = ec.derive_private_key(serial_of(f"holder {number} {kind}").value, ec.SECP384R1())
    pair = house.issue(number, {kind: make_request(key=key) for kind, key in keys.items()})
    return Holder(pair, keys)


def serials_of(house: House, resident: int) -> dict[Kind, tuple[IssuerId, SerialNumber]]:
    """The resident's certificates by kind, one of each."""
    with house.begin(write=False) as work:
        return {row.kind: (row.issuer, row.serial) for row in work.certificates.of_resident(resident)}


def make_office(house: House, **changes: Any) -> DisclosureOffice:
    """What shows the residents of a house their ledger."""
    authority: Authority = house.authority
    values: dict[str, Any] = {
        "begin": house.begin,
        "clock": house.clock,
        "random": os.urandom,
        "sealer": authority.sealer,
        "master": MASTER,
        "issuers": (IssuerId("authentication-g1"), IssuerId("authentication-g2")),
    }
    return DisclosureOffice(**values | changes)
