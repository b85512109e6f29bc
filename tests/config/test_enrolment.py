"""Enrolment: a party gets a credential that works, once it is on record, and nothing is left of one that failed."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from config.assemble import Services
from config.enrolment import enrol
from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR, Party, Role
from oversight.trail import read_row
from tests.support.authority import SAPPORO
from tests.support.requests import holder_key, make_request
from tests.support.terminal import Terminal
from verifiers import registry

BANK = Party(0, Role.VERIFIER, "bank", kinds=frozenset({Kind.SIGNATURE}))
CITY = Party(0, Role.MUNICIPALITY, SAPPORO.code.value, SAPPORO.code)
YEAR = timedelta(days=365)


@pytest.fixture
def services(terminal: Terminal) -> Iterator[Services]:
    services = terminal.services()
    yield services
    services.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "credential"


def enrolled(services: Services, party: Party, folder: Path, **given: Any) -> x509.Certificate:
    enrol(services, party, LOCAL_OPERATOR, folder=folder, life=YEAR, **given)
    return x509.load_pem_x509_certificate((folder / "client.pem").read_bytes())


def refused(services: Services, party: Party, folder: Path, **given: Any) -> Code:
    with pytest.raises(Refusal) as refusal:
        enrolled(services, party, folder, **given)
    return refusal.value.code


def acts(services: Services) -> list[Act]:
    with services.begin(write=False) as work:
        return [read_row(row).act for row in work.audit.rows()]


@pytest.mark.parametrize("party", [BANK, CITY], ids=["a verifier", "a municipality"])
def test_a_partys_folder_holds_key_certificate_and_trust(party: Party, services: Services, folder: Path) -> None:
    certificate = enrolled(services, party, folder)
    assert {path.name for path in folder.iterdir()} == {"authority.pem", "client.key", "client.pem"}
    key = load_pem_private_key((folder / "client.key").read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    assert stat.S_IMODE((folder / "client.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes()))


def test_the_credential_is_registered_for_its_party(services: Services, folder: Path) -> None:
    certificate = enrolled(services, BANK, folder)
    credential = services.register.credential(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest())
    assert credential is not None
    assert credential.party.label == "verifier:bank"
    assert credential.party.kinds == {Kind.SIGNATURE}
    assert credential.usable(services.clock())
    assert acts(services)[-2:] == [Act.PARTY_ADDED, Act.CREDENTIAL_ADDED]


def test_a_key_of_ones_own_stays_with_its_owner(services: Services, folder: Path) -> None:
    certificate = enrolled(services, BANK, folder, request=make_request("rsa"))
    assert {path.name for path in folder.iterdir()} == {"authority.pem", "client.pem"}
    assert certificate.public_key() == holder_key("rsa").public_key()


def test_a_request_may_be_in_pem(services: Services, folder: Path) -> None:
    request = x509.load_der_x509_csr(make_request("ec")).public_bytes(Encoding.PEM)
    assert enrolled(services, BANK, folder, request=request).public_key() == holder_key("ec").public_key()


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(b"", Code.MALFORMED, id="nothing"),
        pytest.param(b"-----BEGIN NONSENSE-----", Code.MALFORMED, id="PEM of something else"),
        pytest.param(make_request()[:-1] + b"\x00", Code.BAD_REQUEST_SIGNATURE, id="a signature by nobody"),
        pytest.param(
            make_request(key=ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))), Code.BAD_KEY, id="Ed25519"
        ),
    ],
)
def test_a_request_that_proves_nothing_is_refused(
    request_: bytes, code: Code, services: Services, folder: Path
) -> None:
    before = acts(services)
    assert refused(services, BANK, folder, request=request_) is code
    assert not folder.exists()
    assert acts(services) == before


def test_a_municipalitys_lists_exist_before_its_first_certificate(services: Services, folder: Path) -> None:
    enrolled(services, CITY, folder)
    with services.begin(write=False) as work:
        scopes = {record.scope for record in work.lists.scopes()}
    assert {Scope(IssuerId(id_), SAPPORO.code) for id_ in services.issuers} <= scopes


def test_one_more_credential_is_added_to_the_same_party(services: Services, folder: Path, tmp_path: Path) -> None:
    enrolled(services, BANK, folder)
    enrolled(services, BANK, tmp_path / "second")
    with services.begin(write=False) as work:
        party = registry.find_party(work, Role.VERIFIER, "bank")
        assert len(work.parties.credentials(party.id)) == 2


def test_a_party_on_record_is_not_changed_by_the_way(services: Services, folder: Path, tmp_path: Path) -> None:
    until = services.clock() + YEAR
    enrolled(services, replace(BANK, in_force_until=until), folder)
    again = tmp_path / "again"
    assert refused(services, replace(BANK, kinds=frozenset(Kind)), again) is Code.ALREADY_APPLIED
    assert refused(services, replace(BANK, in_force_until=until + YEAR), again) is Code.ALREADY_APPLIED
    enrolled(services, BANK, again)
    assert again.is_dir()


def test_a_suspended_party_gets_no_credential(services: Services, folder: Path, tmp_path: Path) -> None:
    enrolled(services, BANK, folder)
    with services.begin() as work:
        registry.suspend(work, registry.find_party(work, Role.VERIFIER, "bank"), services.clock(), LOCAL_OPERATOR)
        work.commit()
    assert refused(services, BANK, tmp_path / "again") is Code.NOT_ADMITTED


def test_a_folder_that_exists_is_not_touched(services: Services, folder: Path) -> None:
    folder.mkdir()
    assert refused(services, BANK, folder) is Code.BAD_CONFIGURATION
    assert list(folder.iterdir()) == []


def test_a_long_name_is_cut_in_the_certificate_and_nowhere_else(services: Services, folder: Path) -> None:
    name = "株式会社" + "長" * 40
    certificate = enrolled(services, replace(BANK, name=name), folder)
    common_name = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    assert isinstance(common_name, str)
    assert f"verifier:{name}".startswith(common_name)
    assert 60 < len(common_name.encode()) <= 64
    with services.begin(write=False) as work:
        assert registry.find_party(work, Role.VERIFIER, name).name == name


def test_a_credential_that_could_not_be_written_is_not_registered(services: Services, folder: Path) -> None:
    before = acts(services)
    with (
        patch("config.enrolment.write_public", side_effect=OSError(28, "No space left on device")),
        pytest.raises(OSError, match="No space left"),
    ):
        enrolled(services, BANK, folder)
    assert not folder.exists()
    assert acts(services) == before


def test_no_credential_outlives_the_transport_authority(services: Services, terminal: Terminal, folder: Path) -> None:
    terminal.clock.forward(timedelta(days=7200))
    certificate = enrolled(services, BANK, folder)
    authority = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
    assert certificate.not_valid_after_utc == authority.not_valid_after_utc


def test_an_authority_that_has_ended_certifies_nobody(services: Services, terminal: Terminal, folder: Path) -> None:
    terminal.clock.forward(timedelta(days=7300))
    assert refused(services, BANK, folder) is Code.BAD_CONFIGURATION


@pytest.mark.parametrize(
    ("name", "content"),
    [("keys/transport-ca.pem", b"x"), ("certs/transport-ca.pem", b"x"), ("secrets/key-passphrase", b"other")],
)
def test_a_broken_transport_authority_is_refused_in_words(
    name: str, content: bytes, services: Services, terminal: Terminal, folder: Path
) -> None:
    enrolled(services, CITY, folder.with_name("before"))
    (terminal.state / name).write_bytes(content)
    assert refused(services, BANK, folder) is Code.BAD_CONFIGURATION
