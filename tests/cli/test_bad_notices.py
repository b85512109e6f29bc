"""Bad notices through every door: one by one over the API, in files over the API, in files at the terminal. Each is
refused or put aside by name, its sender sees it, nothing of it is repeated, and everything beside it is as if it were
not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask.testing import FlaskClient

from domain.people import ResidentCode
from policies.validity import day_in_japan
from tests.support.authority import KIYOSE, TurnedClock
from tests.support.residents import HINO, as_fields, csv_file, record, resident_code
from tests.support.terminal import RESIDENTS, Terminal
from web import wsgi
from web.api import create_api

FIRST, OTHER, LAST = RESIDENTS[:3]
ELSEWHERE = resident_code(77)
SENDER = f"municipality:{KIYOSE.code}"
ITEMS = ("name", "address", "birth_date", "sex")

Said = list[tuple[str, str | None]]
"""State and reason of each notice, in the order in which they were sent."""


class Doors:
    """A municipality's ways to send notices, all to the same authority."""

    def __init__(self, terminal: Terminal, client: FlaskClient, folder: Path) -> None:
        self.terminal, self.client, self.folder = terminal, client, folder
        self.heard = ""
        """Everything that was ever answered."""

    def one_by_one(self, *lines: bytes) -> Said:
        return [self._post(line, "application/json") for line in lines]

    def _post(self, line: bytes, kind: str) -> tuple[str, str | None]:
        answer = self.client.post("/v1/resident-notices", data=line, content_type=kind)
        self.heard += answer.text
        body = json.loads(answer.data)
        if answer.status_code < 400:
            return body["state"], None
        return body.get("facts", {}).get("state", body.get("state", "refused")), body["code"]

    def file(self, *lines: bytes) -> Said:
        octets = b"\n".join(lines) + b"\n"
        answer = self.client.post("/v1/resident-notices", data=octets, content_type="application/jsonl")
        self.heard += answer.text
        return [(row["state"], row.get("reason")) for row in json.loads(answer.data)["outcomes"]]

    def terminal_file(self, *lines: bytes) -> Said:
        path = self.folder / "notices.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        said = self.terminal("residents", "apply", path, "--sender", SENDER)
        self.heard += said.out + said.err
        return [_read(row["outcome"]) for row in said.rows if not row["outcome"].startswith("was held")]

    def aside(self) -> list[dict[str, Any]]:
        """What the sender sees to have been put aside."""
        answer = self.client.get("/v1/resident-notices", query_string={"state": "quarantined"})
        self.heard += answer.text
        found: list[dict[str, Any]] = json.loads(answer.data)["notices"]
        return found


def _read(outcome: str) -> tuple[str, str | None]:
    state, _, reason = outcome.partition(" (")
    return state, reason.partition(")")[0] or None


DOORS: list[Callable[..., Any]] = [Doors.one_by_one, Doors.file, Doors.terminal_file]


@pytest.fixture
def doors(terminal: Terminal, tmp_path: Path) -> Doors:
    terminal.do("residents", "load", _file(tmp_path))
    pem = (terminal.state / "credentials" / "kiyose" / "client.pem").read_bytes()
    shown = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    with patch.object(wsgi, "create_api", lambda parts: create_api(parts, lambda _: shown)):
        app = wsgi.api(terminal.state)
    return Doors(terminal, app.test_client(), tmp_path)


def _file(folder: Path) -> Path:
    """Somebody who lives in another city."""
    path = folder / "elsewhere.csv"
    path.write_bytes(csv_file([as_fields(record(77, HINO))]).getvalue())
    return path


def notice(clock: TurnedClock, number: int, who: dict[str, str], **changes: str) -> dict[str, str]:
    """Of that number: somebody moved to another house in the city."""
    return {
        "version": "1",
        "notice_id": f"n{number}",
        "sequence": str(number),
        **who,
        "event": "move-within",
        "effective_on": day_in_japan(clock.now).isoformat(),
        "address": f"東京都清瀬市月見坂{'丁' * number}",
        **changes,
    }


def line(members: dict[str, str]) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode()


def without_items(members: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in members.items() if name not in ITEMS}


def _unknown(clock: TurnedClock) -> bytes:
    return line(notice(clock, 2, OTHER, resident_code=resident_code(99).digits))


def _elsewhere(clock: TurnedClock) -> bytes:
    return line(notice(clock, 2, OTHER, resident_code=ELSEWHERE.digits))


def _of_another_city(clock: TurnedClock) -> bytes:
    return line(notice(clock, 2, OTHER, municipality_code=HINO.value))


def _tomorrow(clock: TurnedClock) -> bytes:
    return line(notice(clock, 2, OTHER, effective_on=day_in_japan(clock.now + timedelta(days=1)).isoformat()))


def _check_digit(clock: TurnedClock) -> bytes:
    wrong = OTHER["resident_code"][:10] + str((int(OTHER["resident_code"][10]) + 1) % 10)
    return line(notice(clock, 2, OTHER, resident_code=wrong))


def _no_utf8(clock: TurnedClock) -> bytes:
    return line(notice(clock, 2, OTHER, name="N")).replace(b'"N"', b'"\xff\xfe"')


def _half(clock: TurnedClock) -> bytes:
    return line(notice(clock, 2, OTHER))[:-40]


BAD: list[tuple[str, Callable[[TurnedClock], bytes], str]] = [
    ("of a resident nobody knows", _unknown, "unknown-resident"),
    ("of another municipality's resident", _elsewhere, "unknown-resident"),
    ("in another municipality's name", _of_another_city, "wrong-municipality"),
    ("of tomorrow", _tomorrow, "out-of-order"),
    ("with a wrong check digit", _check_digit, "malformed"),
    ("that is no UTF-8", _no_utf8, "malformed"),
    ("of which half is missing", _half, "malformed"),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize(("bad", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_notice_is_put_aside_by_name_and_nothing_else_is_touched(
    doors: Doors, clock: TurnedClock, door: Callable[..., Said], bad: Callable[[TurnedClock], bytes], reason: str
) -> None:
    sent = (line(notice(clock, 1, FIRST)), bad(clock), line(notice(clock, 3, LAST)))
    if door is Doors.terminal_file and bad in (_elsewhere, _of_another_city):
        reason = "out-of-order"  # an operator may know who lives elsewhere, and hears that another city has the record
    assert door(doors, *sent) == [("applied", None), ("quarantined", reason), ("applied", None)]
    (aside,) = doors.aside()
    assert aside["reason"] == reason
    assert aside["detail"]
    assert address_of(doors, FIRST["resident_code"]).endswith("丁")
    assert address_of(doors, LAST["resident_code"]).endswith("丁丁丁")
    assert address_of(doors, OTHER["resident_code"]) == OTHER["address"]
    assert address_of(doors, ELSEWHERE.digits) == record(77).attributes.address
    assert not any(value in doors.heard for value in (OTHER["resident_code"], OTHER["name"], "月見坂", "霞野"))


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_nobody_is_alive_after_death(doors: Doors, clock: TurnedClock, door: Callable[..., Said]) -> None:
    death = line(without_items(notice(clock, 1, OTHER, event="death")))
    move, arrival = line(notice(clock, 2, OTHER)), line(notice(clock, 3, OTHER, event="move-in"))
    assert door(doors, death, move, arrival, line(notice(clock, 4, FIRST))) == [
        ("applied", None),
        ("quarantined", "out-of-order"),
        ("quarantined", "out-of-order"),
        ("applied", None),
    ]
    assert [row["notice_id"] for row in doors.aside()] == ["n2", "n3"]
    assert address_of(doors, OTHER["resident_code"]) == OTHER["address"]


@pytest.mark.parametrize(
    ("door", "length"), [(Doors.file, 30_000), (Doors.terminal_file, 3_500_000)], ids=["file", "terminal_file"]
)
def test_a_name_that_fills_more_than_a_line_stops_no_other(
    doors: Doors, clock: TurnedClock, door: Callable[..., Said], length: int
) -> None:
    sent = (
        line(notice(clock, 1, FIRST)),
        line(notice(clock, 2, OTHER, name="霧" * length)),
        line(notice(clock, 3, LAST)),
    )
    assert door(doors, *sent) == [("applied", None), ("quarantined", "malformed"), ("applied", None)]
    assert "霧霧" not in doors.heard


def test_ten_megabytes_over_the_api_are_refused_by_their_size(doors: Doors, clock: TurnedClock) -> None:
    huge = line(notice(clock, 1, OTHER, name="霧" * 3_500_000))
    assert doors.one_by_one(huge) == [("refused", "too-large")]
    whole = doors.client.post("/v1/resident-notices", data=huge + b"\n", content_type="application/jsonl")
    assert (whole.status_code, json.loads(whole.data)["code"]) == (413, "too-large")
    assert doors.one_by_one(line(notice(clock, 1, FIRST))) == [("applied", None)]


@pytest.mark.parametrize("door", [Doors.file, Doors.terminal_file], ids=lambda door: door.__name__)
def test_half_a_file_is_taken_as_far_as_it_goes_and_whole_the_next_time(
    doors: Doors, clock: TurnedClock, door: Callable[..., Said]
) -> None:
    whole = [line(notice(clock, number, FIRST)) for number in (1, 2, 3)]
    cut = b"\n".join(whole)[:-60]
    first = doors.client.post("/v1/resident-notices", data=cut, content_type="application/jsonl")
    states = [row["state"] for row in json.loads(first.data)["outcomes"]]
    assert states == ["applied", "applied", "quarantined"]
    assert [state.removesuffix(" before") for state, _ in door(doors, *whole)] == ["applied"] * 3
    assert address_of(doors, FIRST["resident_code"]).endswith("丁丁丁")


def test_everything_agrees_after_all_of_them(doors: Doors, clock: TurnedClock) -> None:
    numbered = [bad(clock).replace(b'"n2"', b'"n%d"' % n) for n, (_, bad, _) in enumerate(BAD, start=2)]
    sent = [one.replace(b'"sequence": "2"', b'"sequence": "%d"' % n) for n, one in enumerate(numbered, start=2)]
    doors.file(line(notice(clock, 1, FIRST)), *sent, line(notice(clock, 2 + len(sent), LAST)))
    clock.forward(timedelta(minutes=1))
    doors.terminal.do("crl", "publish")
    assert "agree" in doors.terminal.do("check").out


def address_of(doors: Doors, code: str) -> str:
    services = doors.terminal.services()
    with services.begin(write=False) as work:
        (found,) = filter(None, (work.residents.find(index) for index in services.sealer.indexes(ResidentCode(code))))
    services.close()
    return found.attributes.address
