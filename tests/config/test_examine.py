"""`jpki check-config`: each kind of fault is planted, each is named, and many are named at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.examine import examine
from config.settings import load
from tests.support.terminal import Terminal

Plant = Callable[[Terminal], object]


def faults(terminal: Terminal) -> list[str]:
    return examine(load(terminal.state), terminal.clock.now)


def swap(terminal: Terminal, first: str, second: str) -> None:
    """Exchange two files of the state directory."""
    one, other = terminal.state / first, terminal.state / second
    aside = one.rename(terminal.state / "aside")
    other.rename(one)
    aside.rename(other)


def remove(name: str) -> Plant:
    return lambda terminal: (terminal.state / name).unlink()


def write(name: str, content: bytes) -> Plant:
    return lambda terminal: (terminal.state / name).write_bytes(content)


def open_to_all(name: str) -> Plant:
    return lambda terminal: (terminal.state / name).chmod(0o644)


def edit(before: str, after: str) -> Plant:
    return lambda terminal: terminal.change_settings(before, after)


def forward(days: int) -> Plant:
    return lambda terminal: terminal.clock.forward(timedelta(days=days))


def test_a_new_authority_has_no_fault(terminal: Terminal) -> None:
    assert faults(terminal) == []
    said = terminal.do("check-config")
    assert said.out == f"{terminal.state}: no faults. 4 issuers, OCSP access notified-verifiers.\n"


NEVER_OPENS = "the key file does not open"

PLANTED = [
    pytest.param(lambda t: t.state.chmod(0o755), "is open to others; run: chmod 700", id="an open directory"),
    pytest.param(open_to_all("keys/audit.pem"), "audit.pem is open to others; run: chmod 600", id="an open key"),
    pytest.param(open_to_all("secrets/resident-seal"), "resident-seal is open to others", id="an open secret"),
    pytest.param(remove("secrets/resident-index"), "secret resident-index: No such file", id="a secret that is gone"),
    pytest.param(write("secrets/resident-seal", b"short"), "want 64 hex digits", id="a secret too short"),
    pytest.param(
        write("secrets/key-passphrase", b"other"), f"signature-g2.pem: {NEVER_OPENS}", id="another passphrase"
    ),
    pytest.param(remove("keys/signature-g1.pem"), "signature-g1.pem cannot be read: No such", id="a key that is gone"),
    pytest.param(write("keys/signature-g1.pem", b"x"), f"signature-g1.pem: {NEVER_OPENS}", id="a key that is none"),
    pytest.param(
        lambda t: swap(t, "keys/signature-g1.pem", "keys/authentication-g1.pem"),
        "signature-g1.pem: the key does not belong to its certificate",
        id="keys exchanged",
    ),
    pytest.param(remove("certs/signature-g1.cer"), "signature-g1.cer cannot be read", id="a certificate that is gone"),
    pytest.param(
        lambda t: swap(t, "certs/signature-g1.cer", "certs/signature-g1-ocsp.cer"),
        "signature-g1 is not the self-signed certificate of an authority",
        id="certificates exchanged",
    ),
    pytest.param(
        write("certs/authentication-g2-ocsp.cer", b"x"),
        "authentication-g2-ocsp.pem: the certificate beside the key cannot be read",
        id="a responder's certificate that is none",
    ),
    pytest.param(
        lambda t: swap(t, "certs/signature-g1-ocsp.cer", "certs/authentication-g1-ocsp.cer"),
        "signature-g1-ocsp.pem: the key does not belong to its certificate",
        id="responders exchanged",
    ),
    pytest.param(forward(100), "responder certificate of signature-g1 is not valid now", id="responders that ended"),
    pytest.param(forward(400), "api-server.pem is not valid now; run: jpki responders renew", id="an API that ended"),
    pytest.param(forward(3700), "issuer signature-g1 has ended; write issuing = false", id="issuers that ended"),
    pytest.param(forward(7301), "transport-ca.pem is not valid now", id="a transport authority that ended"),
    pytest.param(remove("certs/api-server.pem"), "api-server.pem cannot be read", id="no certificate of the API"),
    pytest.param(write("certs/transport-ca.pem", b"x"), "transport-ca.pem is not a certificate", id="no trust"),
    pytest.param(
        lambda t: swap(t, "keys/api-server.pem", "keys/transport-ca.pem"),
        "api-server.pem: the key does not belong to its certificate",
        id="keys of the transport exchanged",
    ),
    pytest.param(
        lambda t: swap(t, "keys/audit.pem", "keys/signature-g1.pem"),
        "audit.pub is not the public half of audit.pem",
        id="another audit key",
    ),
    pytest.param(remove("certs/audit.pub"), "audit.pub cannot be read", id="no public audit key"),
    pytest.param(edit('"signature-p384"', '"signature-p999"'), "there is no profile signature-p999", id="no profile"),
    pytest.param(
        edit('"signature-p384"', '"authentication-p384"'),
        "profile authentication-p384 is for authentication, not for signature",
        id="a profile for something else",
    ),
    pytest.param(write("profiles/ca-p384.toml", b"purpose = 7"), "ca-p384.toml: ", id="a profile with faults"),
    pytest.param(edit("# weak_keys =", "weak_keys ="), "weak-keys.txt cannot be read", id="no list of weak keys"),
    pytest.param(edit("sqlite:///jpki.db", "sqlite:///jpki.bd"), "there is no database file", id="no database"),
    pytest.param(edit("sqlite:///jpki.db", "mysql://a/b"), "the database must be", id="a database of another make"),
    pytest.param(write("jpki.db", b""), "the database has no tables of this program", id="an empty database"),
    pytest.param(edit("127.0.0.1:8080", "127.0.0.1:8443"), "are the same address", id="one address for both"),
]


@pytest.mark.parametrize(("plant", "fault"), PLANTED)
def test_a_planted_fault_is_named(plant: Plant, fault: str, terminal: Terminal) -> None:
    plant(terminal)
    said = terminal("check-config")
    assert (said.code, said.out) == (2, "")
    assert fault in said.err


def test_many_planted_faults_are_named_at_once_and_each_once(terminal: Terminal) -> None:
    chosen = [case for case in PLANTED if case.id in ("an open key", "a key that is gone", "no trust", "no profile")]
    chosen += [case for case in PLANTED if case.id in ("a responder's certificate that is none", "no database")]
    for case in chosen:
        plant: Any = case.values[0]
        plant(terminal)
    found = faults(terminal)
    for case in chosen:
        assert sum(str(case.values[1]) in fault for fault in found) == 1, found
    assert len(found) == len(set(found))


def test_two_broken_issuers_are_both_named(terminal: Terminal) -> None:
    for name in ("signature-g1", "authentication-g2"):
        (terminal.state / "certs" / f"{name}.cer").unlink()
    found = faults(terminal)
    assert sum("cannot be read" in fault for fault in found) == 2


def test_a_retired_generation_that_ended_is_no_fault(terminal: Terminal) -> None:
    terminal.change_settings('id = "signature-g', 'issuing = false\nid = "signature-g')
    terminal.change_settings('id = "authentication-g', 'issuing = false\nid = "authentication-g')
    terminal.clock.forward(timedelta(days=366 * 40))
    found = [fault for fault in faults(terminal) if "issuer" in fault or "responder certificate" in fault]
    assert found == []


def test_a_database_that_is_away_keeps_no_service_from_starting(terminal: Terminal, tmp_path: Path) -> None:
    settings = load(terminal.state)
    away = replace(settings, database=f"postgresql://nobody@/nothing?host={tmp_path}")
    missing = replace(settings, database=f"sqlite:///{tmp_path / 'missing.db'}")
    assert examine(away, terminal.clock.now, database_away=True) == []
    assert "cannot be used at the moment" in "".join(examine(away, terminal.clock.now))
    assert "there is no database file" in "".join(examine(missing, terminal.clock.now, database_away=True))


def test_examination_changes_nothing(terminal: Terminal) -> None:
    def stamps() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in terminal.state.rglob("*") if "jpki.db" not in path.name}

    before = stamps()
    assert faults(terminal) == []
    assert stamps() == before


def test_no_fault_tells_a_secret(terminal: Terminal) -> None:
    secrets = [path.read_text().strip() for path in (terminal.state / "secrets").iterdir()]
    (terminal.state / "secrets" / "key-passphrase").write_text("other passphrase")
    (terminal.state / "secrets" / "resident-seal").write_text(secrets[0][:-2])
    text = "\n".join(faults(terminal))
    assert "other passphrase" not in text
    assert not any(secret[:60] in text for secret in secrets)
