"""Settings: the shipped template is without fault, every planted fault is named, and no text breaks the reader."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import rules
from config.document import ConfigurationFaults, Secret, Section
from config.settings import Settings, load, read
from domain.certificates import Kind

TEMPLATE = rules.template().replace("@API@", "127.0.0.1:8443").replace("@STATUS@", "127.0.0.1:8080")


def write(folder: Path, text: str | bytes) -> Path:
    (folder / "jpki.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def faults_of(folder: Path, text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(ConfigurationFaults) as caught:
        load(write(folder, text))
    return caught.value.faults


def changed(*changes: tuple[str, str]) -> str:
    text = TEMPLATE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return text


def test_the_template_is_without_fault(tmp_path: Path) -> None:
    made = load(write(tmp_path, TEMPLATE))
    assert [issuer.id for issuer in made.issuers] == [
        "signature-g1",
        "authentication-g1",
        "signature-g2",
        "authentication-g2",
    ]
    assert made.database == f"sqlite:///{tmp_path}/jpki.db"
    assert made.secrets.key_passphrase == Secret(file=tmp_path / "secrets" / "key-passphrase")
    assert made.crl.lifetime == timedelta(hours=48)
    assert made.ocsp.access == "notified-verifiers"
    assert made.locations.ocsp == "http://127.0.0.1:8080/ocsp"
    assert set(made.names) == set(Kind)


def test_paths_are_absolute_wherever_the_program_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, TEMPLATE)
    monkeypatch.chdir(tmp_path.parent)
    made = load(Path(tmp_path.name))
    assert made.state == tmp_path
    assert made.issuers[0].key == tmp_path / "keys" / "signature-g1.pem"


def test_settings_hold_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key-passphrase").write_text("hunter2")
    assert "hunter2" not in repr(load(write(tmp_path, TEMPLATE)))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        pytest.param('"sqlite:///jpki.db"', "", "jpki.toml: Invalid value", id="no TOML at all"),
        pytest.param("[database]", "[databse]", "databse: nobody knows this key", id="a misspelt table"),
        pytest.param("poll_seconds", "pol_seconds", "crl.pol_seconds: nobody knows this key", id="a misspelt key"),
        pytest.param('url = "sqlite:///jpki.db"', "", "database.url: is missing", id="no database"),
        pytest.param(
            "sqlite:///jpki.db", "postgresql://a:secret@host/b", "database.url: holds a password", id="a password"
        ),
        pytest.param(
            '{ file = "secrets/resident-seal" }', '"0123"', "secrets.resident_seal: want a refer", id="a secret"
        ),
        pytest.param(
            '[["C", "JP"], ["O", "JPKI-DEMO"]', '[["O", "A"], ["O", "B"]', "begin with C, O and OU", id="a name"
        ),
        pytest.param('kind = "signature"', 'kind = "seal"', "issuer[0].kind: want one of", id="a kind"),
        pytest.param('id = "signature-g1"', 'id = "Signature G1"', "issuer[0].id: want up to 46 small", id="an id"),
        pytest.param(
            'id = "signature-g2"', 'id = "signature-g1"', "issuer: signature-g1 stands twice", id="an id twice"
        ),
        pytest.param(
            'generation = "g2"',
            'generation = "g1"',
            "two signature issuers share generation g1",
            id="a generation twice",
        ),
        pytest.param(
            'generation = "g2"', 'generation = "g3"', "generation g3 has no issuing authentication peer", id="no peer"
        ),
        pytest.param("http://127.0.0.1:8080/crl", "ftp://x", "locations.crl: want an http(s) URL", id="an odd URL"),
        pytest.param("http://127.0.0.1:8080/crl", "http://x/", "without a slash at the end", id="a slash at the end"),
        pytest.param("http://127.0.0.1:8080/crl", "http://公的", "in ASCII", id="a URL in Japanese"),
        pytest.param('access = "notified-verifiers"', 'access = "all"', "ocsp.access: want one of", id="access"),
        pytest.param(
            "answer_minutes = 60", "answer_minutes = 0", "ocsp.answer_minutes: want a whole", id="no lifetime"
        ),
        pytest.param(
            "lifetime_hours = 48", "lifetime_hours = 12", "crl: lifetime must be longer", id="lists with gaps"
        ),
        pytest.param('"127.0.0.1:8443"', '"127.0.0.1"', "api.bind: want host:port", id="no port"),
        pytest.param('"127.0.0.1:8443"', '"127.0.0.1:70000"', "api.bind: want host:port", id="a port too high"),
        pytest.param('"127.0.0.1:8443"', '"公的:8443"', "api.bind: want host:port", id="a host in Japanese"),
        pytest.param(
            "workers = 2\nthreads", "workers = 0\nthreads", "api.workers: want a whole number", id="no workers"
        ),
        pytest.param("workers = 2", "workers = 0", "batches.workers: want a whole number", id="no workers on batches"),
        pytest.param("queue = 20000", "queue = 9", "batches: a queue must hold", id="a queue too short for a batch"),
        pytest.param(
            "poll_milliseconds = 250",
            "poll_milliseconds = 5000",
            "status_model.poll_milliseconds: must be less than max_age_seconds",
            id="a model that is never believed",
        ),
    ],
)
def test_a_planted_fault_is_named(before: str, after: str, fault: str, tmp_path: Path) -> None:
    assert any(fault in found for found in faults_of(tmp_path, changed((before, after))))


def test_all_planted_faults_are_named_at_once(tmp_path: Path) -> None:
    found = faults_of(
        tmp_path,
        changed(
            ("threads = 32", 'threads = "four"'),
            ("poll_seconds = 2", "poll_seconds = 0"),
            ('kind = "authentication"', 'kind = "none"'),
            ("[audit]", "[audit]\ncolour = 1"),
        ),
    )
    for place in ("api.threads", "crl.poll_seconds", "issuer[1].kind", "audit.colour"):
        assert any(fault.startswith(place) for fault in found)


def test_without_issuers_there_is_no_authority(tmp_path: Path) -> None:
    assert "issuer: at least one [[issuer]] is needed" in faults_of(tmp_path, TEMPLATE.partition("[[issuer]]")[0])


def test_a_retired_generation_needs_no_peer(tmp_path: Path) -> None:
    text = changed(('id = "signature-g2"', 'issuing = false\nid = "signature-g2"')).replace(
        'id = "authentication-g2"', 'issuing = false\nid = "authentication-g2"'
    )
    assert [issuer.issuing for issuer in load(write(tmp_path, text)).issuers] == [True, True, False, False]


def test_a_database_elsewhere_is_left_as_it_is(tmp_path: Path) -> None:
    text = changed(("sqlite:///jpki.db", "postgresql://jpki@db.example/jpki"))
    assert load(write(tmp_path, text)).database == "postgresql://jpki@db.example/jpki"


def test_an_address_with_a_password_lies_where_secrets_lie(tmp_path: Path) -> None:
    text = changed(('"sqlite:///jpki.db"', '{ env = "JPKI_DATABASE_URL" }'))
    assert load(write(tmp_path, text)).database == Secret(environment="JPKI_DATABASE_URL")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"a = " + b"[" * 5000, id="brackets without end"),
        pytest.param(b"a = " + b"9" * 5000, id="a number without end"),
        pytest.param(b"a = 2027-02-30", id="a day that is none"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_file_that_makes_no_sense_is_a_fault_of_configuration(text: bytes, tmp_path: Path) -> None:
    assert faults_of(tmp_path, text)


def test_a_directory_in_the_files_place_is_a_fault_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "jpki.toml").mkdir()
    with pytest.raises(ConfigurationFaults, match="cannot be read: Is a directory"):
        load(tmp_path)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
GOOD: dict[str, Any] = tomllib.loads(TEMPLATE)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """The template with something else in a few places, at any depth."""
    document: dict[str, Any] = tomllib.loads(TEMPLATE)
    for _ in range(draw(st.integers(1, 4))):
        place: Any = document
        while True:
            key = draw(st.sampled_from(list(place) if hasattr(place, "keys") else range(len(place))))
            inner: object = place[key]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                break
            place = inner
        place[key] = draw(anything)
    return document


@given(documents())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_document_holds_it_gives_settings_or_faults(document: dict[str, Any]) -> None:
    root = Section("", document, [], Path("/state"))
    assert isinstance(read(root), Settings)
    assert all(root.faults)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), anything))
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_stands_under_known_names_gives_settings_or_faults(document: dict[str, Any]) -> None:
    root = Section("", document, [], Path("/state"))
    assert isinstance(read(root), Settings)
    assert root.faults


@given(st.text() | st.binary())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_it_gives_faults(tmp_path: Path, text: str | bytes) -> None:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    assert faults_of(tmp_path, content)
