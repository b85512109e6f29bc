"""An authority whose issuers' keys are in a token (SoftHSM): made there, used there, never in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca.issue import issue
from ca.revoke import revoke_resident
from config.assemble import Services, assemble, system_clock, system_random
from config.document import ConfigurationFaults
from config.enrolment import enrol
from config.examine import examine
from config.initialise import initialise
from config.renewal import renew_due
from config.rules import template
from config.settings import load
from config.succession import found_missing
from crl.publish import publish_due
from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR
from domain.people import ResidentCode
from keys.pkcs11 import Pkcs11Signer
from residents.load import load_residents
from residents.rows import Format
from tests.support.authority import KIYOSE, KIYOSE_CITY, make_application, make_revocation
from tests.support.judges import openssl_verify
from tests.support.requests import make_pair
from tests.support.responder import make_cert_id, make_ocsp_request
from tests.support.serving import serving
from tests.support.terminal import RESIDENTS, SAMPLE
from tests.support.tokens import PIN, TokenStore, softhsm_module

pytestmark = pytest.mark.softhsm

DAY = timedelta(days=1)
LABELS = ("signature-g1", "authentication-g1", "signature-g2", "authentication-g2")


def settings_of(token: str, pin: Path, labels: str = "") -> str:
    """The demonstration's settings with every issuer's keys in a token; `labels` goes before each label."""
    text = re.sub(
        r'^id = "(.*)"$',
        rf'id = "\1"\nkey = {{ token = "{labels}\1" }}\nresponder_key = {{ token = "{labels}\1-ocsp" }}',
        template().replace('access = "notified-verifiers"', 'access = "open"'),
        flags=re.MULTILINE,
    )
    where = f'module = "{softhsm_module()}"\nlabel = "{token}"\npin = {{ file = "{pin}" }}'
    return f"{text}\n[token]\n{where}\n"


def found(state: Path, settings: str) -> None:
    initialise(
        state,
        api="localhost:0",
        status="127.0.0.1:0",
        template=settings,
        clock=system_clock,
        random=system_random,
        on_step=lambda _step: None,
    )


@pytest.fixture(scope="module")
def pin(tokens: TokenStore) -> Path:
    """The file of the PIN of all tokens."""
    file = tokens.folder / "pin"
    file.touch(0o600)
    file.write_text(f"{PIN}\n")
    return file


@pytest.fixture(scope="module")
def state(pin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority with its keys in the token `authority`, that 清瀬市 may call."""
    state = tmp_path_factory.mktemp("house") / "state"
    found(state, settings_of("authority", pin))
    with closing(assemble(state)) as services, SAMPLE.open("rb") as file:
        enrol(services, KIYOSE_CITY, LOCAL_OPERATOR, folder=state / "kiyose", life=DAY)
        assert not load_residents(services.intake, LOCAL_OPERATOR, file, Format.CSV).faults
    return state


@pytest.fixture
def services(state: Path) -> Iterator[Services]:
    with closing(assemble(state)) as services:
        yield services


def issued(services: Services, kind: str, number: int) -> dict[Kind, bytes]:
    """A pair for one of the sample's residents."""
    code = ResidentCode(RESIDENTS[number]["resident_code"])
    with services.begin(write=False) as work:
        resident = work.residents.find(*services.sealer.indexes(code))
    assert resident is not None
    requests = make_pair(kind, number)
    application = make_application(
        key=f"pair {number}", resident_code=code, attributes=resident.attributes, requests=requests
    )
    return dict(issue(services.authority, application).certificates)


def test_no_issuers_key_is_in_a_file_and_nothing_is_missing(state: Path) -> None:
    assert sorted(path.stem for path in (state / "keys").iterdir()) == [
        "api-server",
        "audit",
        "receipts",
        "transport-ca",
    ]
    assert examine(load(state), system_clock()) == []


@pytest.mark.parametrize(("kind", "generation", "number"), [("rsa", "g1", 0), ("ec", "g2", 1)])
def test_certificates_and_lists_are_signed_there(
    services: Services, tmp_path: Path, kind: str, generation: str, number: int
) -> None:
    pair = issued(services, kind, number)
    code = ResidentCode(RESIDENTS[number]["resident_code"])
    assert issued(services, kind, number) == pair
    publish_due(services.publisher, force=True)
    for word in ("OK", "certificate revoked"):
        for of, certificate in pair.items():
            issuer = IssuerId(f"{of.value}-{generation}")
            scope = Scope(issuer, KIYOSE.code)
            files = [tmp_path / name for name in ("leaf.pem", "issuer.pem", "list.pem")]
            files[0].write_bytes(pem_of(certificate))
            files[1].write_bytes(pem_of(services.issuers[issuer].certificate))
            octets = (services.settings.crl_directory / scope.path).read_bytes()
            files[2].write_bytes(x509.load_der_x509_crl(octets).public_bytes(Encoding.PEM))
            arguments = ("-crl_check", "-CAfile", files[1], "-CRLfile", files[2])
            assert openssl_verify(files[0], *arguments) == word
        revoke_resident(services.authority, make_revocation(key=f"lost {number}", resident_code=code))
        publish_due(services.publisher, force=True)


def pem_of(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


def test_workers_of_the_status_service_answer_from_there(services: Services, state: Path) -> None:
    pair = issued(services, "rsa", 2)
    serial = x509.load_der_x509_certificate(pair[Kind.SIGNATURE]).serial_number
    cert_id = make_cert_id(serial, services.issuers[IssuerId("signature-g1")])
    with serving("status", state) as served:
        for _ in range(8):  # by both workers, sooner or later
            asked = Request(  # noqa: S310
                f"{served.url}/ocsp",
                make_ocsp_request(cert_id),
                {"Content-Type": "application/ocsp-request", "Connection": "close"},
            )
            with urlopen(asked, timeout=30) as response:  # noqa: S310
                assert ocsp.load_der_ocsp_response(response.read()).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_responders_are_renewed_over_the_keys_they_have(services: Services) -> None:
    before = {id_: key.certificate for id_, key in services.responder.keys.items()}
    assert set(LABELS) <= set(renew_due(services, everyone=True))
    with closing(assemble(services.settings.state)) as again:
        for id_, key in again.responder.keys.items():
            old, new = (x509.load_der_x509_certificate(each) for each in (before[id_], key.certificate))
            assert old.serial_number != new.serial_number
            assert old.public_key() == new.public_key()


def test_a_key_that_is_there_is_not_taken_for_a_new_one(pin: Path, tmp_path: Path, state: Path) -> None:
    with pytest.raises(Refusal, match="holds a key labelled signature-g1 already") as told:
        found(tmp_path / "second", settings_of("authority", pin))
    assert told.value.code is Code.BAD_CONFIGURATION
    assert not (tmp_path / "second").exists()
    assert examine(load(state), system_clock()) == []


def test_a_key_that_a_ceremony_made_is_taken_when_settings_say_so(pin: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    found(state, settings_of("other", pin, "first-"))
    with closing(assemble(state)) as services:
        services.signers.token.make("ceremony", "rsa-2048")
        key = services.signers.token.public("ceremony")
    text = (state / "jpki.toml").read_text("utf-8")
    added = "".join(
        f'[[issuer]]\nid = "{kind}-g3"\nkind = "{kind}"\ngeneration = "g3"\nprofile = "{kind}-rsa2048"\n'
        f'authority_profile = "ca-rsa2048"\nkey = {{ token = "{label}", existing = {existing} }}\nissuing = false\n'
        for kind, label, existing in (("signature", "ceremony", "true"), ("authentication", "fresh", "false"))
    )
    (state / "jpki.toml").write_text(text + added, "utf-8")
    with closing(assemble(state)) as services:
        assert found_missing(services) == ["signature-g3", "authentication-g3"]
        signer = services.issuer_signers[IssuerId("signature-g3")]
    assert isinstance(signer, Pkcs11Signer)
    assert signer.public == key
    assert examine(load(state), system_clock()) == []


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        pytest.param('label = "authority"', 'label = "nowhere"', "there is no token", id="another-token"),
        pytest.param(r"module = .*", 'module = "nowhere.so"', "module cannot be loaded", id="no-module"),
        pytest.param(r'token = "signature-g1"', 'token = "absent"', "holds no key", id="no-key"),
        pytest.param(r"pin = .*", 'pin = { env = "NO_SUCH_PIN" }', "is empty or missing", id="no-pin"),
        pytest.param(r'token = "signature-g1"', 'token = "authentication-g1"', "does not belong", id="another-key"),
    ],
)
def test_what_does_not_fit_is_told_by_check_config(
    state: Path, tmp_path: Path, before: str, after: str, why: str
) -> None:
    house = tmp_path / "state"
    house.mkdir(0o700)
    for part in state.iterdir():
        (house / part.name).symlink_to(part)
    (house / "jpki.toml").unlink()
    text = re.sub(before, after, (state / "jpki.toml").read_text("utf-8"), count=1)
    (house / "jpki.toml").write_text(text, "utf-8")
    faults = examine(load(house), system_clock())
    assert any(why in fault for fault in faults), faults
    assert PIN not in str(faults)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        pytest.param('key = { token = "a" }', "token: is missing; a key is in it", id="no-token"),
        pytest.param('key = { token = "" }', "want a file, or", id="no-label"),
        pytest.param('key = { token = "a", existing = "yes" }', "want a file, or", id="no-flag"),
        pytest.param('key = { tokn = "a" }', "want a file, or", id="misspelt"),
    ],
)
def test_settings_that_make_no_sense_are_told(tmp_path: Path, written: str, why: str) -> None:
    text = template().replace('id = "signature-g1"', f'id = "signature-g1"\n{written}')
    (tmp_path / "jpki.toml").write_text(text.replace("@API@", "127.0.0.1:1").replace("@STATUS@", "127.0.0.1:2"))
    with pytest.raises(ConfigurationFaults, match=re.escape(why)):
        load(tmp_path)
