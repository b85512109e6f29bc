"""`jpki verifiers` and `jpki parties`: who may call, with which credential, and until when."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.authority import KIYOSE
from tests.support.requests import make_request
from tests.support.terminal import Terminal


def add_bank(terminal: Terminal, *more: str | Path) -> Path:
    """The folder of a verifier's credential."""
    said = terminal.do("verifiers", "add", "bank", "--kind", "signature", *officers(terminal), *more)
    return Path(said.out.rpartition("its credential: ")[2].strip())


def officers(terminal: Terminal) -> list[str | Path]:
    """Two officers, registered when they are first asked for, as options."""
    folders = [terminal.state / "credentials" / f"operator-{name}" for name in ("aoi", "ken")]
    for folder in folders:
        if not folder.exists():
            terminal.do("parties", "add", "operator", folder.name.partition("-")[2])
    return [word for folder in folders for word in ("--officer", folder)]


def fingerprint(folder: Path) -> str:
    certificate = x509.load_pem_x509_certificate((folder / "client.pem").read_bytes())
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def test_a_verifier_is_added_with_what_it_has_notified(terminal: Terminal) -> None:
    two = officers(terminal)
    said = terminal.do("verifiers", "add", "銀行", "--kind", "authentication", "--kind", "signature", *two)
    folder = terminal.state / "credentials" / "verifier-銀行"
    assert said.out == f"銀行 may now ask about signature and authentication certificates; its credential: {folder}\n"
    assert terminal.do("verifiers", "list").rows == [
        {
            "name": "銀行",
            "standing": "accredited-private",
            "kinds": "authentication signature",
            "approved": "signature:identity-check authentication:log-in",
            "until": "2030-03-31 2030-03-31",
            "state": "in-force in-force",
            "credential (SHA-256)": fingerprint(folder),
            "credential until": "2028-03-31 00:00:00+00:00",
            "usable": "yes",
        }
    ]


def test_a_period_ends_with_the_last_second_of_its_last_day(terminal: Terminal) -> None:
    add_bank(terminal, "--until", "2027-04-30")
    assert terminal.do("verifiers", "list").rows[0]["until"] == "2027-04-30"


def test_a_verifier_may_keep_its_key_to_itself(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "request.der").write_bytes(make_request("rsa"))
    folder = add_bank(terminal, "--request", tmp_path / "request.der", "--out", tmp_path / "out")
    assert folder == tmp_path / "out"
    assert not (folder / "client.key").exists()


def test_a_name_with_a_slash_does_not_lead_out_of_the_state_directory(terminal: Terminal) -> None:
    said = terminal.do("verifiers", "add", "../../bank", "--kind", "signature", *officers(terminal))
    assert (terminal.state / "credentials" / "verifier-.._.._bank" / "client.pem").exists()
    assert said.err == ""


def test_a_verifier_without_a_kind_is_wrong_usage(terminal: Terminal) -> None:
    assert terminal("verifiers", "add", "bank").code == 2


def test_other_kinds_for_a_verifier_on_record_are_refused(terminal: Terminal, tmp_path: Path) -> None:
    add_bank(terminal)
    words = ("verifiers", "add", "bank", "--kind", "authentication", "--out", str(tmp_path / "second"))
    said = terminal(*words, *officers(terminal))
    assert said.code == 1
    assert "registered with other kinds" in said.err


def test_a_suspended_verifier_is_shown_as_such_until_two_officers_resume_it(terminal: Terminal, tmp_path: Path) -> None:
    add_bank(terminal)
    two = officers(terminal)

    def agreed(*words: str) -> str:
        made = terminal.do("verifiers", *words, "--reason", "an inspection", *two[:2])
        own = terminal("proposals", "confirm", made.out.split()[1], *two[:2])
        assert "refused (second-officer)" in own.err
        terminal.do("proposals", "confirm", made.out.split()[1], *two[2:])
        return terminal.do("verifiers", "list").rows[0]["state"]

    assert agreed("suspend", "bank") == "suspended"
    again = terminal("verifiers", "suspend", "bank", "--reason", "once more", *two[:2])
    assert (again.code, again.err) == (1, "refused (already-applied): the approval is suspended already\n")
    words = ("verifiers", "add", "bank", "--kind", "signature", "--out", tmp_path / "second")
    assert terminal(*words, *two).code == 1
    assert agreed("resume", "bank") == "in-force"
    assert agreed("end", "bank", "--kind", "signature") == "withdrawn"


def test_no_single_officer_adds_a_verifier(terminal: Terminal, tmp_path: Path) -> None:
    two = officers(terminal)
    words = ("verifiers", "add", "bank", "--kind", "signature", "--out", tmp_path / "bank")
    assert terminal(*words).code == 2
    assert terminal(*words, *two[:2]).code == 2
    said = terminal(*words, *two[:2], *two[:2])
    assert (said.code, "refused (second-officer)" in said.err) == (1, True)
    assert not (tmp_path / "bank").exists()
    assert terminal.do("verifiers", "list").rows == [], "nothing is left of what was refused"
    terminal.do(*words, *two)
    assert terminal.do("verifiers", "list").rows[0]["state"] == "in-force"


def test_the_terminal_alone_neither_stops_nor_equips_an_approved_verifier(terminal: Terminal) -> None:
    add_bank(terminal)
    said = terminal("parties", "suspend", "verifier", "bank")
    assert (said.code, "refused (second-officer)" in said.err) == (1, True)


def test_the_long_way_leads_there_too(terminal: Terminal, tmp_path: Path) -> None:
    two = officers(terminal)
    purposes = ("--purpose", "signature:contract", "--purpose", "authentication:log-in")
    terminal.do("verifiers", "apply", "shop", *purposes)
    assert terminal("verifiers", "approve", "shop", "--reason", "all is shown", *two[:2]).code == 1
    shown = terminal.do("verifiers", "show", "shop").rows
    wanted = [row["what"].strip() for row in shown if row["value"] == "missing"]
    assert "accreditation" in wanted
    told = [
        terminal.do("verifiers", "evidence", "shop", criterion, "--reference", f"file 12, {criterion}").out
        for criterion in wanted
    ]
    assert told[-1] == "still missing: nothing\n"
    (tmp_path / "shop.csr").write_bytes(make_request("rsa"))
    id_ = terminal.do("verifiers", "approve", "shop", "--until", "2028-03-31", "--reason", "all is shown", *two[:2]).out
    terminal.do("proposals", "confirm", id_.split()[1], *two[2:])
    assert terminal.do("verifiers", "list").rows[0]["state"] == "approved approved"
    said = terminal.do("verifiers", "notify", "shop")
    assert said.out == "shop may now ask about authentication and signature certificates\n"
    assert terminal.do("verifiers", "list").rows[0]["state"] == "in-force in-force"
    words = (
        "credential",
        "shop",
        "--request",
        tmp_path / "shop.csr",
        "--out",
        tmp_path / "shop",
        "--reason",
        "its first",
    )
    id_ = terminal.do("verifiers", *words, *two[:2]).out
    assert terminal.do("verifiers", "list").rows[0]["credential (SHA-256)"] == ""
    terminal.do("proposals", "confirm", id_.split()[1], *two[2:])
    assert terminal.do("verifiers", "list").rows[0]["credential (SHA-256)"] == fingerprint(tmp_path / "shop")
    terminal.do("audit", "verify")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_table_of_law_is_printed_with_its_sources(terminal: Terminal, language: str) -> None:
    rows = terminal.do("verifiers", "criteria", "--language", language).rows
    assert {row["what"] for row in rows} == {"standing", "criterion", "purpose"}
    assert all(row["source"] and row["title"] and row["verified"] in ("yes", "unverified") for row in rows)
    some = terminal.do("verifiers", "criteria", "--standing", "court").rows
    assert {row["standing"] for row in some} == {"court"}


def test_a_credential_is_withdrawn_and_its_party_stays(terminal: Terminal, tmp_path: Path) -> None:
    first, second = add_bank(terminal), add_bank(terminal, "--out", tmp_path / "second")
    terminal.do("verifiers", "withdraw", fingerprint(first))
    rows = {row["credential (SHA-256)"]: row for row in terminal.do("verifiers", "list").rows}
    assert rows[fingerprint(first)]["usable"] == "no"
    assert (rows[fingerprint(second)]["usable"], rows[fingerprint(first)]["state"]) == ("yes", "in-force")


def test_all_credentials_of_a_verifier_are_withdrawn_at_once(terminal: Terminal, tmp_path: Path) -> None:
    add_bank(terminal)
    add_bank(terminal, "--out", tmp_path / "second")
    assert terminal.do("verifiers", "withdraw", "--all-of", "bank").out == "2 credentials of bank are withdrawn\n"
    assert {row["usable"] for row in terminal.do("verifiers", "list").rows} == {"no"}
    assert terminal("verifiers", "withdraw").code == terminal("verifiers", "withdraw", "00", "--all-of", "x").code == 2


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        pytest.param("no hex", 2, "want the fingerprint in hex", id="no fingerprint"),
        pytest.param("00" * 32, 1, "no credential has this fingerprint", id="a fingerprint of nobody"),
    ],
)
@pytest.mark.parametrize("group", ["verifiers", "parties"])
def test_withdrawing_nothing_is_refused(group: str, text: str, code: int, why: str, terminal: Terminal) -> None:
    said = terminal(group, "withdraw", text)
    assert said.code == code
    assert why in said.err


def test_everyone_is_listed_with_their_role(terminal: Terminal) -> None:
    add_bank(terminal)
    terminal.do("parties", "add", "register", "jukinet")
    rows = terminal.do("parties", "list").rows
    assert {(row["role"], row["name"]) for row in rows} == {
        ("municipality", KIYOSE.code.value),
        ("verifier", "bank"),
        ("register", "jukinet"),
        ("operator", "aoi"),
        ("operator", "ken"),
    }
    assert all(re.fullmatch("[0-9a-f]{64}", row["credential (SHA-256)"]) for row in rows)


def test_verifiers_alone_are_listed_as_verifiers(terminal: Terminal) -> None:
    terminal.do("parties", "add", "register", "jukinet")
    add_bank(terminal)
    assert [row["name"] for row in terminal.do("verifiers", "list").rows] == ["bank"]


def test_a_municipality_whose_key_leaked_can_be_stopped(terminal: Terminal) -> None:
    terminal.do("parties", "withdraw", terminal.do("parties", "list").rows[0]["credential (SHA-256)"])
    assert terminal.do("parties", "list").rows[0]["usable"] == "no"
    terminal.do("parties", "suspend", "municipality", KIYOSE.code.value)
    assert terminal.do("parties", "list").rows[0]["in force"] == "no"


def test_nobody_else_may_be_called_what_the_terminal_is(terminal: Terminal) -> None:
    said = terminal("parties", "add", "operator", "terminal")
    assert said.code == 2
    assert "choose another name" in said.err


@pytest.mark.parametrize("name", ["", " ", "a\tb"], ids=["empty", "blank", "with a tab"])
def test_a_name_that_cannot_be_printed_is_refused(name: str, terminal: Terminal) -> None:
    said = terminal("parties", "add", "register", name)
    assert said.code == 1
    assert "a party needs a name of printable characters" in said.err
