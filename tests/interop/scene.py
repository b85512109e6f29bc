"""The scene that outside programs judge: an authority founded in the past, its lists, and its services on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from socket import socket
from urllib.request import urlopen

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.assemble import Services, assemble, system_clock, system_random
from config.enrolment import enrol
from config.filters import make_class_key, publish_due_filters
from config.initialise import initialise
from config.renewal import renew_due
from crl.publish import publish_due
from domain.certificates import IssuerId, Kind
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import MunicipalityCode
from tests.interop.fates import DAY, ISSUERS, Certificates, Town, forgeries
from tests.support.authority import KIYOSE, KIYOSE_CITY, TurnedClock
from tests.support.notices import HINO_CITY
from tests.support.serving import Served, serving
from tests.support.verifiers import approve

BANK = Party(0, Role.VERIFIER, "bank", kinds=frozenset(Kind))
GYM = Party(0, Role.VERIFIER, "gym", kinds=frozenset({Kind.AUTHENTICATION}))

CLASS = "accredited-private"
"""The class of both, for which filters are made."""

Lists = Mapping[IssuerId, bytes]
"""Lists (DER) by issuer."""


@dataclass(frozen=True)
class Scene:
    """`certificates` also lie in `folder` as `<issuer>.<fate>.pem`, beside the authorities' own as `<issuer>.pem` and
    those of a foreign authority of the same names as `<issuer>.namesake.pem`.

    `public` gives status to anybody, at the addresses that stand in the certificates; `notified` gives it over plain
    HTTP to verifiers that sign, and `api` over mutual TLS. All have one database and one directory of lists. The lists
    of last week and of the `namesake` are those of Kiyose.
    """

    folder: Path
    services: Services
    namesake: Services
    certificates: Certificates
    lists_of_last_week: Lists
    namesake_lists: Lists
    public: Served
    notified: Served
    api: Served

    def anchor(self, issuer: str) -> Path:
        return self.folder / f"{issuer}.pem"

    def path(self, issuer: str, fate: str) -> Path:
        return self.folder / f"{issuer}.{fate}.pem"

    def serial(self, issuer: str, fate: str) -> int:
        return x509.load_der_x509_certificate(self.certificates[IssuerId(issuer), fate]).serial_number

    def credential(self, verifier: str) -> Path:
        """The folder with a party's `client.pem`, `client.key` and `authority.pem`; a stranger is the namesake's."""
        house, name = ("namesake", "bank") if verifier == "stranger" else ("state", verifier)
        return self.folder / house / "clients" / name

    def list_of(self, issuer: str, municipality: MunicipalityCode | None) -> bytes:
        """An issuer's list (DER) for a municipality, or (None) of its own certificates, as it is served."""
        return fetch(f"{self.public.url}/crl/{issuer}/{municipality.area if municipality else 'ca'}.crl")


def list_address(certificate: bytes) -> str:
    """The URL in the distribution point of a certificate."""
    (point,) = asn1.Certificate.load(certificate).crl_distribution_points
    return str(point.url)


def fetch(url: str) -> bytes:
    assert url.startswith("http://127.0.0.1:")
    with urlopen(url, timeout=30) as response:  # noqa: S310
        octets: bytes = response.read()
    return octets


@contextmanager
def staged(folder: Path) -> Iterator[Scene]:
    """The scene in an empty folder, with its servers, for as long as somebody looks at it."""
    now = system_clock()
    clock = TurnedClock(now - 70 * DAY)
    houses = folder / "state", folder / "namesake"
    for place in houses:
        initialise(
            place,
            api="127.0.0.1:0",
            status=f"127.0.0.1:{_free_port()}",
            template=None,
            clock=clock,
            random=system_random,
            on_step=lambda _step: None,
        )
    with ExitStack() as stack:
        services, namesake = (stack.enter_context(closing(assemble(place))) for place in houses)
        services.clock = namesake.clock = clock
        town = Town(services, clock, now)
        town.settle()
        clock.now = now - 7 * DAY
        _open(services)
        last_week = _publish(services)
        town.suffer()
        for house in (services, namesake):
            assert set(renew_due(house)) == set(ISSUERS)
        clock.now = now
        _open(namesake)
        certificates = town.certificates | forgeries(town.certificates, namesake.authority, now)
        lists, namesake_lists = _publish(services), _publish(namesake)
        make_class_key(services, CLASS)
        assert len(publish_due_filters(services)) == len(ISSUERS)
        assert lists.keys() == last_week.keys()
        _divide(folder / "state", folder / "public")
        _write(folder, services, namesake, certificates)
        yield Scene(
            folder,
            services,
            namesake,
            certificates,
            last_week,
            namesake_lists,
            public=stack.enter_context(serving("status", folder / "public")),
            notified=stack.enter_context(serving("status", folder / "state")),
            api=stack.enter_context(serving("api", folder / "state")),
        )


def _free_port() -> int:
    """A port that is listened at later, but stands in certificates before: one that no other program is given who asks
    for any."""
    for port in SystemRandom().sample(range(20_000, 30_000), 50):
        with socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no free port")


def _divide(state: Path, public: Path) -> None:
    """Put other settings over the same state: `public` answers anybody at the known address, `state` keeps to verifiers
    and listens anywhere."""
    settings = (state / "jpki.toml").read_text("utf-8").replace("workers = 2", "workers = 1")
    public.mkdir()
    for part in state.iterdir():
        (public / part.name).symlink_to(part)
    (public / "jpki.toml").unlink()
    (public / "jpki.toml").write_text(settings.replace('access = "notified-verifiers"', 'access = "open"'), "utf-8")
    before, header, after = settings.partition("[status]\nbind = ")
    address = after.split('"')[1]
    (state / "jpki.toml").write_text(before + header + after.replace(address, "127.0.0.1:0"), "utf-8")


def _open(services: Services) -> None:
    """Register who may call; with the municipalities their lists come into use."""
    for party in (BANK, GYM, KIYOSE_CITY, HINO_CITY):
        enrol(services, party, LOCAL_OPERATOR, folder=services.settings.state / "clients" / party.name, life=90 * DAY)
    for party in (BANK, GYM):
        approve(services.begin, party.name)


def _publish(services: Services) -> Lists:
    """Publish every list there is; those of Kiyose."""
    report = publish_due(services.publisher)
    assert report.refused == ()
    assert len(report.published) == 3 * len(ISSUERS)
    scopes = [Scope(issuer, KIYOSE.code) for issuer in ISSUERS]
    return {scope.issuer: (services.settings.crl_directory / scope.path).read_bytes() for scope in scopes}


def _write(folder: Path, services: Services, namesake: Services, certificates: Certificates) -> None:
    for issuer in ISSUERS:
        _write_pem(folder / f"{issuer}.pem", services.issuers[issuer].certificate)
        _write_pem(folder / f"{issuer}.namesake.pem", namesake.issuers[issuer].certificate)
    for (issuer, fate), certificate in certificates.items():
        _write_pem(folder / f"{issuer}.{fate}.pem", certificate)


def _write_pem(path: Path, certificate: bytes) -> None:
    path.write_bytes(x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM))
