"""A population on record: residents and pairs as issuance leaves them, put there quickly, for work on very many.

Each certificate is a copy of one that was issued, with its own serial and key in it, and the audit trail tells of each.
Only signatures are those of the original: whoever checks them must be told to believe them.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import create_engine, insert, select, text, update

from audit.chain import body_of, chain, head_octets
from bench.house import add_residents
from bench.people import CITY, ITEMS, make_applications, make_requests, resident_code
from ca.completion import audit_facts
from ca.issue import issue
from ca.octets import tbs_fields, tbs_of
from config.assemble import Services
from domain.certificates import CertificateRecord, CertificateState
from domain.events import Act, AuditEvent, AuditRow
from domain.lists import Scope
from domain.people import MunicipalityCode, ResidentState
from domain.serial import OCTETS, SerialNumber
from store.tables import applications, audit_head, audit_rows, certificates, residents

_TOGETHER = 5_000
_MODULUS = 256
FIRST = 5_000_000
"""The number of the first resident; the original's is the one before."""


@dataclass(frozen=True, slots=True)
class _Original:
    """A certificate that was issued, and where its serial and its key's last octets are."""

    record: CertificateRecord
    serial: int
    key: int

    def copy(self, serial: SerialNumber, key: bytes) -> bytes:
        der = bytearray(self.record.der)
        der[self.serial : self.serial + OCTETS] = serial.octets
        der[self.key : self.key + len(key)] = key
        return bytes(der)


def populate(services: Services, pairs: int, places: Sequence[MunicipalityCode]) -> int:
    """Put that many residents with a pair each on record, by turns in these municipalities; the first row id."""
    add_residents(services, FIRST - 1, 1)
    (application,) = make_applications(FIRST - 1, make_requests(2))
    answer = issue(services.authority, application)
    with services.begin() as work:
        originals = [_original(record) for record in work.certificates.of_application(answer.application_id)]
        for place in places:
            for one in originals:
                work.lists.register(Scope(one.record.issuer, place))
        first = work.residents.newest() + 1
        work.commit()
    chance, now = random.Random(pairs), services.clock()
    engine = create_engine(services.database_url.replace("postgresql:", "postgresql+psycopg:"))
    for start in range(0, pairs, _TOGETHER):
        numbers = range(start, min(start + _TOGETHER, pairs))
        rows = [(first + n, places[n % len(places)], n) for n in numbers]
        with engine.begin() as connection:
            connection.execute(insert(residents), [_resident(services, *row, now) for row in rows])
            connection.execute(insert(applications), [_application(*row, answer.application_id, now) for row in rows])
            made = list(_certificates(originals, rows, answer.application_id, chance, now))
            connection.execute(insert(certificates), [_columns(record) for record in made])
            head = connection.execute(select(audit_head.c.sequence, audit_head.c.digest)).one()
            told = chain((head.sequence, head.digest), (body_of(event) for event in _events(made)))
            connection.execute(insert(audit_rows), [_row(row) for row in told])
            signer = services.signer(services.settings.audit_key) if start + _TOGETHER >= pairs else None
            newest = told[-1]
            signature = signer.sign(head_octets(newest.sequence, newest.digest)) if signer else b""
            connection.execute(
                update(audit_head).values(sequence=newest.sequence, digest=newest.digest, signature=signature)
            )
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("ANALYZE residents, applications, certificates"))  # as the server does soon
    engine.dispose()
    return first


def notices_of(first: int, count: int, address: str, day: str, place: MunicipalityCode) -> Iterator[str]:
    """Notices (JSON Lines) of as many residents, from this number on, that their address is another one."""
    for number in range(count):
        said = {
            "version": "1",
            "notice_id": f"bench-{number}",
            "sequence": str(number + 1),
            "resident_code": resident_code(first + number).digits,
            "event": "address-renaming",
            "effective_on": day,
            "municipality_code": place.value,
            "name": ITEMS.name,
            "address": address,
            "birth_date": ITEMS.birth_date.text,
            "sex": ITEMS.sex.value,
        }
        yield json.dumps(said, ensure_ascii=False) + "\n"


def _original(record: CertificateRecord) -> _Original:
    fields = tbs_fields(tbs_of(record.der))
    # The serial is its element's tail, the modulus ends five octets before the key does (the exponent's INTEGER).
    serial = record.der.index(fields.serial) + len(fields.serial) - OCTETS
    spki = record.der.index(fields.spki)
    return _Original(record, serial, spki + len(fields.spki) - 5 - _MODULUS // 2)


def _certificates(
    originals: Sequence[_Original],
    rows: Sequence[tuple[int, MunicipalityCode, int]],
    application: int,
    chance: random.Random,
    now: datetime,
) -> Iterator[CertificateRecord]:
    for resident, place, number in rows:
        for one in originals:
            serial = SerialNumber.drawn_from(chance.randbytes(OCTETS))
            der = one.copy(serial, chance.randbytes(_MODULUS // 2))
            spki = tbs_fields(tbs_of(der)).spki if number == 0 else _spki(one, der)
            yield replace(
                one.record,
                serial=serial,
                resident_id=resident,
                application_id=application + 1 + number,
                municipality=place,
                der=der,
                spki_digest=hashlib.sha256(spki).digest(),
                reserved_at=now,
            )


def _spki(one: _Original, der: bytes) -> bytes:
    length = len(tbs_fields(tbs_of(one.record.der)).spki)
    end = one.key + _MODULUS // 2 + 5
    return der[end - length : end]


def _events(made: Sequence[CertificateRecord]) -> Iterator[AuditEvent]:
    for record in made:
        facts = audit_facts(record)
        told = {"profile": record.profile_digest, "tbs": hashlib.sha256(tbs_of(record.der)).hexdigest()}
        yield AuditEvent(Act.RESERVED, CITY.label, record.reserved_at, {**facts, **told})
        yield AuditEvent(Act.ISSUED, CITY.label, record.reserved_at, facts)


def _resident(services: Services, id_: int, place: MunicipalityCode, number: int, now: datetime) -> dict[str, object]:
    index, sealed = services.sealer.seal(resident_code(FIRST + number))
    return {
        "id": id_,
        "code_index": index,
        "code_sealed": sealed,
        "municipality": place,
        "name": ITEMS.name,
        "address": ITEMS.address,
        "birth_date": ITEMS.birth_date.earliest,
        "sex": ITEMS.sex,
        "state": ResidentState.PRESENT,
        "changed_at": now,
    }


def _application(resident: int, place: MunicipalityCode, number: int, before: int, now: datetime) -> dict[str, object]:
    return {
        "id": before + 1 + number,
        "caller": "population",
        "key": str(number),
        "content": bytes(32),
        "resident_id": resident,
        "municipality": place,
        "received_at": now,
        "issued_at": now,
    }


def _columns(record: CertificateRecord) -> dict[str, object]:
    return {
        "issuer": record.issuer,
        "serial": record.serial,
        "state": CertificateState.ISSUED,
        "kind": record.kind,
        "carrier": record.carrier,
        "resident_id": record.resident_id,
        "application_id": record.application_id,
        "municipality": record.municipality,
        "not_before": record.validity.not_before,
        "not_after": record.validity.not_after,
        "spki_digest": record.spki_digest,
        "profile_digest": record.profile_digest,
        "reserved_at": record.reserved_at,
        "ended_at": None,
        "der": record.der,
    }


def _row(row: AuditRow) -> dict[str, object]:
    return {"sequence": row.sequence, "body": row.body, "digest": row.digest}
