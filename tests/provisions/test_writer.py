"""The writer: what is on record when the call returns stays so, whatever happens to the process or the disk."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from domain.errors import Code, Refusal
from domain.provisions import Channel
from provisions.segment import HEADER, SLOT
from provisions.writer import LASTS, SegmentWriter
from tests.support.authority import NOW, TurnedClock
from tests.support.people import serial_of
from tests.support.provisions import SEAL_KEYS, SHOP, content_of, make_provision, segments_in, told_in


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def writer(tmp_path: Path, clock: TurnedClock) -> Iterator[SegmentWriter]:
    writer = SegmentWriter(tmp_path, SEAL_KEYS, clock, os.urandom, slots=64)
    yield writer
    writer.close()


def test_a_record_says_who_heard_what_about_whom_when_and_for_what(writer: SegmentWriter, tmp_path: Path) -> None:
    writer(make_provision("one", evidence=b"digest of a transaction"))
    writer(make_provision("two", party=None, provider=SHOP, purpose="", answered="revoked", channel=Channel.HANDLE))
    (segment,) = segments_in(tmp_path)
    assert list(told_in(segment)) == [
        (NOW, 7, "signature-g1", "log-in", "good", serial_of("one").octets),
        (NOW, -1, "signature-g1", "", "revoked", serial_of("two").octets),
    ]
    one, two = content_of(segment).records
    assert (one.channel, one.provider, one.evidence) == (Channel.OCSP, -1, b"digest of a ")
    assert (two.channel, two.provider, two.evidence) == (Channel.HANDLE, 8, bytes(12))


def test_a_long_purpose_is_cut_and_an_odd_answer_is_kept(writer: SegmentWriter, tmp_path: Path) -> None:
    writer(make_provision(purpose="目的" * 20, asked=b"13221", answered="list"))
    ((_, _, _, purpose, answered, asked),) = told_in(segments_in(tmp_path)[0])
    assert (purpose, answered, asked.rstrip(b"\0")) == ("目的" * 7, "list", b"13221")


def test_a_full_segment_is_followed_by_another(writer: SegmentWriter, tmp_path: Path) -> None:
    names = [f"certificate {number}" for number in range(150)]
    for name in names:
        writer(make_provision(name))
    segments = segments_in(tmp_path)
    assert len(segments) == 3
    asked = {asked for segment in segments for *_, asked in told_in(segment)}
    assert asked == {serial_of(name).octets for name in names}
    assert {segment.stat().st_size for segment in segments} == {HEADER + 64 * SLOT}


def test_a_segment_is_let_go_of_when_it_is_old_and_has_records(
    writer: SegmentWriter, clock: TurnedClock, tmp_path: Path
) -> None:
    writer.turn()
    writer(make_provision())
    clock.forward(LASTS - timedelta(seconds=1))
    writer.turn()
    writer(make_provision())
    assert len(segments_in(tmp_path)) == 1
    clock.forward(timedelta(seconds=1))
    writer.turn()
    assert len(segments_in(tmp_path)) == 1
    writer(make_provision())
    assert sorted(len(content_of(segment).records) for segment in segments_in(tmp_path)) == [1, 2]


def test_nothing_of_a_record_stands_in_the_file_in_clear(writer: SegmentWriter, tmp_path: Path) -> None:
    serial = serial_of("somebody")
    for _ in range(10):
        writer(make_provision("somebody"))
    octets = segments_in(tmp_path)[0].read_bytes()
    for form in (serial.octets, serial.octets[:8], serial.octets.hex().encode(), str(serial.value).encode(), b"log-in"):
        assert form not in octets
    slots = {octets[at : at + SLOT] for at in range(HEADER, HEADER + 10 * SLOT, SLOT)}
    assert len(slots) == 10


def test_threads_share_a_segment_and_lose_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    writer = SegmentWriter(tmp_path, SEAL_KEYS, clock, os.urandom, slots=512)

    def write(thread: int) -> None:
        for number in range(500):
            writer(make_provision(f"{thread} {number}"))

    threads = [Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    asked = [asked for segment in segments_in(tmp_path) for *_, asked in told_in(segment)]
    assert sorted(asked) == sorted(serial_of(f"{a} {b}").octets for a in range(4) for b in range(500))


def test_a_forked_child_writes_into_a_segment_of_its_own(writer: SegmentWriter, tmp_path: Path) -> None:
    writer(make_provision("parent"))
    child = os.fork()
    if child == 0:
        writer.turn()
        writer(make_provision("child"))
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    writer(make_provision("parent again"))
    told = [[asked for *_, asked in told_in(segment)] for segment in segments_in(tmp_path)]
    parent = [serial_of("parent").octets, serial_of("parent again").octets]
    assert sorted(told) == sorted([parent, [serial_of("child").octets]])


def test_what_was_on_record_when_the_process_is_killed_stays_on_record(tmp_path: Path, clock: TurnedClock) -> None:
    """The child tells through a pipe that a record returned; whatever was told must be there."""
    reader, teller = os.pipe()
    child = os.fork()
    if child == 0:
        writer = SegmentWriter(tmp_path, SEAL_KEYS, clock, os.urandom, slots=512)
        number = 0
        while True:
            writer(make_provision(number.to_bytes(16)))
            os.write(teller, b".")
            number += 1
    os.close(teller)
    told = len(os.read(reader, 1))
    while told < 3000:
        told += len(os.read(reader, 4096))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while octets := os.read(reader, 65536):
        told += len(octets)
    os.close(reader)
    asked = sorted(int.from_bytes(asked) for segment in segments_in(tmp_path) for *_, asked in told_in(segment))
    assert asked[:told] == list(range(told))
    assert len(asked) - told in (0, 1)


def test_without_room_for_a_segment_a_provision_is_refused_and_nothing_is_left(
    writer: SegmentWriter, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(Refusal) as refused:
            writer(make_provision())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert refused.value.code is Code.STORE_UNAVAILABLE
    assert segments_in(tmp_path) == []
    writer(make_provision())
    assert len(list(told_in(segments_in(tmp_path)[0]))) == 1


def test_a_segment_once_begun_goes_on_when_the_disk_is_full(writer: SegmentWriter, tmp_path: Path) -> None:
    """All its room was taken when it was begun."""
    writer(make_provision())
    status = segments_in(tmp_path)[0].stat()
    assert status.st_blocks * 512 >= status.st_size
