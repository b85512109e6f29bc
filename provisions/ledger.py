"""The ledger: who was told what about certificates that are named, and nothing about any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.certificates import CertificateRecord
from domain.people import MunicipalityCode
from domain.ports import UnitOfWork
from domain.provisions import Channel
from provisions.entries import Entry, read_entries
from provisions.tags import Subject, filter_subject, list_subject, open_epoch, open_line, tag_of


@dataclass(frozen=True, slots=True)
class Told:
    """One line for the person it is about: a certificate of theirs (`record`), or a list that may have it
    (`municipality`), or a filter that has all certificates of an issuer (neither), handed over `count` times between
    `first` and `last`. The names are those of parties."""

    first: datetime
    last: datetime
    count: int
    party: str | None
    provider: str | None
    purpose: str
    channel: Channel
    answered: str
    evidence: str
    record: CertificateRecord | None = None
    municipality: MunicipalityCode | None = None


def read_ledger(work: UnitOfWork, master: bytes, records: Sequence[CertificateRecord]) -> list[Told]:
    """What was told about these certificates, and which lists and filters that they belong on were handed over, oldest
    first.

    Lists and filters are told as counts: they say nothing about one certificate in particular. Raises ValueError when
    the secret is not that of this ledger.
    """
    names = {party.id: party.name for party in work.parties.all()}
    lists: dict[Subject, MunicipalityCode | None] = {
        list_subject(record.issuer, record.municipality.area): record.municipality for record in records
    }
    lists |= {filter_subject(record.issuer): None for record in records}
    told: list[Told] = []
    downloads: dict[tuple[object, ...], Told] = {}
    for epoch, sealed in work.provisions.epochs().items():
        key = open_epoch(master, epoch, sealed)
        for record in records:
            entries = _entries(work, epoch, key, (record.issuer, record.serial.octets))
            told += [_told(entry, names, record=record) for entry in entries]
        for subject, municipality in lists.items():
            for entry in _entries(work, epoch, key, subject):
                one = _told(entry, names, municipality=municipality)
                group = (subject[0] if municipality is None else municipality, one.party, one.provider, one.purpose)
                so_far = downloads.get(group)
                downloads[group] = _joined(so_far, one) if so_far else one
    return sorted([*told, *downloads.values()], key=lambda one: (one.first, one.party or ""))


def _entries(work: UnitOfWork, epoch: str, key: bytes, subject: Subject) -> list[Entry]:
    return [
        entry
        for line in work.provisions.lines(epoch, [tag_of(key, subject)])
        for entry in read_entries(open_line(key, subject, line.sealed))
    ]


def _told(
    entry: Entry,
    names: dict[int, str],
    *,
    record: CertificateRecord | None = None,
    municipality: MunicipalityCode | None = None,
) -> Told:
    return Told(
        entry.at,
        entry.at,
        1,
        None if entry.party is None else names.get(entry.party, f"party {entry.party}"),
        None if entry.provider is None else names.get(entry.provider, f"party {entry.provider}"),
        entry.purpose,
        entry.channel,
        entry.answered,
        entry.evidence.hex() if record else "",
        record,
        municipality,
    )


def _joined(one: Told, other: Told) -> Told:
    first, last = min(one.first, other.first), max(one.last, other.last)
    return Told(
        first,
        last,
        one.count + 1,
        one.party,
        one.provider,
        one.purpose,
        one.channel,
        one.answered,
        "",
        None,
        one.municipality,
    )
