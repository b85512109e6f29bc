"""Making a scan filter from the serials of an authority."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from domain.ports import RandomSource
from domain.serial import OCTETS
from scan.container import ScanFilter, ScanLabel
from scan.digest import WIDTHS, Digester, Part, halves
from scan.hashed import Recipe, hashed, plain_recipes, salted_recipes
from scan.table import DigestTable

SALT_OCTETS = 16
HASHES = 16_000_000
"""How many hashes a filter holds unless somebody says otherwise: some 100 MB, and half a minute of work."""


def make_filter(
    audit: str,
    serials: bytes,
    *,
    key: bytes,
    made: datetime,
    expires: datetime,
    random: RandomSource,
    hashes: int = HASHES,
    salts: Sequence[bytes] = (),
) -> ScanFilter:
    """A filter of the serials (16 octets each, side by side, each once). Three quarters of the `hashes` are common
    ones, of as many certificates as that is enough for; the others are rarer and salted ones."""
    salt = random(SALT_OCTETS)
    digester = Digester(key, salt)
    first, last = halves(serials)
    order = np.argsort(digester.digests(Part.FIRST, first)[:, 0])  # which are hashed is left to the key
    rows = np.frombuffer(serials, np.uint8).reshape(-1, OCTETS)[order]
    plain, salted = plain_recipes(), salted_recipes(salts)
    chosen = {
        Part.HASH: (plain, min(len(rows), hashes * 3 // 4 // len(plain))),
        Part.SALTED: (salted, min(len(rows), hashes // 4 // len(salted))),
    }
    tables = {
        Part.FIRST: DigestTable.of(digester.digests(Part.FIRST, first), WIDTHS[Part.FIRST]),
        Part.LAST: DigestTable.of(digester.digests(Part.LAST, last), WIDTHS[Part.LAST]),
    }
    for part, (recipes, count) in chosen.items():
        values = np.fromiter(_hashed(rows[:count].tobytes(), recipes), np.uint64)
        tables[part] = DigestTable.of(digester.digests(part, values), WIDTHS[part])
    label = ScanLabel(audit, made, expires, len(rows), chosen[Part.HASH][1], chosen[Part.SALTED][1], salt)
    return ScanFilter(label, tables)


def _hashed(serials: bytes, recipes: Sequence[Recipe]) -> Iterable[int]:
    return hashed(serials, recipes)
