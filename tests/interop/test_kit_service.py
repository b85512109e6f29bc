"""The example service of the kit, run as its operator would, against the real services: what it leaves behind."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.certificates import IssuerId
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene
from tests.support.judges import run
from tests.support.operator import card_signs, spellings, write_settings
from tests.support.requests import holder_key
from tests.support.serving import ROOT, Served, running

pytestmark = [pytest.mark.interop, pytest.mark.slow]

HOLDERS = {"good": 0, "card-lost": 1, "holder-moved": 2, "stopped": 3, "expired": 4, "unrecorded": 0}
KEYS = {"g1": "rsa", "g2": "ec"}


def key_of(issuer: IssuerId, fate: str) -> Any:
    kind, _, generation = issuer.partition("-")
    return holder_key(KEYS[generation], 2 * HOLDERS[fate] + (kind == "authentication"))


@dataclass
class Client:
    """A browser with a card; it keeps every octet that the service said."""

    served: Served
    cookie: str = ""
    said: list[bytes] = field(default_factory=list)

    def ask(self, method: str, path: str, **content: bytes) -> tuple[int, Any]:
        connection = HTTPConnection(self.served.host, self.served.port, timeout=30)
        body = json.dumps({name: base64.b64encode(octets).decode() for name, octets in content.items()})
        headers = {"Content-Type": "application/json", **({"Cookie": self.cookie} if self.cookie else {})}
        connection.request(method, path, body if content else None, headers)
        response = connection.getresponse()
        octets = response.read()
        for name, value in response.getheaders():
            if name == "Set-Cookie":
                self.cookie = value.partition(";")[0]
        self.said += [str(response.getheaders()).encode(), *unwrapped(self.cookie), octets]
        connection.close()
        return response.status, json.loads(octets)

    def log_in(self, certificate: bytes, key: Any, *, signs: bytes | None = None) -> tuple[int, Any]:
        _, asked = self.ask("POST", "/challenge")
        challenge = asked["challenge"].encode()
        return self.ask("POST", "/log-in", certificate=certificate, signature=card_signs(key, signs or challenge))


def unwrapped(cookie: str) -> Iterator[bytes]:
    """A cookie, and what is inside its base64."""
    yield cookie.encode()
    for part in re.split(r"[=.]", cookie):
        yield base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) if len(part) % 4 != 1 else b""


@dataclass(frozen=True)
class Operator:
    folder: Path
    served: Served
    client: Client


@pytest.fixture(scope="module")
def operator(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("operator") / "bank"
    settings = write_settings(
        folder,
        [scene.services.issuers[issuer] for issuer in ISSUERS],
        scene.credential("bank"),
        status={
            "ocsp": f"{scene.notified.url}/ocsp",
            "lists": f"{scene.notified.url}/crl",
            "patience_seconds": 60,
            "filters": "filters",
            "filters_url": f"{scene.api.url}/v1/filters",
        },
        handles={"url": f"{scene.api.url}/v1/handles"},
        store={"evidence_days": 30},
    )
    (folder / "session.key").write_bytes(b"s" * 32)
    asks_filters = settings.read_text("utf-8").replace("[status]", '[status]\nsources = ["filter"]')
    (folder / "filter.toml").write_text(asks_filters, "utf-8")
    (folder / "temporary").mkdir()
    program = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--threads", "4"]
    program += ["--access-logfile", str(folder / "access.log"), "--log-level", "debug"]
    program += ["--pythonpath", f"{ROOT / 'kit'},{ROOT / 'kit' / 'example'}"]
    program += [f"service:create_app({str(settings)!r}, {str(folder / 'session.key')!r})"]
    with pytest.MonkeyPatch.context() as patched:
        for name in ("TMPDIR", "SQLITE_TMPDIR"):
            patched.setenv(name, str(folder / "temporary"))
        with running(*program) as served:
            yield Operator(folder, served, Client(served))


def served_everybody(scene: Scene, operator: Operator) -> dict[tuple[str, str], int]:
    """Everybody logs in, and signs a contract; the statuses by certificate."""
    statuses: dict[tuple[str, str], int] = {}
    for issuer in ISSUERS:
        for fate in HOLDERS:
            certificate, key = scene.certificates[issuer, fate], key_of(issuer, fate)
            if issuer.startswith("authentication"):
                statuses[issuer, fate] = operator.client.log_in(certificate, key)[0]
            else:
                parts = {"document": b"contract", "certificate": certificate, "signature": card_signs(key, b"contract")}
                statuses[issuer, fate] = operator.client.ask("POST", "/contract", **parts)[0]
    return statuses


def test_the_service_lets_in_who_is_good_and_keeps_the_handle_only(scene: Scene, operator: Operator) -> None:
    certificate, key = scene.certificates[IssuerId("authentication-g2"), "good"], key_of(ISSUERS[3], "good")
    status, first = operator.client.log_in(certificate, key)
    assert status == 200
    _, who = operator.client.ask("GET", "/")
    assert re.fullmatch(r"1-[a-z2-7]{40}", who["person"])
    _, again = operator.client.log_in(certificate, key)
    assert again == first, "whoever comes back is recognised, in whatever worker"
    assert operator.client.ask("POST", "/log-out")[1] == {"person": None}


def test_a_challenge_is_good_once_in_all_workers(scene: Scene, operator: Operator) -> None:
    certificate, key = scene.certificates[IssuerId("authentication-g1"), "good"], key_of(ISSUERS[1], "good")
    _, asked = operator.client.ask("POST", "/challenge")
    cookie = operator.client.cookie
    signed = {"certificate": certificate, "signature": card_signs(key, asked["challenge"].encode())}
    answers = []
    for _ in range(4):
        operator.client.cookie = cookie
        answers.append(operator.client.ask("POST", "/log-in", **signed))
    assert [status for status, _ in answers] == [200, 403, 403, 403]
    assert answers[1][1]["code"] == "wrong-challenge"


def test_a_byte_search_over_everything_finds_no_serial(scene: Scene, operator: Operator) -> None:
    """Responses, cookies, logs, answers with handles, the database, filters and temporary files of an operator whom
    everybody visited, with every outcome there is; and the command, printing all it can."""
    statuses = served_everybody(scene, operator)
    good = {place for place, status in statuses.items() if status == 200}
    moved = {(issuer, "holder-moved") for issuer in ISSUERS if issuer.startswith("authentication")}
    assert good == {(issuer, "good") for issuer in ISSUERS} | moved
    key, certificate = key_of(ISSUERS[1], "good"), scene.certificates[ISSUERS[1], "good"]
    assert operator.client.log_in(certificate, key, signs=b"something else")[0] == 403
    assert operator.client.ask("POST", "/log-in", certificate=b"x", signature=b"x")[0] == 403
    assert operator.client.ask("POST", "/log-in")[0] == 403
    printed = [command(operator, scene, tmp) for tmp in ((), ("--json",), ("--language", "ja"))]
    printed.append(by_filter := command(operator, scene, ("--json",), "filter.toml"))
    assert b'"source": "filter"' in by_filter
    assert b'"outcome": "revoked"' in by_filter
    files = {path.name: path.read_bytes() for path in operator.folder.rglob("*") if path.is_file()}
    assert {"jpki-verify.db", "access.log", "jpki-verify.toml", "class.key"} <= files.keys()
    assert {f"{issuer}.base.filter" for issuer in ISSUERS} <= files.keys()
    assert b"/log-in" in files["access.log"]
    told = {**files, "log": operator.served.log.encode(), "said": b"\n".join([*operator.client.said, *printed])}
    assert b"revoked" in told["said"]
    assert b"(base" in told["said"]
    anchors = {f"{issuer}.cer" for issuer in ISSUERS}
    for place, octets in scene.certificates.items():
        marks = spellings(octets)
        found = [(name, mark) for name, text in told.items() for mark in marks if marks[mark] in text]
        assert [hit for hit in found if hit[0] not in anchors] == [], place


def command(operator: Operator, scene: Scene, options: tuple[str, ...], settings: str = "jpki-verify.toml") -> bytes:
    """What the command prints of filters, and of a good and of a revoked certificate, by either kind."""
    words = [sys.executable, "-m", "jpki_verify", "--config", operator.folder / settings, *options]
    printed = shell([*words, "filters"])
    for fate in ("good", "card-lost"):
        path = scene.path("authentication-g1", fate)
        printed += shell([*words, "certificate", path, "--kind", "authentication"])
        printed += shell([*words, "certificate", path, "--kind", "signature"])
    return printed + shell([*words, "erase"]) + shell([*words, "check-config", "--online"])


def shell(words: list[Any]) -> bytes:
    """Standard output and error of a command, whatever it ends with."""
    quoted = " ".join(f"'{word}'" for word in words)
    text: str = run("sh", "-c", f"PYTHONPATH={ROOT / 'kit'} {quoted} 2>&1 || true")
    return text.encode()


def test_every_spelling_would_be_found(scene: Scene) -> None:
    """The search is no better than its list: each spelling is made here by another way, and must be on it."""
    octets = scene.certificates[ISSUERS[0], "good"]
    certificate = asn1.Certificate.load(octets)
    serial = certificate.serial_number
    marks = spellings(octets)
    raw = certificate["tbs_certificate"]["serial_number"].contents
    planted: dict[str, bytes | str] = {
        "in DER": certificate["tbs_certificate"]["serial_number"].dump(),
        "in Python": repr(serial),
        "in hex by Python": f"{serial:x}",
        "in openssl's text": f"{raw[0]:02x}:" + ":".join(f"{octet:02x}" for octet in raw[1:]),
        "in openssl -serial": run("openssl", "x509", "-in", scene.path(ISSUERS[0], "good"), "-noout", "-serial"),
        "in a certificate": octets,
        "in a certificate as PEM": scene.path(ISSUERS[0], "good").read_bytes(),
        "in little endian": raw[::-1],
        "in JSON": json.dumps({"serial": serial}),
    }
    for offset in range(3):
        planted[f"in base64 at {offset}"] = base64.b64encode(b"abc"[:offset] + raw + b"tail")
        planted[f"in base64url at {offset}"] = base64.urlsafe_b64encode(b"abc"[:offset] + raw[::-1] + b"tail")
    for name, text in planted.items():
        hay = text if isinstance(text, bytes) else text.encode()
        assert any(mark in hay for mark in marks.values()), name


def test_the_software_card_logs_in(scene: Scene, operator: Operator, tmp_path: Path) -> None:
    pem = key_of(ISSUERS[1], "good").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    card = ROOT / "kit" / "example" / "card.py"
    told = run(sys.executable, card, operator.served.url, scene.path(ISSUERS[1], "good"), tmp_path / "key.pem")
    assert re.fullmatch(r'\{"welcome": "customer \w{6}"\}\n', told)
