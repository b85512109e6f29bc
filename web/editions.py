"""Editions of revocation list files: the octets that lie there now, with the validators and times HTTP needs."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from domain import der

_Identity = tuple[int, int, int, int]
_FORMS = {der.UTC_TIME: "%y%m%d%H%M%SZ", der.GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}


@dataclass(frozen=True, slots=True)
class Edition:
    """One list as it was read. `digest` is the SHA-256 of `octets` in hex."""

    octets: bytes
    digest: str
    this_update: datetime
    next_update: datetime


class Editions:
    """The lists of a directory. Files are replaced by renaming, so one opening sees one edition from end to end.

    The octets are read each time (the system keeps them in memory); what was worked out about them is kept for as
    long as the file is the same one (device, inode, size, time).
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._kept: dict[str, tuple[_Identity, str, datetime, datetime]] = {}

    def find(self, path: str) -> Edition | None:
        """The edition at `path`, such as `signature-g1/13221.crl`, or None. The caller vouches for the path's form."""
        try:
            with (self._directory / path).open("rb") as file:
                stat = os.fstat(file.fileno())
                octets = file.read()
        except FileNotFoundError:
            return None
        identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        kept = self._kept.get(path)
        if kept is None or kept[0] != identity:
            kept = (identity, hashlib.sha256(octets).hexdigest(), *update_times(octets))
            self._kept[path] = kept
        return Edition(octets, *kept[1:])


def update_times(crl: bytes) -> tuple[datetime, datetime]:
    """thisUpdate and nextUpdate of a CertificateList (RFC 5280 §5.1) that this authority wrote. Raises DerError.

    Nothing behind them is read: a list may have very many entries.
    """
    start, end = der.only(crl, der.SEQUENCE)
    start, end = der.expect(crl, der.SEQUENCE, start, end)
    moments = []
    for tag, _, at, stop in der.elements(crl, start, end):
        if tag in _FORMS:
            # strptime reads two-digit years to 68 as 20xx; from 2050 on lists have GeneralizedTime.
            moments.append(datetime.strptime(crl[at:stop].decode("ascii"), _FORMS[tag]).replace(tzinfo=UTC))
            if len(moments) == 2:
                return moments[0], moments[1]
    raise der.DerError("a list has no thisUpdate or nextUpdate")
