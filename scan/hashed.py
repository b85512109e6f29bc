"""Hashes of serials that anybody can make: written forms, functions, common salts."""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from domain.serial import OCTETS

Hash = Callable[[bytes], bytes]
Recipe = Callable[[bytes], bytes]
"""From the 16 octets of a serial to the first eight octets of a hash."""


def _new(name: str) -> Hash:
    return lambda octets: hashlib.new(name, octets, usedforsecurity=False).digest()


HASHES: dict[str, Hash] = {
    name: _new(name) for name in ("sha256", "sha1", "md5", "sha512", "sha384", "sha224", "sha3_256", "blake2b")
}
COMMON_HASHES = ("sha256", "sha1", "md5", "sha512")

_UUID = struct.Struct("4s2s2s2s6s")

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "hex, small": lambda octets: octets.hex().encode(),
    "hex, capital": lambda octets: octets.hex().upper().encode(),
    "decimal": lambda octets: str(int.from_bytes(octets)).encode(),
    "octets": lambda octets: octets,
    "hex with colons, small": lambda octets: octets.hex(":").encode(),
    "hex with colons, capital": lambda octets: octets.hex(":").upper().encode(),
    "hex with 0x": lambda octets: b"0x" + octets.hex().encode(),
    "DER integer": lambda octets: bytes((2, OCTETS)) + octets,
    "UUID": lambda octets: b"-".join(part.hex().encode() for part in _UUID.unpack(octets)),
    "base64": b64encode,
    "hex, and a line feed": lambda octets: octets.hex().encode() + b"\n",
    "decimal, and a line feed": lambda octets: str(int.from_bytes(octets)).encode() + b"\n",
}
COMMON_FORMS = ("hex, small", "hex, capital", "decimal", "octets")

SALTS = (b"salt", b"pepper", b"secret", b"jpki", b"serial", b"password", b"changeme", b"test", b"1234")
"""What people write who were told to add a salt."""


def plain_recipes() -> list[Recipe]:
    """Common functions over common forms, without a salt."""
    return [partial(_plain, HASHES[name], FORMS[form]) for name in COMMON_HASHES for form in COMMON_FORMS]


def salted_recipes(salts: Sequence[bytes] = ()) -> Sequence[Recipe]:
    """The rarer functions and forms without a salt; common ones with a salt before or behind, or as the key of HMAC."""
    rare: list[Recipe] = [
        partial(_plain, function, make)
        for name, function in HASHES.items()
        for form, make in FORMS.items()
        if name not in COMMON_HASHES or form not in COMMON_FORMS
    ]
    return rare + [
        partial(_salted, how, salt, name, FORMS[form])
        for salt in (*salts, *SALTS)
        for how in ("before", "behind", "hmac")
        for name in COMMON_HASHES
        for form in COMMON_FORMS
    ]


def hashed(serials: bytes | memoryview, recipes: Sequence[Recipe]) -> Iterator[int]:
    """The first eight octets, as a number, of every hash of each of these serials of 16 octets, side by side."""
    for start in range(0, len(serials), OCTETS):
        octets = bytes(serials[start : start + OCTETS])
        for recipe in recipes:
            yield int.from_bytes(recipe(octets))


def _plain(function: Hash, form: Callable[[bytes], bytes], octets: bytes) -> bytes:
    return function(form(octets))[:8]


def _salted(how: str, salt: bytes, name: str, form: Callable[[bytes], bytes], octets: bytes) -> bytes:
    text = form(octets)
    if how == "hmac":
        return hmac.digest(salt, text, name)[:8]
    return HASHES[name](salt + text if how == "before" else text + salt)[:8]
