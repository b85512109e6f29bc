"""Scan filters for tests: small, signed by a key of the tests, good for a month."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.scan_filters import ScanKey
from keys.algorithms import public_octets
from scan.container import ScanFilter, write_filter
from scan.making import make_filter
from tests.support.authority import NOW

KEY = bytes(range(32))
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SCAN_KEY = ScanKey(KEY, public_octets(SIGNING_KEY.public_key()))
MONTH = timedelta(days=30)


def make_scan_filter(serials: bytes, **changes: object) -> ScanFilter:
    """A filter of all the serials, each of them in every hash."""
    values: dict[str, object] = {
        "key": KEY,
        "made": NOW,
        "expires": NOW + MONTH,
        "random": Random(8).randbytes,
        "hashes": 4 * len(serials) // 16 * 600,
    }
    return make_filter("audit-1", serials, **values | changes)  # type: ignore[arg-type]


def keep_scan_filter(path: Path, made: ScanFilter, key: bytes = KEY) -> Path:
    """The filter in a file."""
    with path.open("wb") as file:
        write_filter(file, made, key, SIGNING_KEY.sign)
    return path
