"""Assembly: each part is made when it is asked for, from what it needs and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from config.assemble import Services, assemble, system_clock, system_random
from config.document import ConfigurationFaults
from config.watching import health_of
from crl.publish import publish_due
from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.lists import Scope
from tests.support.authority import KIYOSE
from tests.support.terminal import HOLDER, Terminal


@pytest.fixture
def services(terminal: Terminal) -> Iterator[Services]:
    services = terminal.services()
    yield services
    services.close()


def test_the_machines_clock_has_a_zone_and_whole_seconds() -> None:
    now = system_clock()
    assert now.utcoffset() == timedelta(0)
    assert now.microsecond == 0
    assert len(system_random(16)) == 16


def test_status_is_answered_where_no_issuing_key_is(services: Services, terminal: Terminal) -> None:
    for issuer in services.settings.issuers:
        assert isinstance(issuer.key, Path)
        issuer.key.unlink()
    assert set(services.responder.keys) == {row.id for row in services.settings.issuers}
    with pytest.raises(Refusal, match=r"signature-g1\.pem cannot be read"):
        _ = services.authority


def test_lists_are_published_where_no_resident_can_be_read(services: Services, terminal: Terminal) -> None:
    for name in ("resident-index", "resident-seal"):
        (terminal.state / "secrets" / name).unlink()
    assert publish_due(services.publisher).refused == ()
    with pytest.raises(ConfigurationFaults, match="secret resident-index: No such file"):
        _ = services.sealer


@pytest.mark.parametrize(
    ("part", "name"),
    [
        pytest.param(lambda s: s.begin, "keys/audit.pem", id="the audit key"),
        pytest.param(lambda s: s.issuers, "certs/signature-g1.cer", id="a certificate"),
        pytest.param(lambda s: s.responder, "keys/signature-g1-ocsp.pem", id="a responder's key"),
    ],
)
def test_a_missing_file_is_told_by_name(
    part: Callable[[Services], object], name: str, services: Services, terminal: Terminal
) -> None:
    (terminal.state / name).unlink()
    with pytest.raises(Refusal) as refused:
        part(services)
    assert refused.value.code is Code.BAD_CONFIGURATION
    assert refused.value.detail.startswith(f"{Path(name).name} cannot be read")


def test_an_address_kept_as_a_secret_is_read_when_it_is_needed(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.change_settings('"sqlite:///jpki.db"', '{ env = "JPKI_TEST_DATABASE" }')
    services = assemble(terminal.state)
    with pytest.raises(ConfigurationFaults, match="JPKI_TEST_DATABASE"):
        _ = services.database_url
    monkeypatch.setenv("JPKI_TEST_DATABASE", f"sqlite:///{terminal.state}/jpki.db")
    services.require_schema()
    with services.begin(write=False) as work:
        assert work.residents.count() == 20
    services.close()


def test_a_list_points_where_certificates_point(services: Services) -> None:
    scope = Scope(IssuerId("signature-g1"), KIYOSE.code)
    point = services.publisher.point(scope)
    assert b"http://127.0.0.1:8080/crl/signature-g1/13221.crl" in point
    assert b"Kiyose-shi CRLDP" in point


def test_health_tells_part_by_part(services: Services, terminal: Terminal) -> None:
    assert health_of(services) == {"database": True, "status": True, "responders": True, "lists": False, "disk": True}
    publish_due(services.publisher)
    assert set(health_of(services).values()) == {True}
    terminal.clock.forward(timedelta(days=3))
    assert health_of(services) == {"database": True, "status": True, "responders": True, "lists": False, "disk": True}
    terminal.clock.forward(timedelta(days=100))
    assert health_of(services) == {"database": True, "status": True, "responders": False, "lists": False, "disk": True}


def test_health_without_a_database(terminal: Terminal, services: Services) -> None:
    (terminal.state / "jpki.db").rename(terminal.state / "away.db")
    assert health_of(services) == {"database": False, "status": False, "responders": True, "lists": False, "disk": True}


def test_the_audit_head_is_checked_by_the_public_key_alone(services: Services, terminal: Terminal) -> None:
    with services.begin(write=False) as work:
        head = work.audit.head()
    assert head is not None
    services.settings.audit_key.unlink()
    octets = b"jpki audit head v1\x00" + head.sequence.to_bytes(8) + head.digest
    assert services.check_head(head.key_id, octets, head.signature)
    assert not services.check_head(head.key_id, octets + b"\x00", head.signature)
    assert not services.check_head("00" * 20, octets, head.signature)


def test_unknown_credentials_are_nobodys(services: Services) -> None:
    assert services.register.credential(bytes(32)) is None


def test_closing_twice_or_without_use_is_harmless(terminal: Terminal) -> None:
    services = assemble(terminal.state)
    services.close()
    services.close()
    with services.begin(write=False) as work:
        assert work.residents.count()
    services.close()


def test_nothing_assembled_shows_a_secret(services: Services, terminal: Terminal) -> None:
    secrets = [path.read_text().strip() for path in (terminal.state / "secrets").iterdir()]
    parts = (services, services.settings, services.sealer, services.authority, services.responder, services.publisher)
    text = "".join(repr(part) for part in parts)
    assert not any(secret in text for secret in secrets)
    assert HOLDER["resident_code"] not in text
    assert {issuer.kind for issuer in services.issuers.values()} == set(Kind)
