"""`jpki mass`: what a preview shows, what confirms it, and what a run, a status and a cancellation say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest

from domain.events import Act
from domain.parties import LOCAL_OPERATOR
from mass.run import step
from tests.support.terminal import HOLDER, RESIDENTS, Said, Terminal, issue_pair

KIYOSE, HINO = "132217", "132128"


@pytest.fixture(autouse=True)
def in_no_hurry_and_not_nice() -> Iterator[None]:
    """The tests' own process keeps its priority, and nobody sleeps."""
    with patch("cli.mass.os.nice") as nice, patch("cli.mass.time.sleep") as sleep:
        yield
    assert (nice.call_count > 0) is (sleep.call_count > 0)


@pytest.fixture
def office(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A terminal of an authority that issued one pair."""
    issue_pair(terminal, tmp_path / "pair")
    return terminal


def words_of(said: Said) -> dict[str, str]:
    """The last lines of a preview, or the lines of a status."""
    return dict(line.split("\t", 1) for line in said.out.splitlines() if line.count("\t") == 1)


def previewed(terminal: Terminal, *words: str | Path) -> tuple[str, str]:
    """The id and the token of a preview."""
    told = words_of(terminal.do("mass", "preview", *words))
    return told["event"], told["token"]


def test_a_preview_counts_and_does_nothing(office: Terminal) -> None:
    said = office.do("mass", "preview", "hold", "--municipality", KIYOSE, "--issued-from", "2020-01-01")
    assert "132217\tsignature\tcard\theld\tcertificate-hold\t1" in said.out
    assert "signature-g1/13221.crl\t0\t1\t49" in said.out
    told = words_of(said)
    assert (told["changes in all"], told["seconds, about"]) == ("2", "1")
    assert "nothing was done" in said.err
    assert [row["act"] for row in office.audit()][-1] == Act.MASS_PREVIEWED.value
    assert [row["state"] for row in office.do("mass", "status").rows] == ["previewed"]


def test_what_was_previewed_is_done_with_its_token(office: Terminal) -> None:
    event, token = previewed(office, "hold", "--kind", "signature", "--carrier", "card", "--issuer", "signature-g1")
    wrong = office("mass", "run", event, "--confirm", "0" * 16)
    assert (wrong.code, "idempotency-mismatch" in wrong.err) == (1, True)
    done = office.do("mass", "run", event, "--confirm", token)
    assert done.out == f"{event} is done: 1 held; the preview counted 1 changes\n"
    status = words_of(office.do("mass", "status", event))
    assert (status["state"], status["tally"], status["step"]) == ("done", "held=1", status["steps"])
    assert words_of(office.do("mass", "resume", event)) == {}
    assert "held" in office.do("explain", "--resident", "-", typed=HOLDER["resident_code"] + "\n").out


def test_an_interrupted_run_is_resumed_and_a_cancelled_one_is_not(office: Terminal) -> None:
    event, token = previewed(office, "revoke", "--cause", "issuer-key")
    early = office("mass", "resume", event)
    assert (early.code, "out-of-order" in early.err) == (1, True)
    with patch("cli.mass.run_event", side_effect=KeyboardInterrupt):
        assert office("mass", "run", event, "--confirm", token).code == 130
    with closing(office.services()) as services:
        step(services.mass, event, LOCAL_OPERATOR)
    assert words_of(office.do("mass", "status", event))["state"] == "running"
    cancelled = office.do("mass", "cancel", event)
    assert cancelled.out.startswith(f"{event} is cancelled after step 1 of 2: 1 revoked; ")
    assert "cancelled" in office.do("mass", "resume", event).out
    assert office("mass", "run", event, "--confirm", token).code == 1


def test_a_list_of_codes_narrows_the_selection_and_its_faults_are_told_without_values(
    office: Terminal, tmp_path: Path
) -> None:
    path = tmp_path / "codes.csv"
    path.write_text(f"resident_code\n{HOLDER['resident_code']}\n12345678901\n")
    bad = office("mass", "preview", "hold", "--list", path)
    assert (bad.code, "line 3: resident_code must be" in bad.err) == (1, True)
    assert "12345678901" not in bad.out + bad.err
    path.write_text(f"resident_code\n{HOLDER['resident_code']}\n")
    event, token = previewed(office, "hold", "--list", path)
    assert "2 held" in office.do("mass", "run", event, "--confirm", token, "--rest", "0").out


def test_addresses_are_renamed_and_municipalities_merged(office: Terminal, tmp_path: Path) -> None:
    event, token = previewed(
        office, "rename", "--municipality", KIYOSE, "--old", "東京都清瀬市", "--new", "東京都清瀬市新"
    )
    assert "records" in office.do("mass", "run", event, "--confirm", token).out
    path = tmp_path / "list.jsonl"
    row = {"resident_code": HOLDER["resident_code"], "address": "東京都日野市新町１"}
    path.write_text(json.dumps(row) + "\n")
    event, token = previewed(office, "merge", "--municipality", KIYOSE, "--into", HINO, "--list", path)
    assert "1 records" in office.do("mass", "run", event, "--confirm", token).out
    assert "新町" not in "".join(map(str, office.audit()))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("hold", "--issuer", "other"), "there is no issuer other"),
        (("hold", "--profile", "other"), "there is no profile of this name"),
        (("hold", "--municipality", "132218"), "check digit is wrong"),
        (("hold", "--issued-from", "yesterday"), "YYYY-MM-DD"),
        (("rename", "--municipality", KIYOSE), "give --old and --new"),
        (("rename", "--municipality", KIYOSE, "--old", "東京都"), "give --old and --new"),
    ],
)
def test_wrong_words_are_told(terminal: Terminal, words: tuple[str, ...], told: str) -> None:
    said = terminal("mass", "preview", *words)
    assert (said.code, told in said.err) == (2, True)


def test_a_selection_with_nothing_to_do_is_refused(terminal: Terminal) -> None:
    said = terminal("mass", "preview", "hold")
    assert (said.code, "nothing would change" in said.err) == (1, True)
    assert RESIDENTS


def test_a_profile_is_named_or_given_by_its_digest(office: Terminal) -> None:
    told = words_of(office.do("mass", "preview", "hold", "--profile", "signature-rsa2048"))
    assert told["changes in all"] == "1"
    assert "nothing would change" in office("mass", "preview", "hold", "--profile", "0" * 64).err
