"""Provisions: segments are whole, where they should be, and as the audit trail tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.events import Act
from domain.ports import UnitOfWork
from domain.provisions import Segment
from oversight.findings import Finding, fault, note, segment_name
from oversight.inspection import Inspection
from oversight.trail import Told, Trail
from provisions.segment import HEADER, digest_of, read_header
from provisions.tags import epoch_of
from provisions.writer import SUFFIX


def provision_findings(inspection: Inspection, work: UnitOfWork, trail: Trail) -> Iterator[Finding]:
    """What is wrong with segments, by database, files and audit trail. Files of other nodes are looked at there.

    Segments are filed and erased while this goes on: of files only what is still so at a second look counts.
    """
    elsewhere = 0
    for segment in work.provisions.segments():
        name = segment_name(segment.name)
        for text in (*_segment_faults(segment), *_told_faults(segment, trail.take(name))):
            yield fault("provisions", f"the {name} {text}")
        elsewhere += _has_file(segment) and segment.node != inspection.node
    if any(_files(inspection)):
        yield from _files(inspection)
    if elsewhere:
        yield note("provisions", f"segments that lie on other nodes, to be checked there: {elsewhere}")


def _has_file(segment: Segment) -> bool:
    return segment.digest is not None and segment.erased_at is None


def _files(inspection: Inspection) -> Iterator[Finding]:
    """What is wrong with the files of this node, beside the database as it is after they were found."""
    folder = inspection.provisions
    # In this order: a segment is closed and gets its place when the database knows it.
    there = {path.name for path in folder.glob(f"*/*{SUFFIX}")}
    waiting = dict(_waiting(folder))
    with inspection.begin(write=False) as work:
        filed = {
            segment.name: segment
            for segment in work.provisions.segments()
            if segment.digest is not None and segment.node == inspection.node
        }
    for name, segment in filed.items():
        # For a moment it lies where it was filed.
        path = folder / epoch_of(segment.begun_at) / name
        for text in _file_faults(segment, path if path.exists() else folder / name):
            yield fault("provisions", f"the {segment_name(name)} {text}")
    for name in sorted(there - filed.keys()):
        yield fault("provisions", f"the {segment_name(name)} lies with those filed, and the database does not know it")
    for name in sorted(waiting.keys() - filed.keys()):
        yield fault("provisions", f"the {segment_name(name)} {waiting[name]}")


def _segment_faults(segment: Segment) -> Iterator[str]:
    if segment.damaged:
        yield f"had {segment.damaged} records that did not open: somebody changed the file before it was filed"
    if segment.digest is not None and segment.filed != segment.records:
        yield f"was closed with {segment.filed} of {segment.records} records in the ledger"


def _told_faults(segment: Segment, told: Sequence[Told]) -> Iterator[str]:
    """The audit trail tells of its filing once, with this digest, and of its erasure exactly when it was erased."""
    filed = [event.facts for event in told if event.act is Act.PROVISIONS_FILED]
    if segment.digest is None:
        if filed:
            yield "was filed by the audit trail, and not by the database"
        return
    if len(filed) != 1:
        yield f"is told {len(filed)} times in the audit trail"
    elif (filed[0].get("digest"), filed[0].get("records")) != (segment.digest.hex(), segment.records):
        yield "differs from what the audit trail tells of it"
    if (segment.erased_at is not None) != any(event.act is Act.PROVISIONS_ERASED for event in told):
        yield "was erased by the database or by the audit trail, and not by both"


def _file_faults(segment: Segment, path: Path) -> Iterator[str]:
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        octets = None
    if segment.erased_at is not None:
        if octets is not None:
            yield "was erased, and its file is there"
    elif octets is None:
        yield "is missing"
    elif digest_of(octets) != segment.digest:
        yield "was changed or cut after it was filed"


def _waiting(folder: Path) -> Iterator[tuple[str, str]]:
    """Segments that are open or wait to be filed, and cannot be: their names, and why."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            octets = path.read_bytes()
        except FileNotFoundError:
            continue  # filed meanwhile, or it was empty
        header = read_header(octets[:HEADER])
        if header is None and octets[HEADER:].strip(b"\0"):
            yield path.name, "has records and nothing to open them with"
        elif header is not None and header.filing is None:
            yield path.name, "was closed before it was filed"
