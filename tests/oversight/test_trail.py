"""The trail: events read back from their rows, gathered by what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from audit.chain import GENESIS, body_of, chain
from domain.events import Act, AuditEvent, AuditRow
from oversight.trail import Told, Trail, read_row

AT = datetime(2027, 4, 1, tzinfo=UTC)


def rows(*events: AuditEvent) -> list[AuditRow]:
    return chain((0, GENESIS), map(body_of, events))


def issued(application: int, act: Act = Act.ISSUED) -> AuditEvent:
    return AuditEvent(act, "municipality:kiyose", AT, {"application": application, "kind": "signature"})


LIST = AuditEvent(Act.CRL_SIGNED, "publisher:first", AT, {"list": "signature-g1/13221.crl", "number": 4})
HELD = AuditEvent(Act.NOTICE_HELD, "register:juki", AT, {"sender": "register:juki", "notice": "n-7", "sequence": 7})
LOAD = AuditEvent(Act.RESIDENTS_LOADED, "operator:terminal", AT, {"new": 3})


@pytest.fixture
def trail() -> Iterator[Trail]:
    with closing(Trail()) as trail:
        yield trail


def test_an_event_is_read_back_as_it_was() -> None:
    (row,) = rows(LIST)
    assert read_row(row) == Told(1, LIST.act, LIST.actor, LIST.at, LIST.facts)


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        pytest.param(issued(12), "signature certificate of application 12", id="a-certificate"),
        pytest.param(LIST, "list 4 of signature-g1/13221.crl", id="a-list"),
        pytest.param(HELD, "notice n-7 of register:juki", id="a-notice"),
        pytest.param(LOAD, None, id="none-of-these"),
    ],
)
def test_what_an_event_is_about(event: AuditEvent, subject: str | None) -> None:
    assert read_row(rows(event)[0]).subject == subject


def test_rows_pass_through_and_are_gathered(trail: Trail) -> None:
    told = rows(issued(1, Act.RESERVED), issued(2), issued(1), LIST, LOAD)
    assert list(trail.gather(told)) == told
    assert [event.act for event in trail.take("signature certificate of application 1")] == [Act.RESERVED, Act.ISSUED]
    assert trail.take("signature certificate of application 1") == []
    left = [(subject, last.act) for subject, last in trail.left()]
    assert left == [
        ("list 4 of signature-g1/13221.crl", LIST.act),
        ("signature certificate of application 2", Act.ISSUED),
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("[]", id="no-object"),
        pytest.param('{"act":"x","actor":"","at":"2027-04-01T00:00:00Z","facts":{}}', id="an-unknown-act"),
        pytest.param('{"act":"initialised","actor":"","at":"yesterday","facts":{}}', id="no-time"),
        pytest.param('{"act":"initialised","actor":"","at":"2027-04-01T00:00:00Z"}', id="no-facts"),
    ],
)
def test_what_is_no_event_is_set_aside(trail: Trail, body: str) -> None:
    row = AuditRow(7, body, bytes(32))
    assert list(trail.gather([row])) == [row]
    assert trail.unreadable == [7]
    with pytest.raises(ValueError, match=r"."):
        read_row(row)
