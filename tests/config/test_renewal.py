"""Renewal: certificates that services work under are made anew in time, with their keys, and on record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from config.assemble import Services
from config.examine import examine
from config.renewal import RECEIPTS, SERVER, renew_due
from domain.events import Act
from keys.transport import make_transport_authority
from oversight.trail import read_row
from tests.support.people import serial_of
from tests.support.terminal import Terminal

ISSUERS = ["signature-g1", "authentication-g1", "signature-g2", "authentication-g2"]
DAY = timedelta(days=1)


@pytest.fixture
def services(terminal: Terminal) -> Iterator[Services]:
    services = terminal.services()
    yield services
    services.close()


def responder(terminal: Terminal, issuer: str) -> x509.Certificate:
    return x509.load_der_x509_certificate((terminal.state / "certs" / f"{issuer}-ocsp.cer").read_bytes())


def server(terminal: Terminal) -> x509.Certificate:
    return x509.load_pem_x509_certificate((terminal.state / "certs" / "api-server.pem").read_bytes())


@pytest.mark.parametrize(
    ("days", "renewed"),
    [
        pytest.param(0, [], id="nothing at first"),
        pytest.param(59, [], id="nothing while a third of a responder's life is left"),
        pytest.param(61, ISSUERS, id="the responders after two thirds"),
        pytest.param(200, ISSUERS, id="the responders when they have ended"),
        pytest.param(270, [*ISSUERS, SERVER, RECEIPTS], id="the API's server and the receipts after two thirds"),
    ],
)
def test_what_is_due_is_renewed(days: int, renewed: list[str], services: Services, terminal: Terminal) -> None:
    terminal.clock.forward(days * DAY)
    assert renew_due(services) == renewed
    assert renew_due(services) == []


def test_everything_can_be_renewed_at_once(services: Services) -> None:
    assert renew_due(services, everyone=True) == [*ISSUERS, SERVER, RECEIPTS]


def test_the_keys_stay_and_the_lives_begin_anew(services: Services, terminal: Terminal) -> None:
    before = [responder(terminal, issuer) for issuer in ISSUERS] + [server(terminal)]
    terminal.clock.forward(300 * DAY)
    renew_due(services)
    after = [responder(terminal, issuer) for issuer in ISSUERS] + [server(terminal)]
    for old, new in zip(before, after, strict=True):
        assert new.public_key() == old.public_key()
        assert new.subject == old.subject
        assert new.serial_number != old.serial_number
        assert new.not_valid_before_utc == terminal.clock.now
    assert examine(services.settings, terminal.clock.now) == []


def test_each_renewal_of_a_responder_is_on_record(services: Services, terminal: Terminal) -> None:
    terminal.clock.forward(61 * DAY)
    renew_due(services)
    with services.begin(write=False) as work:
        told = [read_row(row) for row in work.audit.rows()][-4:]
    assert {row.act for row in told} == {Act.RESPONDER_RENEWED}
    assert [row.facts for row in told] == [
        {
            "issuer": issuer,
            "certificate": hashlib.sha256(responder(terminal, issuer).public_bytes(Encoding.DER)).hexdigest(),
        }
        for issuer in ISSUERS
    ]


@pytest.mark.parametrize("content", [None, b"damaged"], ids=["missing", "damaged"])
def test_a_responders_certificate_that_is_lost_is_made_anew(
    content: bytes | None, services: Services, terminal: Terminal
) -> None:
    path = terminal.state / "certs" / "signature-g1-ocsp.cer"
    path.unlink()
    if content:
        path.write_bytes(content)
    assert renew_due(services) == ["signature-g1"]
    assert examine(services.settings, terminal.clock.now) == []


def test_another_processs_renewal_is_seen(services: Services, terminal: Terminal) -> None:
    terminal.clock.forward(61 * DAY)
    other = terminal.services()
    assert renew_due(other) == ISSUERS
    other.close()
    assert renew_due(services) == []


def test_no_responder_outlives_its_issuer_and_none_is_renewed_in_vain(services: Services, terminal: Terminal) -> None:
    ends = {issuer.id: issuer.validity.not_after for issuer in services.issuers.values()}
    terminal.clock.now = min(ends.values()) - 10 * DAY
    renewed = renew_due(services)
    last = responder(terminal, "signature-g1").not_valid_after_utc
    assert "signature-g1" in renewed
    assert last == min(ends.values())
    terminal.clock.forward(9 * DAY)
    assert renew_due(services) == []


def test_the_end_of_one_generation_does_not_stop_the_others(services: Services, terminal: Terminal) -> None:
    ends = {issuer.id: issuer.validity.not_after for issuer in services.issuers.values()}
    terminal.clock.now = ends[services.settings.issuers[0].id] + DAY
    renewed = renew_due(services, everyone=True)
    assert renewed[:-2] == [issuer for issuer in ISSUERS if ends[services.issuers[issuer].id] > terminal.clock.now]  # type: ignore[index]
    assert "signature-g2" in renewed
    assert "signature-g1" not in renewed


def test_a_server_certificate_from_elsewhere_is_left_alone(services: Services, terminal: Terminal) -> None:
    key = ec.derive_private_key(serial_of("elsewhere").value, ec.SECP256R1())
    own = make_transport_authority(key, "Elsewhere", serial_of("own"), terminal.clock.now, DAY)
    path = terminal.state / "certs" / "api-server.pem"
    path.write_bytes(own.public_bytes(Encoding.PEM))
    assert SERVER not in renew_due(services, everyone=True)
    assert path.read_bytes() == own.public_bytes(Encoding.PEM)


def test_nothing_is_left_beside_the_certificates(services: Services, terminal: Terminal) -> None:
    before = names(terminal.state)
    renew_due(services, everyone=True)
    assert names(terminal.state) == before


def names(state: Path) -> set[str]:
    return {path.name for path in (state / "certs").iterdir()}
