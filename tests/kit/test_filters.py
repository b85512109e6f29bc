"""Filters read by the kit, held against the authority's own reader; and those that must not be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.certificates import IssuerId, Kind
from domain.serial import SerialNumber
from filters.census import Census
from filters.checker import FilterChecker, Verdict
from filters.container import read_filter
from filters.make import MARGIN, make_filter
from jpki_verify import Code, Rejected
from jpki_verify.anchors import Anchor
from jpki_verify.certificates import Holder
from jpki_verify.filters import Filters, read_class_key
from jpki_verify.filters import read_filter as read_by_kit
from jpki_verify.ocsp_answer import Word
from jpki_verify.rejection import Reason, Unusable
from keys.algorithms import verify
from tests.support.authority import NOW
from tests.support.lists import ISSUERS, SIGNERS
from tests.support.specimens import make_anchor, make_holder

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
KEY = bytes(range(32))
EARLIER = NOW - 9 * DAY
HOLDER = make_holder("signature-rsa2048")
WORDS = {Verdict.GOOD: Word.GOOD, Verdict.REVOKED: Word.REVOKED}


def make(
    lives: Mapping[SerialNumber, bool],
    *,
    issuer: str = "signature-g1",
    number: int = 1,
    base: bytes | None = None,
    now: datetime = NOW,
    seed: int = 0,
) -> bytes:
    """A filter over certificates that all began long ago, and are revoked or not."""
    ordered = sorted(lives)
    census = Census.of(
        b"".join(serial.octets for serial in ordered),
        np.full(len(ordered), int(EARLIER.timestamp()), np.int64),
        b"".join(serial.octets for serial in ordered if lives[serial]),
    )
    return make_filter(
        census,
        issuer=ISSUERS[IssuerId(issuer)],
        signer=SIGNERS[IssuerId(issuer)],
        verifiers="private-operators",
        key=KEY,
        number=number,
        base=read_filter(base) if base else None,
        now=now,
        lifetime=2 * DAY,
        random=Random(seed).randbytes,
    )


def certified(serial: SerialNumber, begins: datetime = EARLIER, anchor: Anchor = HOLDER.anchor) -> Holder:
    """A holder of whom only serial and beginning matter."""
    certificate = SimpleNamespace(serial_number=serial.value, not_valid_before_utc=begins)
    return Holder(cast(Any, certificate), anchor, HOLDER.key)


def folder_of(folder: Path, key: bytes = KEY, **files: bytes) -> Filters:
    folder.mkdir(parents=True)
    (folder / "class.key").write_text(key.hex() + "\n")
    for name, octets in files.items():
        (folder / f"{name}.filter").write_bytes(octets)
    return Filters(folder, folder / "class.key", timedelta(seconds=60))


def refusal(filters: Filters, holder: Holder, now: datetime = NOW) -> Reason:
    with pytest.raises(Unusable) as caught:
        filters.status_of(holder, now)
    return caught.value.reason


def serials(count: int, seed: int = 1) -> list[SerialNumber]:
    chance = Random(seed)
    return [SerialNumber.drawn_from(chance.randbytes(16)) for _ in range(count)]


SERIALS = st.binary(min_size=16, max_size=16).map(SerialNumber.drawn_from)


@given(
    lives=st.dictionaries(
        st.binary(min_size=16, max_size=16).map(SerialNumber.drawn_from),
        st.tuples(st.booleans(), st.booleans()),
        max_size=40,
    ),
    seed=st.integers(0, 99),
)
def test_both_readers_say_the_same_of_every_certificate(
    tmp_path_factory: pytest.TempPathFactory, lives: dict[SerialNumber, tuple[bool, bool]], seed: int
) -> None:
    base = make({serial: first for serial, (first, _) in lives.items()}, seed=seed)
    later = {serial: second for serial, (_, second) in lives.items()}
    delta = make(later, number=2, base=base, now=NOW + DAY, seed=seed + 1)
    mine = folder_of(tmp_path_factory.mktemp("filters") / "x", base=base, delta=delta)
    spki = ISSUERS[IssuerId("signature-g1")].spki
    its = FilterChecker(KEY, read_filter(base), read_filter(delta), lambda *parts: verify(spki, *parts))
    for serial in (*lives, *serials(5, seed)):
        said = WORDS[its.check(serial, EARLIER, NOW + DAY)]
        assert mine.status_of(certified(serial), NOW + DAY).word is said
        assert serial not in lives or (said is Word.REVOKED) is lives[serial][1]


def test_a_thousand_certificates_by_a_base_alone(tmp_path: Path) -> None:
    lives = {serial: number % 9 == 0 for number, serial in enumerate(serials(1000))}
    mine = folder_of(tmp_path / "x", base=make(lives))
    for serial, revoked in lives.items():
        assert (mine.status_of(certified(serial), NOW).word is Word.REVOKED) is revoked


def test_each_authority_has_its_own_filter_in_the_folder(tmp_path: Path) -> None:
    first, second = serials(2)
    mine = folder_of(
        tmp_path / "x",
        one=make({first: True, second: False}),
        two=make({first: False, second: True}, issuer="signature-g2"),
    )
    other = make_anchor(Kind.SIGNATURE, "g2")
    assert mine.status_of(certified(first), NOW).word is Word.REVOKED
    assert mine.status_of(certified(first, anchor=other), NOW).word is Word.GOOD
    assert refusal(mine, certified(first, anchor=make_anchor(Kind.AUTHENTICATION, "g1"))) is Reason.NO_FILTER


def test_a_certificate_that_is_newer_is_not_covered(tmp_path: Path) -> None:
    mine = folder_of(tmp_path / "x", base=make({}))
    (serial,) = serials(1)
    assert refusal(mine, certified(serial, NOW - MARGIN + SECOND)) is Reason.NOT_COVERED
    assert refusal(mine, certified(cast(Any, SimpleNamespace(value=1 << 130)))) is Reason.NOT_COVERED


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        pytest.param(NOW + 2 * DAY + SECOND, Reason.STALE, id="over"),
        pytest.param(NOW - 61 * SECOND, Reason.FROM_THE_FUTURE, id="not-begun"),
    ],
)
def test_a_filter_counts_in_its_time(tmp_path: Path, now: datetime, reason: Reason) -> None:
    assert refusal(folder_of(tmp_path / "x", base=make({})), certified(serials(1)[0]), now) is reason


def damaged(octets: bytes, from_end: int) -> bytes:
    place = len(octets) - from_end
    return octets[:place] + bytes((octets[place] ^ 1,)) + octets[place + 1 :]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        pytest.param(b"", Reason.UNREADABLE, id="nothing"),
        pytest.param(make({})[:-1], Reason.UNREADABLE, id="cut-short"),
        pytest.param(make({}) + b"\x00", Reason.UNREADABLE, id="octets-behind"),
        pytest.param(damaged(make({}), 1), Reason.BAD_SIGNATURE, id="another-signature"),
        pytest.param(damaged(make({}), 300), Reason.BAD_SIGNATURE, id="another-bit"),
    ],
)
def test_a_wrong_file_is_no_filter(tmp_path: Path, octets: bytes, reason: Reason) -> None:
    assert refusal(folder_of(tmp_path / "x", base=octets), certified(serials(1)[0])) is reason


def test_a_delta_over_another_base_is_not_taken(tmp_path: Path) -> None:
    (serial,) = serials(1)
    first = make({serial: False}, number=1)
    delta = make({serial: True}, number=2, base=first, now=NOW + SECOND)
    newer = make({serial: False}, number=3, now=NOW + 2 * SECOND, seed=5)
    mine = folder_of(tmp_path / "x", base=newer, delta=delta)
    assert mine.status_of(certified(serial), NOW + DAY).word is Word.GOOD


def test_a_new_file_is_seen(tmp_path: Path) -> None:
    (serial,) = serials(1)
    mine = folder_of(tmp_path / "x", base=make({serial: False}))
    assert mine.status_of(certified(serial), NOW).word is Word.GOOD
    (tmp_path / "x" / "base.filter").write_bytes(make({serial: True}, number=2, seed=3) + b"")
    assert mine.status_of(certified(serial), NOW).word is Word.REVOKED


def test_without_the_key_of_the_class_the_files_say_nothing(tmp_path: Path) -> None:
    """Nor when one bit of it is another one: what they said then would be chance."""
    lives = {serial: number % 2 == 0 for number, serial in enumerate(serials(400))}
    files = {"base": make(lives), "delta": make(lives, number=2, base=make(lives), now=NOW + SECOND)}
    found = read_by_kit(files["base"], HOLDER.anchor)
    assert found
    for name, key in (("none", bytes(32)), ("bit", KEY[:-1] + bytes((KEY[-1] ^ 1,)))):
        right = sum(found.contains(key, serial.octets) is revoked for serial, revoked in lives.items())
        assert 150 < right < 250
        mine = folder_of(tmp_path / name, key=key, **files)
        assert {refusal(mine, certified(serial)) for serial in lives} == {Reason.NO_FILTER}


@pytest.mark.parametrize("content", ["", "xyz", "00" * 31, "00" * 33, "court:", "00" * 32 + ":x"])
def test_a_key_that_is_none_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "class.key").write_text(content)
    with pytest.raises(Rejected) as caught:
        read_class_key(tmp_path / "class.key")
    assert caught.value.code is Code.BAD_CONFIGURATION


def test_a_filter_of_another_key_is_passed_over(tmp_path: Path) -> None:
    """Read with the wrong key it would say anything."""
    (serial,) = serials(1)
    mine = folder_of(tmp_path / "x", base=make({serial: True}))
    (tmp_path / "x" / "class.key").write_text("private-operators.2:" + bytes(32).hex())
    assert refusal(mine, certified(serial)) is Reason.NO_FILTER
    (tmp_path / "x" / "class.key").write_text("private-operators:" + KEY.hex())
    assert mine.status_of(certified(serial), NOW).word is Word.REVOKED
    (tmp_path / "x" / "class.key").unlink()
    assert refusal(mine, certified(serial)) is Reason.NO_FILTER


def test_filters_of_the_holder_at_hand(tmp_path: Path) -> None:
    serial = SerialNumber(HOLDER.certificate.serial_number)
    begins = HOLDER.certificate.not_valid_before_utc
    mine = folder_of(tmp_path / "x", base=make({serial: True}, now=begins + 2 * MARGIN))
    assert mine.status_of(replace(HOLDER), begins + 2 * MARGIN).word is Word.REVOKED
