"""Releases: why the entry of a hold may leave a list, or be followed by another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crl.diff import Said
from domain.certificates import IssuerId
from domain.holds import Release
from domain.ports import UnitOfWork
from domain.serial import SerialNumber


def releases_among(
    work: UnitOfWork, issuer: IssuerId, entries: Mapping[bytes, Said]
) -> Iterator[tuple[bytes, Release]]:
    """Those serials (16 octets) whose entry says a hold that was lifted since, each with the release. An entry of any
    other reason, or of another time than the hold had, is explained by none."""
    for octets, said in entries.items():
        for release in work.holds.releases_of(issuer, SerialNumber.of(octets)):
            if release.said == said:
                yield octets, release
                break
