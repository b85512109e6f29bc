"""`jpki revoke`: by resident code, which is read from input and never shown, and never twice."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from domain.certificates import Kind
from domain.people import ResidentCode
from domain.revocation import RevocationCause
from tests.support.terminal import HOLDER, RESIDENTS, Said, Terminal, issue_pair

CODE = HOLDER["resident_code"]


@pytest.fixture
def holder(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A terminal where the holder's pair was issued."""
    issue_pair(terminal, tmp_path / "pair")
    return terminal


class Keyboard(io.StringIO):
    """Standard input with somebody sitting before it."""

    def isatty(self) -> bool:
        return True


def revoke(terminal: Terminal, cause: str, *more: str, code: str = CODE) -> Said:
    said = terminal("revoke", "--resident", "-", "--cause", cause, *more, typed=f"{code}\n")
    assert code not in said.out + said.err
    return said


def status(terminal: Terminal) -> dict[Kind, str]:
    """What OCSP would say of the holder's certificates."""
    services = terminal.services()
    with services.begin(write=False) as work:
        resident = work.residents.find(*services.sealer.indexes(ResidentCode(CODE)))
        assert resident is not None
        rows = work.certificates.of_resident(resident.id)
    words = {row.kind: services.status.status_of(row.issuer, row.serial).word for row in rows}
    services.close()
    return dict(words)


def test_both_are_revoked_at_once_and_a_receipt_is_given(holder: Terminal) -> None:
    said = revoke(holder, "card-lost")
    assert said.code == 0
    first, second, *effects = said.out.splitlines()
    assert first.startswith("receipt ")
    assert first.endswith(": revoked signature and authentication; stood already: nothing")
    assert second == "received 2027-04-01T00:00:00Z, committed 2027-04-01T00:00:00Z"
    assert effects == [f"  {kind.value} on card: revoked (key-compromise since 2027-04-01T00:00:00Z)" for kind in Kind]


def test_the_status_changes_with_the_command(holder: Terminal) -> None:
    assert status(holder) == {Kind.SIGNATURE: "good", Kind.AUTHENTICATION: "good"}
    revoke(holder, "key-report", "--kind", "signature")
    assert status(holder) == {Kind.SIGNATURE: "revoked", Kind.AUTHENTICATION: "good"}


def test_a_rehearsal_changes_nothing(holder: Terminal) -> None:
    said = revoke(holder, "card-lost", "--dry-run")
    assert said.out.splitlines() == [
        "would revoke: signature and authentication; stands already: nothing",
        "  signature on card: revoked (key-compromise since 2027-04-01T00:00:00Z)",
        "  authentication on card: revoked (key-compromise since 2027-04-01T00:00:00Z)",
    ]
    assert set(status(holder).values()) == {"good"}


def test_the_same_key_gives_the_same_receipt(holder: Terminal) -> None:
    first = revoke(holder, "card-lost", "--key", "loss-1")
    holder.clock.forward(timedelta(days=1))
    assert revoke(holder, "card-lost", "--key", "loss-1").out == first.out


def test_the_same_key_for_another_cause_is_refused(holder: Terminal) -> None:
    revoke(holder, "temporary-stop", "--key", "loss-1")
    said = revoke(holder, "card-lost", "--key", "loss-1")
    assert said.code == 1
    assert said.err.startswith("refused (idempotency-mismatch): ")


def test_without_a_key_each_run_is_a_request_of_its_own(holder: Terminal) -> None:
    first, second = revoke(holder, "temporary-stop"), revoke(holder, "card-lost")
    assert first.out.split(":")[0] != second.out.split(":")[0]
    assert second.code == 0


def test_the_code_may_stand_on_the_command_line(holder: Terminal) -> None:
    assert holder.do("revoke", "--resident", CODE, "--cause", "card-lost").out.startswith("receipt ")


def test_at_a_terminal_the_code_is_asked_for_and_not_shown(holder: Terminal) -> None:
    with patch("click.prompt", return_value=CODE) as prompt:
        said = holder.do("revoke", "--resident", "-", "--cause", "card-lost", typed=Keyboard())
    assert said.out.startswith("receipt ")
    assert prompt.call_args.kwargs["hide_input"] is True


@pytest.mark.parametrize(
    ("code", "why"),
    [
        pytest.param("92939297271", "the resident code's check digit is wrong", id="a wrong check digit"),
        pytest.param("929392972", "a resident code has eleven digits", id="too short"),
        pytest.param("霧島　透子", "a resident code has eleven digits", id="a name"),
    ],
)
def test_a_code_that_is_none_is_wrong_usage_and_not_repeated(code: str, why: str, terminal: Terminal) -> None:
    said = revoke(terminal, "card-lost", code=code)
    assert said.code == 2
    assert why in said.err


def test_nothing_typed_is_wrong_usage(terminal: Terminal) -> None:
    assert terminal("revoke", "--resident", "-", "--cause", "card-lost").code == 2


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        pytest.param("25208017643", "unknown-resident", id="nobody's code"),
        pytest.param(RESIDENTS[1]["resident_code"], "no-live-certificate", id="a resident without certificates"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["done", "rehearsed"])
def test_what_cannot_be_revoked_is_refused(more: tuple[str, ...], code: str, refusal: str, terminal: Terminal) -> None:
    said = revoke(terminal, "card-lost", *more, code=code)
    assert said.code == 1
    assert said.err.startswith(f"refused ({refusal}): ")


def test_a_cause_that_is_not_the_operators_is_refused(holder: Terminal) -> None:
    services = holder.services()
    others = [c for c in RevocationCause if "operator" not in services.authority.causes[c].by]
    services.close()
    assert others
    said = revoke(holder, others[0].value)
    assert (said.code, said.err.startswith("refused (cause-not-allowed): ")) == (1, True)


def test_an_unknown_cause_is_wrong_usage_and_the_known_ones_are_told(terminal: Terminal) -> None:
    said = terminal("revoke", "--resident", CODE, "--cause", "boredom")
    assert said.code == 2
    assert all(cause.value in said.err for cause in RevocationCause)
