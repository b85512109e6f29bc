"""Processes killed at each durable step: nothing is wrong afterwards, and a repeat finishes what was begun."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.acts import Facts
from tests.support.faults import MINUTE, SAPPORO, SETTLED, Act, Forks, State, act
from tests.support.steps import DURABLE

EXPECTED_NOTES = re.compile(
    r"application \d+ is unfinished; it will be completed as reserved"
    r"|\S+: changes that wait for the next list: \d+"
    r"|\S+ has no list yet; the publisher will make the first one"
    r"|list \d+ of \S+ is in place, its publication is not recorded yet"
    r"|list \d+ of \S+ was signed and is not in place; list \d+ still is"
)

WAITS = re.compile(r"certificates that wait for their hand-over: \d+")

LATER = act("wait", minutes=10)
"""By then another publisher may work, and an application counts as interrupted."""


@dataclass(frozen=True)
class Course:
    """How it went: what was found before, the answer of the process if it gave one before it was killed, what a new
    process found then, the answer of the repeat, and what was found after everything was published."""

    before: Facts
    answer: Facts | None
    after: Facts
    repeated: Facts
    end: Facts


Check = Callable[[Course], None]


def issued(course: Course) -> None:
    """There is what the repeat got and nothing else, and it is what was reserved, or given out, before the end."""
    known = serials(course.before)
    new = [row for row in course.end["certificates"] if row["serial"] not in known]
    answer = course.repeated["certificates"]
    assert {row["kind"]: [row["serial"], row["sha256"]] for row in new} == answer
    assert len(new) == len(answer)
    assert {(row["issued"], row["live"], row["status"]) for row in new} == {(True, True, "good")}
    assert serials(course.after) - known in (set(), {row["serial"] for row in new})
    if course.answer:
        assert course.answer["certificates"] == answer
        assert course.repeated["repeated"]


def revoked(resident: int, *kinds: str) -> Check:
    """The resident's certificates of these kinds are revoked, no others; if that was said, then from that moment on."""

    def check(course: Course) -> None:
        live = [row for row in course.before["certificates"] if row["resident"] == resident and row["live"]]
        wanted = {row["serial"] for row in live if row["kind"] in kinds}
        known = serials(course.before, "revoked")
        assert wanted
        assert serials(course.end, "revoked") - known == wanted
        assert serials(course.after, "revoked") - known in (set(), wanted)
        assert set(course.repeated["revoked"]) == set(kinds)
        if course.answer:
            assert serials(course.after, "revoked") - known == wanted
            assert course.repeated == course.answer

    return check


def exchanged(course: Course) -> None:
    """The old pair and the one that waited: both are good, or the new one alone."""
    _either(course, {(False, False, "revoked"), (True, True, "good")})


def given_up(course: Course) -> None:
    """Both are good, or the old one alone."""
    _either(course, {(False, True, "good"), (True, False, "revoked")})


def _either(course: Course, wanted: set[tuple[bool, bool, str]]) -> None:
    waited = {row["serial"] for row in course.before["certificates"] if row["pending"]}
    own = [row["serial"] for row in course.before["certificates"] if row["resident"] == NEWCOMER]
    assert (len(own), len(waited)) == (4, 2)

    def told(found: Facts) -> set[tuple[bool, bool, str]]:
        rows = [row for row in found["certificates"] if row["serial"] in own]
        return {(row["serial"] in waited, row["live"], row["status"]) for row in rows}

    assert told(course.end) == wanted
    assert told(course.after) in ({(False, True, "good"), (True, True, "good")}, wanted)
    if course.answer:
        assert told(course.after) == wanted


def released(course: Course) -> None:
    """The phone's authentication certificate is good again, the signing certificate revoked, and nothing else changed;
    if that was said, then from that moment on."""
    before = {row["serial"]: row for row in course.before["certificates"] if row["status"] == "revoked" and row["live"]}
    after = {row["serial"]: row for row in course.end["certificates"] if row["serial"] in before}
    assert {(row["kind"], row["status"], row["live"]) for row in after.values()} == {
        ("signature", "revoked", False),
        ("authentication", "good", True),
    }
    assert course.repeated["effects"] == {"signature": "revoked", "authentication": "released"}
    if course.answer:
        assert course.repeated == course.answer
        assert serials(course.after, "good") == serials(course.end, "good")


def aged(course: Course) -> None:
    """Held cards are revoked and held phones stand as they were; what was done before the end is not done again."""
    held = [row for row in course.before["certificates"] if row["status"] == "revoked" and row["live"]]
    now = {row["serial"]: row for row in course.end["certificates"]}
    assert {now[row["serial"]]["status"] for row in held} == {"revoked"}
    assert sum(now[row["serial"]]["live"] for row in held) == 2
    done = [facts for facts in (course.answer, course.repeated) if facts and facts != {"reported": 0, "revoked": 0}]
    assert all(facts["reported"] in (0, 2) and facts["revoked"] in (0, 2) for facts in done)


def published(course: Course) -> None:
    """What waited is on lists; the lists themselves are looked at in every case."""
    assert {
        path for path, row in course.end["lists"].items() if row["file"] > course.before["lists"][path]["file"]
    } == {
        "authentication-g2/13221.crl",
        "signature-g2/13221.crl",
    }


def loaded(course: Course) -> None:
    """All of the file or none of it."""
    assert course.after["residents"] in ({9} if course.answer else {6, 9})
    assert course.end["residents"] == 9


def enrolled(course: Course) -> None:
    """The municipality is registered once, and its lists are in use."""
    assert course.end["parties"].count(SAPPORO) == 1
    assert len(course.end["lists"]) == len(course.before["lists"]) + 4


def batched(course: Course) -> None:
    """Every application of the file has one end: residents 1 and 7 hold one new pair each, resident 2 had one."""
    assert course.repeated["ended"]
    assert course.repeated["states"] == ["issued", "refused", "issued"]
    known = serials(course.before)
    new = {row["serial"]: row for row in course.end["certificates"] if row["serial"] not in known}
    answer = {serial: sha256 for pair in course.repeated["certificates"] for serial, sha256 in pair.values()}
    assert {serial: row["sha256"] for serial, row in new.items()} == answer
    assert len(new) == 4
    assert serials(course.after) - known <= set(new)
    if course.answer:
        assert course.repeated == {**course.answer, "repeated": True}


def massed(course: Course) -> None:
    """Everything is revoked, each step once: what was done before the end is not done again."""
    done = serials(course.after, "revoked")
    assert serials(course.before, "revoked") <= done <= serials(course.end, "revoked") == serials(course.end)
    assert course.repeated["state"] == "done"
    revoked = len(serials(course.end)) - len(serials(course.before, "revoked"))
    assert course.repeated["tally"]["revoked"] == revoked
    if course.answer:
        assert course.repeated == course.answer


def renamed(course: Course) -> None:
    """Each address is renamed once, but for that of whoever had moved, and signing certificates end with it."""
    assert course.repeated["state"] == "done"
    assert course.repeated["tally"]["passed"] == 0
    ended = {row["serial"] for row in course.end["certificates"] if row["kind"] == "signature" and row["live"]}
    assert ended == set()
    assert course.repeated["tally"]["records"] == course.end["residents"] - 1


def renewed(course: Course) -> None:
    """Responders can work under the certificates on file at any time, and in the end under new ones."""
    for issuer, certificate in course.before["responders"].items():
        assert course.end["responders"][issuer] != certificate
        if course.answer:
            assert course.after["responders"][issuer] != certificate


def rotated(course: Course) -> None:
    """Everybody is found and every sealed value opens at any time; in the end with the new keys alone."""
    assert (course.before["generations"], course.end["generations"]) == ([1], [2])
    for found in (course.before, course.after, course.end):
        assert found["found"] == found["opened"] == found["residents"] == 6
    assert course.repeated["left"] == []


def validated(course: Course) -> None:
    """One receipt: that of the answer, if there was one, and the same one ever after."""
    assert course.repeated["valid"]
    if course.answer:
        assert course.repeated == {**course.answer, "repeated": True}


def told(course: Course) -> None:
    """The bank hears of both events (resident 4 had moved) once, and hears the same whenever it asks."""
    assert course.repeated["news"] == [[1, "revoked"], [2, "revoked"]]
    if course.answer:
        assert course.answer == course.repeated


def changed_over(course: Course) -> None:
    """Handles are made with the second key, and every subscription is found by it."""
    assert course.repeated["left"] == 0
    assert {handle[:2] for handle in course.repeated["made"]} == {"2-"}
    assert course.repeated["translated"] == course.repeated["made"]
    if course.answer:
        assert course.answer == course.repeated


def planted(course: Course) -> None:
    """Two tracers with a pair each, all of them on the register."""
    assert course.repeated == {"pairs": [2, 2], "registered": 2}
    assert len(serials(course.end)) - len(serials(course.before)) == 4
    assert course.end["residents"] - course.before["residents"] == 2


@dataclass(frozen=True)
class Case:
    """The act to be killed, what is done before it, how it is repeated unless in the same way, and what must hold. The
    end comes before steps whose names begin with one of `kinds`."""

    act: Act
    check: Check
    before: tuple[Act, ...] = ()
    again: Act | None = None
    kinds: tuple[str, ...] = DURABLE


ISSUE = Case(act("issue", number=1, key="killed"), issued)
REISSUE = Case(act("issue", number=4, key="killed", alone=True, moved=True), issued)

NEWCOMER = 1
RENEWABLE = act("issue", number=NEWCOMER, key="old one", card_days=200)
WAITING = (RENEWABLE, act("issue", number=NEWCOMER, key="renewal"))

PHONE_LOST = (
    act("issue", number=2, key="phone", carrier="mobile-device"),
    act("hold", number=2, key="phone lost", carrier="mobile-device"),
)
ALL_LOST = (
    act("issue", number=2, key="phone", carrier="mobile-device"),
    act("hold", number=2, key="all lost"),
    act("wait", minutes=-1),
)

CASES = [
    pytest.param(Case(act("issue", number=NEWCOMER, key="killed"), issued, before=(RENEWABLE,)), id="renewing-a-pair"),
    pytest.param(Case(act("deliver", key="renewal"), exchanged, before=WAITING), id="reporting-a-delivery"),
    pytest.param(
        Case(act("deliver", key="renewal", outcome="refused"), given_up, before=WAITING), id="refusing-a-delivery"
    ),
    pytest.param(Case(act("withdraw"), given_up, before=WAITING), id="withdrawing-what-was-never-delivered"),
    pytest.param(ISSUE, id="issuing-a-pair"),
    pytest.param(REISSUE, id="re-issuing-a-signing-certificate"),
    pytest.param(
        Case(act("revoke", number=2, key="killed"), revoked(2, "signature", "authentication")),
        id="revoking-by-resident-code",
    ),
    pytest.param(
        Case(act("move", number=3, notice_id="killed", sequence=2), revoked(3, "signature")), id="applying-a-notice"
    ),
    pytest.param(
        Case(act("hold", number=2, key="killed"), revoked(2, "signature", "authentication")), id="holding-by-code"
    ),
    pytest.param(
        Case(act("hold", number=4, key="killed", by="items"), revoked(4, "authentication")), id="holding-by-the-items"
    ),
    pytest.param(
        Case(act("release", number=2, key="killed"), released, before=PHONE_LOST), id="releasing-a-found-phone"
    ),
    pytest.param(Case(act("age"), aged, before=ALL_LOST), id="ageing-holds"),
    pytest.param(
        Case(act("publish"), published, before=(act("revoke", number=5, key="before"),)), id="publishing-lists"
    ),
    pytest.param(Case(act("load", numbers=[1, 7, 8, 9]), loaded), id="loading-residents"),
    pytest.param(
        Case(act("enrol", code=SAPPORO, folder="first"), enrolled, again=act("enrol", code=SAPPORO, folder="second")),
        id="enrolling-a-municipality",
    ),
    pytest.param(
        Case(act("batch", numbers=[1, 2, 7]), batched, before=(act("load", numbers=[1, 7]),)),
        id="working-off-a-batch",
    ),
    pytest.param(
        Case(
            act("validate", number=2, key="killed", consented=SETTLED.isoformat()),
            validated,
            before=(act("open shop"),),
        ),
        id="validating-with-consent",
    ),
    pytest.param(
        Case(act("news"), told, before=(act("subscribe"), act("revoke", number=5, key="before"))), id="telling-news"
    ),
    pytest.param(
        Case(
            act("change key of handles"),
            changed_over,
            (act("subscribe"), act("take office")),
            kinds=("commit", "replace"),
        ),
        id="changing-the-key-of-handles",
    ),
    pytest.param(Case(act("plant"), planted, (act("subscribe"),), kinds=("commit",)), id="planting-tracers"),
    pytest.param(Case(act("renew"), renewed), id="renewing-certificates"),
    pytest.param(Case(act("mass", act="issuer-key"), massed), id="revoking-everything-under-a-key"),
    pytest.param(Case(act("mass", act="address-renaming"), renamed), id="renaming-addresses"),
    pytest.param(Case(act("rotate"), rotated, kinds=("commit", "replace")), id="changing-the-keys-of-resident-codes"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_killed_process_leaves_nothing_wrong_and_a_repeat_finishes(
    case: Case, forks: Forks, settled: State, spoilt: Path, subtests: pytest.Subtests
) -> None:
    for last, step in places(forks, settled, spoilt, case):
        with subtests.test(killed_before=step):
            judge(case, run(forks, settled, spoilt, case, last))


@pytest.mark.parametrize("case", [pytest.param(ISSUE, id="a-pair"), pytest.param(REISSUE, id="one-certificate")])
def test_recovery_alone_finishes_what_was_reserved(
    case: Case, forks: Forks, settled: State, spoilt: Path, subtests: pytest.Subtests
) -> None:
    for last, step in places(forks, settled, spoilt, case):
        with subtests.test(killed_before=step):
            judge(case, run(forks, settled, spoilt, case, last, recover=True))


def places(forks: Forks, settled: State, path: Path, case: Case) -> list[tuple[int, str]]:
    """Where to kill the act: before each of its durable steps, and after the last. On PostgreSQL before commits only,
    since files are the same ones there."""
    with settled.copied(path) as state:
        forks.run(state, *case.before, now=SETTLED)
        steps = [*forks.run(state, case.act, now=SETTLED + MINUTE).steps, "the answer was heard"]
    kinds = ("commit",) if settled.server else case.kinds
    return [(last, step) for last, step in enumerate(steps) if step.startswith(kinds) or step == steps[-1]]


def run(forks: Forks, settled: State, path: Path, case: Case, last: int, *, recover: bool = False) -> Course:
    """Kill the act before step `last`, look, repeat it, and look again after everything was published. With `recover`
    the repeat comes only after a recovery that finishes all there is to finish."""
    with settled.copied(path) as state:
        before = forks.run(state, *case.before, act("judge"), now=SETTLED).told[-1]
        killed = forks.run(state, case.act, now=SETTLED + MINUTE, last=last)
        assert killed.killed
        sweep = (act("finish"), act("judge")) if recover else ()
        acts = (act("judge"), LATER, *sweep, case.again or case.act, LATER, act("publish"), act("judge"))
        after, _, *swept, repeated, _, _, end = forks.run(state, *acts, now=SETTLED + 2 * MINUTE).told
        if recover:
            assert swept[1]["faults"] == swept[1]["notes"] == []
            assert serials(after) == serials(swept[1]) == serials(swept[1], "good", "revoked")
        return Course(before, killed.told[0] if killed.told else None, after, repeated, end)


def judge(case: Case, course: Course) -> None:
    assert course.after["faults"] == []
    for note in course.after["notes"]:
        assert EXPECTED_NOTES.fullmatch(note) or WAITS.fullmatch(note), note
    assert "refusal" not in course.repeated
    assert course.end["faults"] == []
    assert [note for note in course.end["notes"] if not WAITS.fullmatch(note)] == []
    for path, now in course.end["lists"].items():
        was = course.after["lists"].get(path, {"file": 0, "numbers": []})
        assert now["digest"]
        assert now["numbers"] == sorted(set(now["numbers"]))
        assert now["file"] == now["numbers"][-1] >= was["file"]
        assert now["numbers"][: len(was["numbers"])] == was["numbers"]
    case.check(course)


def serials(found: Facts, *statuses: str) -> set[str]:
    """Of the certificates on record, whatever their status, or of those with one of these."""
    return {row["serial"] for row in found["certificates"] if not statuses or row["status"] in statuses}
