"""Which of a verifier's handles belong to one person, told where the law lets this verifier know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.certificates import CertificateRecord, CertificateState
from domain.errors import Refusal
from domain.handles import Correspondence, Handle, Line, Recipient
from domain.parties import Party
from domain.ports import UnitOfWork
from domain.provisions import Channel, Provision
from policies.admission import Admitted
from policies.correspondence import require_correspondence
from verifiers.handle_office import HandleOffice, inquiry_of, keys_in, line_for, read_own


def counterparts(
    office: HandleOffice,
    party: Party,
    provider: Party | None,
    handles: Sequence[str],
    which: Correspondence,
    purpose: str | None = None,
) -> list[Handle | None]:
    """For each of the recipient's handles that of the corresponding certificate: the other one of the pair, or the one
    on the other carrier; of a renewed certificate, that of the one that followed it, which is the same handle for
    whoever may know so. None where either certificate is not live.

    Raises Refusal(NOT_ADMITTED) with the row that decides, and as `read_own` does.
    """
    now, recipient = office.clock(), Recipient.of(party, provider)
    told: list[tuple[Handle | None, CertificateRecord | None, Admitted]] = []
    with office.begin(write=False) as work:
        keys = keys_in(work, office.ring)
        own = read_own(office, keys, party, provider, handles, purpose, now)
        for place, (line, admitted) in enumerate(own):
            try:
                require_correspondence(party, provider, which, line.kind, now)
            except Refusal as refusal:
                office.gate.put_on_record(inquiry_of(party, provider, purpose, line.kind, now), refusal)
                raise Refusal(refusal.code, refusal.detail, pointer=f"/handles/{place}", facts=refusal.facts) from None
            found = _counterpart(work, line, which, now)
            handle = keys.make(line_for(party, provider, found), recipient) if found else None
            told.append((handle, found, admitted))
    for _, record, admitted in told:
        if record is not None:
            serial, word = record.serial.octets, which.value
            office.record(Provision(now, *admitted, record.issuer, Channel.HANDLE, serial, word))
    return [handle for handle, *_ in told]


def _counterpart(work: UnitOfWork, line: Line, which: Correspondence, now: datetime) -> CertificateRecord | None:
    """The live certificate that corresponds to the live one of a line."""
    for own in work.handles.of_line(line):
        live = [row for row in work.certificates.live_of(own.resident_id) if _live(row, now)]
        if which is Correspondence.SUCCESSION:
            return next((row for row in live if Line.of(row) == Line.of(own)), None)
        if not any(Line.of(row, whole=line.whole) == line for row in live):
            continue
        for row in live:
            if which is Correspondence.PAIR and row.kind is not own.kind and row.carrier is own.carrier:
                return row
            if which is Correspondence.CARRIERS and row.kind is own.kind and row.carrier is not own.carrier:
                return row
    return None


def _live(row: CertificateRecord, now: datetime) -> bool:
    return row.state is CertificateState.ISSUED and not row.pending and not row.validity.ended(now)
