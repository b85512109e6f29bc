"""An authority of verifiers alone, at real services with several workers: two officers, three verifiers, a holder."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

from ca.issue import issue
from config.assemble import Services, assemble, system_clock, system_random
from config.enrolment import enrol
from config.filters import make_class_key, publish_due_filters
from config.initialise import initialise
from config.officers import OfficerCredential
from config.rules import template
from config.vetting import Handed, add_verifier
from crl.publish import publish_due
from domain import der
from domain.applications import Card
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import ResidentCode
from domain.standings import Standing
from policies.validity import day_in_japan
from residents.load import load_residents
from residents.rows import Format
from tests.support.authority import KIYOSE, make_application
from tests.support.consents import SoftwareCard
from tests.support.requests import holder_key
from tests.support.responder import sign_ocsp_request
from tests.support.serving import Served, serving
from tests.support.signers import key_bits_of
from tests.support.terminal import HOLDER, SAMPLE
from verifiers.vetting import Request

LIFE = timedelta(days=30)
CONNECTIONS = 8
BANK = Request(
    "bank",
    Standing.ACCREDITED_PRIVATE,
    {Kind.SIGNATURE: frozenset({"contract", "identity-check"}), Kind.AUTHENTICATION: frozenset({"log-in"})},
)
SHOP = Request("shop", Standing.ACCREDITED_PRIVATE, {Kind.SIGNATURE: frozenset({"contract"})})
CLUB = Request("club", Standing.ACCREDITED_PRIVATE, SHOP.purposes)
STEADY = Request("steady", Standing.ACCREDITED_PRIVATE, SHOP.purposes)


class Scene:
    """An authority with lists for verifiers alone, two officers, two verifiers, and connections to all its workers."""

    def __init__(self, state: Path, services: Services, servers: dict[str, Served], card: SoftwareCard) -> None:
        self.state, self.services, self.servers, self.card = state, services, servers, card
        self.api = servers["api"]
        self.handles: dict[str, str] = {}
        issuer = x509.load_der_x509_certificate((state / "certs" / "signature-g1.cer").read_bytes())
        public = issuer.public_key()
        assert isinstance(public, RSAPublicKey)
        name, key = (hashlib.sha256(octets).digest() for octets in (issuer.subject.public_bytes(), key_bits_of(public)))
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, 0x40 << 120, hashes.SHA256())
        self.request = builder.build().public_bytes(Encoding.DER)

    def officers(self) -> tuple[OfficerCredential, OfficerCredential]:
        folders = self.state / "credentials"
        return OfficerCredential.read(folders / "aoi"), OfficerCredential.read(folders / "ken")

    def signed(self, name: str) -> bytes:
        folder = self.state / "credentials" / name
        key = load_pem_private_key((folder / "client.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / "client.pem").read_bytes())
        start, end = der.only(self.request, der.SEQUENCE)
        tbs = self.request[start:end]
        return sign_ocsp_request(tbs, key, certificate.public_bytes(Encoding.DER))  # type: ignore[arg-type]

    def connect(self, stack: ExitStack, server: str, name: str | None = None) -> list[HTTPConnection]:
        """Connections that stay open, to every worker of a server, as a verifier or as nobody: eight at least."""
        served, found = self.servers[server], list[HTTPConnection]()
        while len(found) < CONNECTIONS or self.reached(server, found) != set(served.workers()):
            assert len(found) < 100, "a worker takes no connections"
            connection = self._connection(served, name)
            connection.connect()
            stack.enter_context(closing(connection))
            found.append(connection)
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
        return found

    def reached(self, server: str, connections: list[HTTPConnection]) -> set[int]:
        """Which workers of a server have the other ends of these."""
        port = self.servers[server].port
        inodes = {}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, *_, inode = line.split()[:10]
            if int(local.partition(":")[2], 16) == port:
                inodes[int(remote.partition(":")[2], 16)] = f"socket:[{inode}]"
        mine = {inodes.get(one.sock.getsockname()[1]) for one in connections if one.sock is not None}
        return {worker for worker in self.servers[server].workers() if mine & _sockets(worker)}

    def _connection(self, served: Served, name: str | None) -> HTTPConnection:
        if served.scheme == "http":
            return HTTPConnection(served.host, served.port, timeout=30)
        folder = self.state / "credentials" / (name or "hopeful")
        context = ssl.create_default_context(cafile=folder / "authority.pem")
        if name:
            context.load_cert_chain(folder / "client.pem", folder / "client.key")
        return HTTPSConnection(served.host, served.port, timeout=30, context=context)

    def fingerprint(self, name: str) -> bytes:
        pem = (self.state / "credentials" / name / "client.pem").read_bytes()
        return hashlib.sha256(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).digest()


def _sockets(process: int) -> set[str]:
    return {str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir() if link.is_symlink()}


@contextmanager
def closed_to_others(state: Path) -> Iterator[Scene]:
    """The scene in a new state directory, with the API and both sorts of status servers."""
    initialise(
        state,
        api="127.0.0.1:0",
        status="127.0.0.1:0",
        template=template().replace('\naccess = "open"', '\naccess = "notified-verifiers"'),
        clock=system_clock,
        random=system_random,
        on_step=lambda _step: None,
    )
    with closing(assemble(state)) as services, ExitStack() as stack:
        folders = state / "credentials"
        for name in ("aoi", "ken"):
            enrol(services, Party(0, Role.OPERATOR, name), LOCAL_OPERATOR, folder=folders / name, life=LIFE)
        city = Party(0, Role.MUNICIPALITY, "kiyose", KIYOSE.code)
        enrol(services, city, LOCAL_OPERATOR, folder=folders / "kiyose", life=LIFE)
        stranger = Party(0, Role.VERIFIER, "hopeful", kinds=frozenset(Kind))
        enrol(services, stranger, LOCAL_OPERATOR, folder=folders / "hopeful", life=LIFE)
        card = _issue(services)
        publish_due(services.publisher)
        make_class_key(services, Standing.ACCREDITED_PRIVATE.value)
        publish_due_filters(services)
        places = {"api": state, "event-loop": state, "threads": _with_threads(services, state)}
        servers = {
            name: stack.enter_context(serving("api" if name == "api" else "status", place))
            for name, place in places.items()
        }
        scene = Scene(state, services, servers, card)
        for wanted in (BANK, SHOP, CLUB, STEADY):
            handed = Handed(folders / wanted.name, LIFE)
            add_verifier(services, wanted, scene.officers(), None, "shown", handed, "for the test")
        yield scene


def _issue(services: Services) -> SoftwareCard:
    """A card with a signing certificate of somebody in the sample."""
    with SAMPLE.open("rb") as octets:
        assert not load_residents(services.intake, LOCAL_OPERATOR, octets, Format.CSV).faults
    code = ResidentCode(HOLDER["resident_code"])
    with services.begin(write=False) as work:
        resident = work.residents.find(*services.sealer.indexes(code))
        caller = work.parties.find(Role.MUNICIPALITY.value, "kiyose")
    assert resident
    assert caller
    card = Card("card", day_in_japan(services.clock() + 900 * LIFE / 30))
    pair = issue(
        services.authority,
        make_application(caller=caller, resident_code=code, attributes=resident.attributes, card=card),
    )
    return SoftwareCard(pair.certificates[Kind.SIGNATURE], holder_key("rsa", 0))


def _with_threads(services: Services, state: Path) -> Path:
    """The same state, but for a setting; with the mark of the register, which is there from now on."""
    assert services.register_mark.read() is not None
    other = state.with_name("threads")
    other.mkdir()
    for part in state.iterdir():
        (other / part.name).symlink_to(part)
    (other / "jpki.toml").unlink()
    text = (state / "jpki.toml").read_text("utf-8")
    assert 'server = "event-loop"' in text
    (other / "jpki.toml").write_text(text.replace('server = "event-loop"', 'server = "threads"'), "utf-8")
    return other
