"""Upkeep of filters: what is new is fetched and checked before it is kept, and what is over is deleted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import Kind as AuthorityKind
from domain.serial import SerialNumber
from filters.container import read_filter
from jpki_verify import Code, Rejected
from jpki_verify.exchange import Reply
from jpki_verify.filters import Filters
from jpki_verify.ocsp_answer import Word
from jpki_verify.rejection import Reason, Unusable
from jpki_verify.settings import Kind
from jpki_verify.store import Store
from jpki_verify.upkeep import MEDIA_TYPE, Upkeep
from tests.kit.test_filters import DAY, KEY, certified, make, serials
from tests.support.authority import NOW
from tests.support.specimens import make_anchor

WORD = "private-operators"
FIRST, SECOND = serials(2)
HOUR = timedelta(hours=1)
BASE = make({FIRST: True, SECOND: False})
DELTA = make({FIRST: True, SECOND: True}, number=2, base=BASE, now=NOW + HOUR, seed=3)
NEXT = make({FIRST: False, SECOND: True}, number=3, now=NOW + 2 * HOUR, seed=4)


@dataclass
class Office:
    """The authority's door, and what was asked of it."""

    base: bytes = BASE
    delta: bytes | None = None
    word: str = WORD
    key: bytes = KEY
    issuer: str = "signature-g1"
    asked: list[str] = field(default_factory=list)
    replies: dict[str, Reply] = field(default_factory=dict)
    offered: Any = None

    def get(self, path: str, kind: Kind) -> Reply:
        self.asked.append(path)
        assert path.startswith(f"/{kind.value}")
        if path in self.replies:
            return self.replies[path]
        if path.endswith("/key"):
            return _json({"class": self.word, "key": self.key.hex()})
        if "/files/" in path:
            octets = self.delta if "?over=" in path else self.base
            return Reply(200, MEDIA_TYPE, octets or b"")
        row = {"issuer": self.issuer, "base": _row(self.base), "delta": _row(self.delta) if self.delta else None}
        return _json(self.offered or {"class": self.word, "filters": [row]})


def _row(octets: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(octets).hexdigest(), "number": read_filter(octets).label.number}


def _json(content: object) -> Reply:
    return Reply(200, "application/json", json.dumps(content).encode())


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def upkeep(tmp_path: Path, office: Office) -> Upkeep:
    folder = tmp_path / "filters"
    anchors = (make_anchor(AuthorityKind.SIGNATURE, "g1"),)
    newest = Store(tmp_path / "kit.db").is_newest
    return Upkeep(folder, folder / "class.key", anchors, timedelta(seconds=60), office.get, newest)


def word_of(upkeep: Upkeep, serial: SerialNumber, now: datetime = NOW) -> Word:
    return Filters(upkeep.folder, upkeep.key_file, upkeep.tolerance).status_of(certified(serial), now).word


def files(upkeep: Upkeep) -> list[str]:
    return sorted(file.name for file in upkeep.folder.iterdir())


def test_base_and_key_first_then_nothing_then_a_delta_then_a_new_base(upkeep: Upkeep, office: Office) -> None:
    (kept,) = upkeep.update(NOW)
    assert (kept.issuer, kept.fetched, kept.as_of) == ("signature-g1", ("base",), NOW)
    assert upkeep.key_file.stat().st_mode & 0o777 == 0o600
    assert [word_of(upkeep, serial) for serial in (FIRST, SECOND)] == [Word.REVOKED, Word.GOOD]
    office.asked.clear()
    (kept,) = upkeep.update(NOW)
    assert (kept.fetched, office.asked) == ((), ["/signature"])
    office.delta = DELTA
    (kept,) = upkeep.update(NOW + HOUR)
    assert kept.fetched == ("delta",)
    assert office.asked[-1] == "/signature/files/signature-g1?over=1"
    assert word_of(upkeep, SECOND, NOW + HOUR) is Word.REVOKED
    office.base, office.delta = NEXT, None
    (kept,) = upkeep.update(NOW + 2 * HOUR)
    assert kept.fetched == ("base",)
    assert [word_of(upkeep, serial, NOW + 2 * HOUR) for serial in (FIRST, SECOND)] == [Word.GOOD, Word.REVOKED]


def test_a_new_key_is_fetched_with_the_filters_made_with_it(upkeep: Upkeep, office: Office) -> None:
    upkeep.update(NOW)
    office.word, office.key = f"{WORD}.2", bytes(32)
    with pytest.raises(Rejected) as caught:  # the filter is still that of the former key
        upkeep.update(NOW)
    assert caught.value.code is Code.STATUS_AWAY
    assert upkeep.key_file.read_text().startswith(f"{WORD}.2:")
    with pytest.raises(Unusable) as unusable:
        word_of(upkeep, FIRST)
    assert unusable.value.reason is Reason.NO_FILTER


def test_filters_that_are_over_are_deleted_with_their_base(upkeep: Upkeep, office: Office) -> None:
    office.delta = DELTA
    upkeep.update(NOW + HOUR)
    (upkeep.folder / ".signature-g1.base.filter.new").write_bytes(b"of a run that was killed")
    (upkeep.folder / "other.filter").write_bytes(b"nothing")
    office.offered = {"class": WORD, "filters": []}
    upkeep.update(NOW + 2 * DAY + HOUR)
    assert files(upkeep) == ["class.key", "signature-g1.base.filter", "signature-g1.delta.filter"]
    upkeep.update(NOW + 3 * DAY)
    assert files(upkeep) == ["class.key"]


def test_a_filter_of_an_issuer_that_is_no_anchor_is_not_kept(upkeep: Upkeep, office: Office) -> None:
    office.issuer, office.base = "signature-g2", make({}, issuer="signature-g2")
    assert upkeep.update(NOW) == []
    assert files(upkeep) == ["class.key"]


def spoilt(octets: bytes) -> bytes:
    return octets[:-1] + bytes((octets[-1] ^ 1,))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param({"base": spoilt(BASE)}, Reason.BAD_SIGNATURE, id="not-signed-by-the-authority"),
        pytest.param({"base": BASE[:-1]}, Reason.UNREADABLE, id="cut-short"),
        pytest.param({"base": DELTA}, Reason.OTHER_PARTITION, id="a-delta-for-a-base"),
        pytest.param({"delta": NEXT}, Reason.OTHER_PARTITION, id="a-base-for-a-delta"),
        pytest.param({"base": make({}, now=NOW + DAY)}, Reason.FROM_THE_FUTURE, id="from-the-future"),
        pytest.param({"word": f"{WORD}-x"}, Reason.OTHER_PARTITION, id="of-another-class"),
        pytest.param({"word": "../up"}, Reason.UNREADABLE, id="a-class-that-is-a-path"),
        pytest.param({"issuer": "../up"}, Reason.UNREADABLE, id="an-issuer-that-is-a-path"),
        pytest.param({"key": b"short"}, Reason.UNREADABLE, id="a-key-that-is-none"),
        pytest.param({"offered": {"class": WORD}}, Reason.UNREADABLE, id="no-list-of-filters"),
        pytest.param({"offered": [1]}, Reason.UNREADABLE, id="no-object"),
    ],
)
def test_what_is_not_what_it_should_be_is_not_kept(
    upkeep: Upkeep, office: Office, spoil: dict[str, Any], reason: Reason
) -> None:
    if "base" in spoil or "delta" in spoil:  # offered under its own digest
        for name in ("base", "delta"):
            octets = spoil.get(name)
            if octets is not None:
                row = {"sha256": hashlib.sha256(octets).hexdigest(), "number": 1}
                rows = {"issuer": "signature-g1", "base": _row(BASE), "delta": None, name: row}
                office.offered = {"class": WORD, "filters": [rows]}
    for name, value in spoil.items():
        setattr(office, name, value)
    with pytest.raises(Rejected) as caught:
        upkeep.update(NOW)
    assert caught.value.code is Code.STATUS_AWAY
    assert f"({reason.value})" in caught.value.detail
    assert set(files(upkeep)) <= {"class.key", "signature-g1.base.filter"} - (
        set() if "delta" in spoil else {"signature-g1.base.filter"}
    )


def test_older_filters_than_were_seen_are_not_kept(upkeep: Upkeep, office: Office) -> None:
    office.base = NEXT
    upkeep.update(NOW + 2 * HOUR)
    office.base = BASE
    with pytest.raises(Rejected) as caught:
        upkeep.update(NOW + 2 * HOUR)
    assert f"({Reason.ROLLED_BACK.value})" in caught.value.detail
    assert word_of(upkeep, SECOND, NOW + 2 * HOUR) is Word.REVOKED


REFUSED = json.dumps({"facts": {"rule": "purpose-not-approved", "source": "公的個人認証法 §52(1)"}}).encode()


@pytest.mark.parametrize(
    ("path", "reply", "code", "words"),
    [
        (
            "/signature",
            Reply(403, "application/problem+json", REFUSED),
            Code.NOT_ADMITTED,
            "purpose-not-approved (公的",
        ),
        ("/signature/key", Reply(401, "application/problem+json", b"{}"), Code.NOT_ADMITTED, "no filters"),
        ("/signature", Reply(404, "application/problem+json", b"{}"), Code.STATUS_AWAY, "no-filter"),
        ("/signature", Reply(503, "application/problem+json", b"{}"), Code.STATUS_AWAY, "http-error"),
        ("/signature", Reply(200, "text/html", b"{}"), Code.STATUS_AWAY, "wrong-media-type"),
        ("/signature/files/signature-g1", Reply(409, "x", b""), Code.STATUS_AWAY, "no-filter"),
        ("/signature/files/signature-g1", Reply(200, MEDIA_TYPE, NEXT), Code.STATUS_AWAY, "stale"),
    ],
)
def test_refusals_and_troubles_are_told(
    upkeep: Upkeep, office: Office, path: str, reply: Reply, code: Code, words: str
) -> None:
    office.replies[path] = reply
    with pytest.raises(Rejected) as caught:
        upkeep.update(NOW)
    assert caught.value.code is code
    assert words in caught.value.detail


@pytest.mark.parametrize("which", range(2))
def test_killed_while_a_file_is_put_in_place_the_next_run_goes_on(
    upkeep: Upkeep, office: Office, which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there then is whole, or is not there."""
    replaced = Path.replace
    done: list[Path] = []

    def stop(path: Path, target: Path) -> Path:
        if len(done) == which:
            raise KeyboardInterrupt
        done.append(target)
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        upkeep.update(NOW)
    monkeypatch.undo()
    (kept,) = upkeep.update(NOW)
    assert kept.until == NOW + 2 * DAY
    assert files(upkeep) == ["class.key", "signature-g1.base.filter"]
    assert word_of(upkeep, FIRST) is Word.REVOKED


def test_a_folder_that_cannot_be_written_is_told(upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Callable[..., Any]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jpki_verify.upkeep.os.fsync", full)
    with pytest.raises(Rejected) as caught:
        upkeep.update(NOW)
    assert caught.value.code is Code.BAD_CONFIGURATION
    assert "No space left" in caught.value.detail
