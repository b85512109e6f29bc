"""A simulated leak: tracers are silent where they were planted, and tell the source when they turn up elsewhere."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_certificate

from domain.certificates import IssuerId
from domain.events import Act
from domain.handles import Recipient
from domain.parties import Party
from domain.provisions import Channel, Provision, asked_serial
from domain.tracers import Sighting
from provisions.filing import Filing, file_due
from provisions.writer import SegmentWriter
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.provisions import SEAL_KEYS, make_filing
from tests.support.tracers import make_register, planted
from tests.support.verifiers import add_verifier, make_office
from tracers.register import Tracer
from tracers.watch import Watch

HOUR = timedelta(hours=1)


class Scene:
    """A house whose provisions are recorded, filed and watched."""

    def __init__(self, folder: Path) -> None:
        self.memory = MemoryStore()
        self.house = House(self.memory.begin, self.memory, folder / "crl", lambda *_: True)
        self.folder = folder / "provisions"
        self.alarms: list[tuple[str, Recipient | None]] = []
        register = make_register(self.house.authority)
        self.watch = Watch(self.house.begin, lambda: register, self._alarm, "watch:test")

    def _alarm(self, sighting: Sighting, tracer: Tracer) -> None:
        self.alarms.append((str(tracer.planted), sighting.seen_by))

    def record(self) -> SegmentWriter:
        self.folder.mkdir(exist_ok=True)
        return SegmentWriter(self.folder, SEAL_KEYS, self.house.clock, random.Random(7).randbytes)

    def ask(self, party: Party | None, certificate: bytes, provider: Party | None = None) -> Provision:
        """What is recorded of a status answer."""
        serial = asked_serial(load_der_x509_certificate(certificate).serial_number)
        issuer = IssuerId("signature-g2")
        return Provision(self.house.clock.now, party, provider, "log-in", issuer, Channel.OCSP, serial, "good")

    def file(self, provisions: list[Provision]) -> None:
        """Record these, and file them."""
        writer = self.record()
        for provision in provisions:
            writer(provision)
        writer.close()
        self.filed()

    def filed(self) -> None:
        filing: Filing = make_filing(self.folder, self.house.begin, self.house.clock, hear=self.watch)
        file_due(filing)

    def sources(self) -> set[tuple[str, str]]:
        """(planted at, seen by) as the audit trail tells."""
        with self.house.begin(write=False) as work:
            rows = [row.body for row in work.audit.rows()]

        facts = [json.loads(body) for body in rows]
        return {
            (row["facts"]["planted_at"], row["facts"]["seen_by"])
            for row in facts
            if row["act"] == Act.TRACER_SEEN.value
        }


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("seed", range(20))
def test_a_leak_between_two_operators_is_traced_to_its_source_in_every_run(scene: Scene, seed: int) -> None:
    """One of six verifiers passes its customers on to another, which asks for the status of some of them."""
    chance = random.Random(seed)
    verifiers = [add_verifier(scene.house.begin, name) for name in ("a", "b", "c", "d", "e", "f")]
    customers = {
        verifier: [pair.certificates for pair in planted(scene.house.authority, verifier, 3)] for verifier in verifiers
    }
    source, taker = chance.sample(verifiers, 2)
    asked = [scene.ask(verifier, next(iter(pair.values()))) for verifier in verifiers for pair in customers[verifier]]
    leaked = chance.sample(customers[source], 1 + seed % 3)
    asked += [scene.ask(taker, chance.choice([*pair.values()])) for pair in leaked]
    chance.shuffle(asked)
    scene.file(asked)
    assert scene.sources() == {(source.label, taker.label)}
    assert {seen_by for _, seen_by in scene.alarms} == {Recipient(taker.id)}
    assert len(scene.alarms) == len(leaked)


def test_a_tracer_that_its_own_verifier_alone_asks_about_raises_nothing(scene: Scene) -> None:
    bank = add_verifier(scene.house.begin, "bank")
    (pair,) = planted(scene.house.authority, bank)
    scene.file([scene.ask(bank, der) for der in pair.certificates.values()] * 50)
    assert scene.alarms == []
    assert scene.sources() == set()


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        pytest.param(lambda platform, shop, _: (platform, shop), set(), id="the-provider-it-was-planted-at"),
        pytest.param(lambda platform, _shop, _: (platform, None), {"platform"}, id="the-platform-for-itself"),
        pytest.param(
            lambda platform, _, other: (platform, other), {"platform for other"}, id="another-provider-of-the-platform"
        ),
        pytest.param(lambda *_: (None, None), {"anybody"}, id="somebody-who-cannot-be-named"),
    ],
)
def test_behind_a_platform_each_provider_is_watched_by_itself(
    scene: Scene, asks: Callable[..., tuple[Party | None, Party | None]], told: set[str]
) -> None:
    platform, shop, other = (add_verifier(scene.house.begin, name) for name in ("platform", "shop", "other"))
    (pair,) = planted(scene.house.authority, platform, provider=shop)
    party, provider = asks(platform, shop, other)
    scene.file([scene.ask(party, next(iter(pair.certificates.values())), provider)])
    assert {seen_by.replace("verifier:", "") for _, seen_by in scene.sources()} == told


def test_asking_for_a_handle_tells_as_much(scene: Scene) -> None:
    bank, broker = (add_verifier(scene.house.begin, name) for name in ("bank", "broker"))
    (pair,) = planted(scene.house.authority, bank)
    writer = scene.record()
    office = make_office(scene.house.begin, scene.house.clock, record=writer)
    for party in (bank, broker):
        office.of_many(party, None, [*pair.certificates.values()])
    writer.close()
    scene.filed()
    assert scene.sources() == {("verifier:bank", "verifier:broker")}
    with scene.house.begin(write=False) as work:
        assert [one.channel for one in work.tracers.sightings()] == ["handle"]


def test_the_same_sight_is_told_once_however_often_it_is_heard(scene: Scene) -> None:
    bank, broker = (add_verifier(scene.house.begin, name) for name in ("bank", "broker"))
    (pair,) = planted(scene.house.authority, bank)
    asked = [scene.ask(broker, next(iter(pair.certificates.values())))] * 3
    scene.file(asked)
    scene.house.clock.forward(HOUR)
    scene.file(asked)
    assert len(scene.alarms) == 1
    with scene.house.begin(write=False) as work:
        assert len(work.tracers.sightings()) == 1


def test_residents_certificates_raise_nothing_anywhere(scene: Scene) -> None:
    bank, broker = (add_verifier(scene.house.begin, name) for name in ("bank", "broker"))
    planted(scene.house.authority, bank)
    pair = scene.house.issue().certificates
    scene.file([scene.ask(party, der) for party in (bank, broker) for der in pair.values()])
    assert scene.alarms == []


def test_no_serial_is_in_what_is_told(scene: Scene) -> None:
    bank, broker = (add_verifier(scene.house.begin, name) for name in ("bank", "broker"))
    (pair,) = planted(scene.house.authority, bank)
    scene.file([scene.ask(broker, der) for der in pair.certificates.values()])
    with scene.house.begin(write=False) as work:
        text = "".join(row.body for row in work.audit.rows()) + repr(work.tracers.sightings())
        serials = [row.serial for row in work.certificates.all()]
    for serial in serials:
        assert serial.octets.hex() not in text
        assert str(serial.value) not in text
