"""A whole authority in a temporary folder, as `jpki init` makes it, with as many records as a measurement wants."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, create_engine, insert

from bench.people import ITEMS, KIYOSE, items_of, resident_code
from config import rules
from config.assemble import Services, assemble, system_clock, system_random
from config.founding import Founder
from config.initialise import initialise
from config.settings import Settings, load
from domain.certificates import Carrier, CertificateState, IssuerId, Kind
from domain.lists import Scope
from domain.people import ResidentState
from domain.revocation import CrlReason, Revocation, RevocationCause
from domain.serial import OCTETS, SerialNumber
from store.tables import applications, certificates, residents, revocations

ISSUER = IssuerId("signature-g1")
SCOPE = Scope(ISSUER, KIYOSE)
LIFE = timedelta(days=1800)
_DER = 1900  # octets of a certificate
_CHUNK = 10_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def make_house(state: Path, database: str = "", workers: int = 1) -> Services:
    """An authority with both services on free ports of loopback, with as many workers each, and OCSP open to all; over
    a SQLite file of its own unless `database` (a URL) says otherwise."""
    text = rules.template().replace('access = "notified-verifiers"', 'access = "open"')
    text = text.replace("sqlite:///jpki.db", database or "sqlite:///jpki.db")
    text = re.sub(r"^workers = .*$", f"workers = {workers}", text, flags=re.MULTILINE)
    api, status = (f"127.0.0.1:{free_port()}" for _ in range(2))
    initialise(
        state,
        api=api,
        status=status,
        template=text,
        clock=system_clock,
        random=system_random,
        on_step=lambda _: None,
    )
    return assemble(state)


def serve_by(state: Path, server: str) -> Settings:
    """The settings of a house whose status service is of that kind now, on another free port."""
    return _reconfigure(state, server=f'"{server}"', ready_seconds="0")


def with_ready_answers(state: Path) -> Settings:
    """The settings of a house that keeps answers ready for half an hour, in its event loop."""
    return _reconfigure(state, server='"event-loop"', ready_seconds="1800")


def with_rsa_responder(services: Services) -> None:
    """Give the first issuer a responder key of RSA-2048 instead of P-256."""
    profiles = rules.load_profiles(services.settings.profiles)
    row = services.settings.issuers[0]
    profiles = {name: replace(profile, keys=("rsa-2048",)) for name, profile in profiles.items()}
    founder = Founder(services.settings, services.signers, profiles, services.clock(), services.random)
    for place in (row.responder_key, row.responder_certificate):
        assert isinstance(place, Path)
        place.unlink()
    founder.found_responder(row, services.issuers[row.id], services.issuer_signers[row.id])


def _reconfigure(state: Path, **changes: str) -> Settings:
    path = state / "jpki.toml"
    text = path.read_text()
    for name, value in changes.items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    head, found, tail = text.rpartition("[status]")
    path.write_text(head + found + re.sub(r'bind = "[^"]*"', f'bind = "127.0.0.1:{free_port()}"', tail, count=1))
    return load(state)


def add_residents(services: Services, first: int, count: int) -> None:
    """Put residents `first` and following on record, through the store's own door."""
    sealer = services.sealer
    numbers = range(first, first + count)
    rows = [(*sealer.seal(resident_code(number)), KIYOSE, items_of(number)) for number in numbers]
    with services.begin() as work:
        work.residents.put_many(rows, services.clock())
        work.commit()


def add_certificates(services: Services, pairs: int) -> list[bytes]:
    """Put pairs of issued certificates on record behind the store's back, with octets that are none; the serials
    of the signing ones."""
    chance, now = random.Random(pairs), services.clock()
    ids = range(1, pairs + 1)
    serials = {id_: {kind: SerialNumber.drawn_from(chance.randbytes(OCTETS)) for kind in Kind} for id_ in ids}
    with _filling(services) as fill:
        fill(residents, (_resident(id_, chance, now) for id_ in ids))
        fill(applications, (_application(id_, chance, now) for id_ in ids))
        fill(
            certificates,
            (_certificate(id_, kind, serials[id_][kind], chance, now) for id_ in ids for kind in Kind),
        )
    return [both[Kind.SIGNATURE].octets for both in serials.values()]


def make_revocations(count: int, now: datetime) -> list[Revocation]:
    """That many revocations of one scope, spread over a year."""
    chance, reasons = random.Random(count), tuple(CrlReason)
    return [
        Revocation(
            ISSUER,
            SerialNumber.drawn_from(chance.randbytes(OCTETS)),
            KIYOSE,
            RevocationCause.HOLDER_REQUEST,
            reasons[chance.randrange(len(reasons))],
            now - timedelta(seconds=chance.randrange(31_536_000)),
            now + LIFE,
        )
        for _ in range(count)
    ]


def add_revocations(services: Services, standing: Iterable[Revocation], scope: Scope = SCOPE) -> None:
    """Put revocations of a scope on record behind the store's back, without the certificates they are of, and have its
    list want a successor."""
    now = services.clock()
    with services.begin() as work:
        work.lists.want(scope)
        work.commit()
    with _filling(services) as fill:
        fill(revocations, (_revocation(revocation, now) for revocation in standing))


@contextmanager
def _filling(services: Services) -> Iterator[Any]:
    url = services.database_url.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url)  # without the store's checks of what refers to what
    with engine.begin() as connection:

        def fill(table: Table, rows: Iterable[dict[str, object]]) -> None:
            chunk: list[dict[str, object]] = []
            for row in rows:
                chunk.append(row)
                if len(chunk) == _CHUNK:
                    connection.execute(insert(table), chunk)
                    chunk.clear()
            if chunk:
                connection.execute(insert(table), chunk)

        yield fill
    engine.dispose()


def _resident(id_: int, chance: random.Random, now: datetime) -> dict[str, object]:
    return {
        "id": id_,
        "code_index": chance.randbytes(32),
        "code_sealed": chance.randbytes(40),
        "municipality": KIYOSE,
        "name": ITEMS.name,
        "address": ITEMS.address,
        "birth_date": ITEMS.birth_date.earliest,
        "sex": ITEMS.sex,
        "state": ResidentState.PRESENT,
        "changed_at": now,
    }


def _application(id_: int, chance: random.Random, now: datetime) -> dict[str, object]:
    return {
        "id": id_,
        "caller": "bench",
        "key": str(id_),
        "content": chance.randbytes(32),
        "resident_id": id_,
        "municipality": KIYOSE,
        "received_at": now,
        "issued_at": now,
    }


def _certificate(id_: int, kind: Kind, serial: SerialNumber, chance: random.Random, now: datetime) -> dict[str, object]:
    return {
        "issuer": f"{kind.value}-g1",
        "serial": serial,
        "state": CertificateState.ISSUED,
        "kind": kind,
        "carrier": Carrier.CARD,
        "resident_id": id_,
        "application_id": id_,
        "municipality": KIYOSE,
        "not_before": now,
        "not_after": now + LIFE,
        "spki_digest": chance.randbytes(32),
        "profile_digest": "0" * 64,
        "reserved_at": now,
        "ended_at": None,
        "der": chance.randbytes(_DER),
    }


def _revocation(revocation: Revocation, now: datetime) -> dict[str, object]:
    return {
        "issuer": revocation.issuer,
        "serial": revocation.serial,
        "municipality": revocation.municipality,
        "cause": revocation.cause,
        "reason": revocation.reason,
        "revoked_at": revocation.revoked_at,
        "not_after": revocation.not_after,
        "receipt": "0" * 32,
        "received_at": now,
    }
