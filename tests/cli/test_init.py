"""`jpki init`: a whole state directory, private and encrypted, or nothing at all."""

from __future__ import annotations

import stat
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from config import rules
from domain.errors import Code, Refusal
from tests.support.authority import TurnedClock
from tests.support.terminal import Terminal

ISSUERS = [f"{kind}-{generation}" for kind in ("signature", "authentication") for generation in ("g1", "g2")]


@pytest.fixture
def new(clock: TurnedClock, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "new", clock)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def template(folder: Path, *changes: tuple[str, str]) -> Path:
    """The demonstration settings with changes, as a file."""
    text = rules.template()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = folder / "template.toml"
    path.write_text(text, "utf-8")
    return path


def test_everything_is_there_and_only_its_owner_may_read_it(new: Terminal) -> None:
    said = new.do("init")
    assert said.out.endswith(f"{new.state} is ready. Next: jpki --state {new.state} municipalities enrol 132217\n")
    assert mode(new.state) == 0o700
    private = [*new.state.glob("keys/*"), *new.state.glob("secrets/*"), new.state / "jpki.db", new.state / "jpki.toml"]
    assert len(private) == 2 * len(ISSUERS) + 4 + 5 + 2
    assert {mode(path) for path in private} == {0o600}


def test_every_key_is_encrypted_with_the_passphrase_in_its_own_file(new: Terminal) -> None:
    new.do("init")
    passphrase = (new.state / "secrets" / "key-passphrase").read_bytes().strip()
    for path in new.state.glob("keys/*.pem"):
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        load_pem_private_key(path.read_bytes(), passphrase)
    secrets = {path.read_bytes() for path in new.state.glob("secrets/*")}
    assert len(secrets) == 5
    assert all(len(bytes.fromhex(secret.decode().removeprefix("1:"))) == 32 for secret in secrets)


def test_what_was_made_has_no_fault_and_can_be_used_at_once(new: Terminal) -> None:
    new.do("init")
    assert "no faults" in new.do("check-config").out
    assert new.do("crl", "publish").out == "4 published, 0 not due, 0 refused\n"
    assert new.do("audit", "verify").out.startswith("14 rows, unbroken")
    assert new.do("check").out == "database, OCSP, lists and audit trail agree\n"


def test_the_generations_of_an_authority_share_their_name_and_not_their_key(new: Terminal) -> None:
    new.do("init")
    g1, g2 = (x509.load_der_x509_certificate((new.state / "certs" / f"{i}.cer").read_bytes()) for i in ISSUERS[:2])
    assert g1.subject.public_bytes() == g2.subject.public_bytes()
    assert g1.public_key() != g2.public_key()
    assert "JPKI-DEMO" in g1.subject.rfc4514_string()


def test_an_empty_directory_will_do(new: Terminal) -> None:
    new.state.mkdir(mode=0o755)
    new.do("init")
    assert mode(new.state) == 0o700


def test_a_link_to_an_empty_directory_will_do(new: Terminal, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    new.state.symlink_to(tmp_path / "disk")
    new.do("init")
    assert new.state.is_symlink()
    assert (tmp_path / "disk" / "jpki.toml").exists()


def test_missing_parents_are_made(clock: TurnedClock, tmp_path: Path) -> None:
    deep = Terminal(tmp_path / "a" / "b" / "state", clock)
    deep.do("init")
    assert "no faults" in deep.do("check-config").out


def test_a_directory_in_use_is_not_touched(new: Terminal) -> None:
    new.state.mkdir()
    (new.state / "precious").write_text("kept")
    said = new("init")
    assert said.code == 1
    assert f"{new.state} is in use and will not be touched" in said.err
    assert [path.name for path in new.state.iterdir()] == ["precious"]


def test_a_file_in_the_way_is_wrong_usage(new: Terminal) -> None:
    new.state.write_text("kept")
    assert new("init").code == 2
    assert new.state.read_text() == "kept"


def test_a_place_where_a_file_system_is_mounted_is_refused_in_words(new: Terminal) -> None:
    new.state.mkdir()
    with patch.object(Path, "is_mount", lambda path: path == new.state):
        said = new("init")
    assert said.code == 1
    assert "choose a directory inside it" in said.err


def test_the_given_addresses_stand_in_the_settings_and_in_the_apis_certificate(new: Terminal) -> None:
    new.do("init", "--api", "pki.example:9443", "--status", "[::1]:9080")
    text = (new.state / "jpki.toml").read_text("utf-8")
    assert 'bind = "pki.example:9443"' in text
    assert 'ocsp = "http://[::1]:9080/ocsp"' in text
    certificate = x509.load_pem_x509_certificate((new.state / "certs" / "api-server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pki.example", "localhost"]


def test_settings_of_ones_own_are_used(new: Terminal, tmp_path: Path) -> None:
    new.do("init", "--config", template(tmp_path, ("JPKI-DEMO", "JPKI-OTHER"), ("lifetime_hours = 48", "")))
    certificate = x509.load_der_x509_certificate((new.state / "certs" / "signature-g1.cer").read_bytes())
    assert "JPKI-OTHER" in certificate.subject.rfc4514_string()
    assert "lifetime_hours" not in (new.state / "jpki.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "code", "fault"),
    [
        pytest.param([('kind = "signature"', 'kind = "both"')], 2, "issuer[0].kind: want one of", id="a wrong setting"),
        pytest.param([("[crl]", "[crl")], 2, "jpki.toml: ", id="no TOML"),
        pytest.param([('"ca-p384"', '"ca-p999"')], 2, "there is no profile ca-p999", id="an unknown profile"),
        pytest.param([("sqlite:///", "mysql://")], 1, "the database must be", id="a database of another make"),
        pytest.param([("secrets/resident-seal", "secrets/resident-index")], 1, "File exists", id="two secrets in one"),
        pytest.param(
            [('{ file = "secrets/key-passphrase" }', '{ env = "JPKI_NO_SUCH" }')], 2, "empty or missing", id="no secret"
        ),
    ],
)
def test_settings_with_faults_leave_nothing_behind(
    changes: list[tuple[str, str]], code: int, fault: str, new: Terminal, tmp_path: Path
) -> None:
    config = template(tmp_path, *changes)
    said = new("init", "--config", config)
    assert said.code == code
    assert fault in said.err
    assert [path.name for path in tmp_path.iterdir()] == [config.name]


def test_settings_that_are_no_text_are_wrong_usage(new: Terminal, tmp_path: Path) -> None:
    config = tmp_path / "template.toml"
    config.write_bytes(b"\xff\xfe")
    said = new("init", "--config", config)
    assert said.code == 2
    assert "not UTF-8" in said.err


def test_a_failure_in_the_middle_leaves_nothing_behind(new: Terminal, tmp_path: Path) -> None:
    with patch("config.initialise.make_key", side_effect=Refusal(Code.STORE_UNAVAILABLE, "the disk is full")):
        assert new("init").code == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(new: Terminal, tmp_path: Path) -> None:
    with patch("config.initialise.make_key", side_effect=KeyboardInterrupt):
        assert new("init").code == 130
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_holds_an_authority_is_not_taken_over(
    new: Terminal, terminal: Terminal, tmp_path: Path
) -> None:
    said = new("init", "--config", template(tmp_path, ("sqlite:///jpki.db", f"sqlite:///{terminal.state}/jpki.db")))
    assert said.code == 1
    assert "the database holds an authority already" in said.err
    assert not new.state.exists()
    assert "unbroken" in terminal.do("audit", "verify").out
