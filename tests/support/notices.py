"""Notices of the register for tests, who sends them, and an intake over any store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

from config.municipalities import load_municipalities
from config.rules import load_causes, load_events
from domain.certificates import CertificateRecord, CertificateState, Kind, Validity
from domain.code_keys import CodeSealer
from domain.events import EventType, ResidentEvent
from domain.parties import Party, Role
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentCode, ResidentState
from domain.ports import Begin
from domain.revocation import Revocation
from residents.intake import apply_event
from residents.parts import Intake
from residents.receipts import NoticeReceipt
from residents.records import ResidentRecord
from tests.support.people import certificate_record
from tests.support.residents import HINO, KIYOSE, attributes, resident_code
from tests.support.sealers import make_sealer
from tests.support.stores import digest_of

NOW = datetime(2027, 4, 1, 3, 0, tzinfo=UTC)
"""Noon in Japan."""
TODAY = date(2027, 4, 1)
BEGAN = NOW - timedelta(days=30)

REGISTER = Party(1, Role.REGISTER, "juki")
KIYOSE_CITY = Party(2, Role.MUNICIPALITY, "kiyose", KIYOSE)
HINO_CITY = Party(3, Role.MUNICIPALITY, "hino", HINO)
VERIFIER = Party(4, Role.VERIFIER, "bank", kinds=frozenset(Kind))

MOVED = attributes(address="東京都清瀬市月見坂１－２－７")


def notice(
    type_: EventType = EventType.MOVE_WITHIN,
    items: BasicAttributes | None = MOVED,
    *,
    sender: Party = REGISTER,
    notice_id: str = "2027-000001",
    sequence: int = 1,
    code: ResidentCode | None = None,
    effective_on: date = TODAY,
    municipality: MunicipalityCode = KIYOSE,
    new_code: ResidentCode | None = None,
) -> ResidentEvent:
    """By default: resident 1 moved within 清瀬市 today, says the register."""
    return ResidentEvent(
        sender.label,
        notice_id,
        sequence,
        code or resident_code(1),
        type_,
        effective_on,
        municipality,
        items,
        new_code,
    )


def ending(type_: EventType = EventType.DEATH, **changes: object) -> ResidentEvent:
    """A notice without the four items."""
    return notice(type_, None, **changes)  # type: ignore[arg-type]


def applied(intake: Intake, event: ResidentEvent, actor: Party = REGISTER) -> NoticeReceipt:
    """The receipt of a notice that is applied at once."""
    receipt = apply_event(intake, event, actor)
    assert isinstance(receipt, NoticeReceipt)
    return receipt


def make_intake(begin: Begin, now: datetime = NOW, sealer: CodeSealer | None = None) -> Intake:
    """An intake over the store, with a clock that stands, random octets that count, and the tables that ship."""
    numbers = count(1)
    return Intake(
        begin=begin,
        clock=lambda: now,
        random=lambda size: next(numbers).to_bytes(size),
        sealer=sealer or make_sealer(),
        municipalities=load_municipalities(),
        events=load_events(),
        causes=load_causes(),
    )


def store_resident(intake: Intake, resident: ResidentRecord, state: ResidentState = ResidentState.PRESENT) -> int:
    """Put the record into the stored copy; its row id."""
    with intake.begin() as work:
        index, sealed = intake.sealer.seal(resident.code)
        row, _ = work.residents.put(index, sealed, resident.municipality, resident.attributes, state, NOW)
        work.commit()
    return row


def certify(
    intake: Intake,
    resident_id: int,
    kinds: Iterable[Kind] = tuple(Kind),
    *,
    not_after: datetime = NOW + timedelta(days=1500),
    state: CertificateState = CertificateState.ISSUED,
    label: str = "",
) -> list[CertificateRecord]:
    """Live certificates for the resident, as rows without real octets. `label` tells applications apart."""
    label = f"{resident_id}/{label}"
    with intake.begin() as work:
        municipality = work.residents.get(resident_id).municipality
        application = work.applications.open(KIYOSE_CITY.label, label, bytes(32), resident_id, municipality, BEGAN)
        records = [
            replace(
                certificate_record(kind, application),
                resident_id=resident_id,
                municipality=municipality,
                validity=Validity(BEGAN, not_after),
                state=CertificateState.RESERVED,
                spki_digest=digest_of(f"{label}/{kind.value}"),
                reserved_at=BEGAN,
            )
            for kind in kinds
        ]
        for record in records:
            work.certificates.reserve([record])
            if state is CertificateState.ISSUED:
                work.certificates.complete([(record.issuer, record.serial, b"certificate")])
        work.commit()
    return records


def stored_resident(intake: Intake, resident_id: int) -> Resident:
    with intake.begin(write=False) as work:
        return work.residents.get(resident_id)


def live_kinds(intake: Intake, resident_id: int) -> set[Kind]:
    with intake.begin(write=False) as work:
        return {row.kind for row in work.certificates.live_of(resident_id)}


def revocations(intake: Intake) -> list[Revocation]:
    with intake.begin(write=False) as work:
        return list(work.revocations.all())


def audit_bodies(intake: Intake) -> list[str]:
    with intake.begin(write=False) as work:
        return [row.body for row in work.audit.rows()]
