"""The command: text in two languages, JSON, exit codes, and help that reads well."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import Kind as IssuedKind
from jpki_verify import Code, Reason, Verifier
from jpki_verify.certificates import Holder
from jpki_verify.command import main
from jpki_verify.messages import message
from jpki_verify.ocsp_answer import Status, Word
from jpki_verify.rejection import Unusable
from jpki_verify.status import Ask
from tests.support.authority import NOW, make_issuer
from tests.support.operator import card_signs
from tests.support.requests import holder_key
from tests.support.specimens import at_hand, holder_certificate, open_verifier

CARD = holder_key("rsa")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


Run = Callable[..., Ended]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an operator has at hand."""
    open_verifier(tmp_path)
    for name, profile in (("login", "authentication-rsa2048"), ("signing", "signature-rsa2048")):
        (tmp_path / f"{name}.cer").write_bytes(holder_certificate(profile))
    (tmp_path / "contract").write_bytes(b"contract")
    (tmp_path / "contract.sig").write_bytes(card_signs(CARD, b"contract"))
    return tmp_path


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """The command in that folder; one source calls everything good, or says what `ask` says."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    real = Verifier.open

    def run(*words: str, ask: Ask | None = None, config: str = "operator/jpki-verify.toml") -> Ended:
        def opened(path: Path, **parts: Any) -> Verifier:
            made = at_hand(real(path, **{"clock": lambda: NOW, **parts}))
            if ask:
                made.sources["ocsp"] = ask
            return made

        monkeypatch.setattr(Verifier, "open", opened)
        with pytest.raises(SystemExit) as ended:
            main(["--config", config, *words])
        out, err = capsysbinary.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, out.decode(), err.decode())

    return run


def test_a_good_certificate(command: Run) -> None:
    ended = command("certificate", "login.cer", "--kind", "authentication")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "Confirmed"
    assert ended.out.splitlines()[-1] == "Keep the handle, and nothing of the certificate."
    assert "Status by: ocsp" in ended.out


def test_offline_nobody_is_asked(command: Run) -> None:
    ended = command("certificate", "login.cer", "--kind", "authentication", "--offline")
    assert ended.code == 0
    assert "issued by authentication" in ended.out
    assert "status: not asked" in ended.out


def test_in_json(command: Run) -> None:
    facts = command("--json", "certificate", "login.cer", "--kind", "authentication").facts
    assert facts["outcome"] == "confirmed"
    assert facts["verdict"] == "confirmed"
    assert facts["handle"].startswith("1-")


def test_in_japanese(command: Run) -> None:
    ended = command("--language", "ja", "certificate", "login.cer", "--kind", "signature")
    assert ended.code == 1
    assert ended.out.splitlines()[0] == "証明書の種類が異なります"


def says(word: Word) -> Ask:
    def ask(holder: Holder, now: datetime, nonce: bytes) -> Status:
        return Status(word, now, NOW)

    return ask


def away(holder: Holder, now: datetime, nonce: bytes) -> Status:
    raise Unusable(Reason.TRY_LATER)


@pytest.mark.parametrize(
    ("words", "ask", "exit_code", "code"),
    [
        pytest.param(("login.cer", "--kind", "signature"), None, 1, Code.WRONG_KIND, id="the-other-kind"),
        pytest.param(("contract", "--kind", "signature"), None, 1, Code.NO_CERTIFICATE, id="no-certificate"),
        pytest.param(("none", "--kind", "signature"), None, 2, Code.BAD_CONFIGURATION, id="no-file"),
        pytest.param(("login.cer", "--kind", "authentication"), says(Word.REVOKED), 1, Code.REVOKED, id="revoked"),
        pytest.param(("login.cer", "--kind", "authentication"), says(Word.UNKNOWN), 1, Code.NEVER_ISSUED, id="unknown"),
        pytest.param(("login.cer", "--kind", "authentication"), away, 3, Code.STATUS_AWAY, id="nobody-can-tell"),
    ],
)
def test_exit_codes(command: Run, words: tuple[str, ...], ask: Ask | None, exit_code: int, code: Code) -> None:
    ended = command("--json", "certificate", *words, ask=ask)
    assert (ended.code, ended.facts["outcome"]) == (exit_code, code.value)


def test_what_was_passed_over_and_since_when_is_told(command: Run) -> None:
    revoked = command("certificate", "login.cer", "--kind", "authentication", ask=says(Word.REVOKED))
    assert "Since: 2027-04-01T00:00:00Z" in revoked.out
    undecided = command("certificate", "login.cer", "--kind", "authentication", ask=away)
    assert "Could not tell: ocsp try-later" in undecided.out


def test_a_signed_document(command: Run, folder: Path) -> None:
    words = ("signature", "contract", "--certificate", "signing.cer", "--signature", "contract.sig")
    assert command(*words).code == 0
    (folder / "contract").write_bytes(b"another")
    assert command(*words).code == 1
    assert command("signature", "contract").code == 2


def test_a_log_in_at_a_terminal(command: Run, folder: Path) -> None:
    challenge = command("challenge").out
    (folder / "challenge").write_text(challenge)
    (folder / "challenge.sig").write_bytes(card_signs(CARD, challenge.encode()))
    words = (
        "login-challenge",
        "--challenge",
        "challenge",
        "--certificate",
        "login.cer",
        "--signature",
        "challenge.sig",
    )
    ended = command(*words)
    assert ended.code == 0
    assert command(*words).code == 1, "a challenge is good once"
    handle = ended.out.partition("Handle: ")[2].splitlines()[0]
    shown = command("evidence", handle).facts
    assert (shown["handle"], shown["source"]) == (handle, "ocsp")
    assert command("--json", "forget", handle).facts == {"erased": {"accounts": 1}}
    assert command("evidence").out == ""
    assert command("--json", "erase").facts == {"erased": {"challenges": 0, "accounts": 0, "evidence": 0}}
    assert command("--json", "challenge").facts["challenge"].startswith("jpki-verify challenge 1\n")


def test_check_config_is_content(command: Run) -> None:
    ended = command("check-config")
    assert ended.code == 0, ended.out
    assert "  - 4 trust anchors fit their pinned digests" in ended.out


def test_init_makes_what_check_config_explains(command: Run, folder: Path) -> None:
    assert command("init", config="new.toml").code == 0
    assert command("init", config="new.toml").code == 2, "nothing is overwritten"
    ended = command("--json", "check-config", config="new.toml")
    assert ended.code == 2
    assert ended.facts["next"] == ["anchor: want one [[anchor]] for each authority that you trust"]


def test_an_anchor_is_printed_as_the_settings_want_it(command: Run, folder: Path) -> None:
    issuer = make_issuer(IssuedKind.AUTHENTICATION)
    (folder / "authority.cer").write_bytes(issuer.certificate)
    printed = command("anchor", "authority.cer", "--kind", "authentication").out
    (row,) = tomllib.loads(printed)["anchor"]
    digest = hashlib.sha256(issuer.certificate).hexdigest()
    assert row == {"file": "authority.cer", "sha256": digest, "kind": "authentication"}
    assert command("anchor", "contract", "--kind", "authentication").code == 1


def test_help_names_every_command_and_the_codes(command: Run) -> None:
    ended = command("--help")
    assert ended.code == 0
    for said in ("check-config", "login-challenge", "3 nobody can tell now", "jpki-verify init"):
        assert said in ended.out
    assert max(map(len, ended.out.splitlines())) <= 120


def test_words_that_are_none(command: Run) -> None:
    ended = command("certificate", "login.cer", "--kind", "seal")
    assert ended.code == 2
    assert "invalid choice" in ended.err


@pytest.mark.parametrize("code", ["confirmed", *Code])
def test_every_outcome_has_words_in_two_languages(code: str) -> None:
    english, japanese = message(code, "en"), message(code, "ja")
    assert all((english.title, english.action, japanese.title, japanese.action))
    assert english.title.isascii()
    assert not japanese.title.isascii()
    assert not english.title.endswith(".")
