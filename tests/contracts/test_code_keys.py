"""Generations of the keys of resident codes, and the rows that were made with them, on every store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.batches import BatchItem, ItemState
from domain.code_keys import CodedRow, CodeKeyRecord, CodeMove, CodePart
from domain.errors import Code, Refusal
from domain.events import NoticeRecord, NoticeState
from domain.mass import MassRow
from domain.ports import UnitOfWork
from tests.support.people import KIYOSE
from tests.support.residents import resident_code
from tests.support.sealers import key_ring, make_sealer
from tests.support.stores import NOW, Store, add_application, add_resident, digest_of

RECORD = CodeKeyRecord(1, digest_of("check"), NOW)
HELD = NoticeRecord("register", "notice 1", 1, digest_of("content"), NoticeState.HELD, NOW, sealed=b"sealed")


def test_the_first_generation_is_in_use_until_others_are(any_store: Store) -> None:
    with any_store.begin() as work:
        assert work.code_keys.in_use() == (1,)
        work.code_keys.use([2, 1])
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.code_keys.in_use() == (2, 1)


def test_generations_are_on_record_in_order(any_store: Store) -> None:
    with any_store.begin() as work:
        assert list(work.code_keys.all()) == []
        work.code_keys.put(replace(RECORD, generation=2))
        work.code_keys.put(RECORD)
        later = replace(RECORD, superseded_at=NOW, retired_at=NOW + timedelta(days=1), kept=b"kept")
        work.code_keys.put(later)
        work.commit()
    with any_store.begin(write=False) as work:
        assert list(work.code_keys.all()) == [later, replace(RECORD, generation=2)]


@pytest.mark.parametrize("after", [(), (7,), ("register", "notice 7")], ids=["at-the-start", "a-number", "two-texts"])
def test_a_move_is_kept_with_the_key_it_came_to(any_store: Store, after: tuple[int | str, ...]) -> None:
    with any_store.begin() as work:
        work.code_keys.put(RECORD)
        assert work.code_keys.move(1, CodePart.NOTICES) == CodeMove(1, CodePart.NOTICES)
        work.code_keys.keep_move(CodeMove(1, CodePart.NOTICES, after, 12))
        assert work.code_keys.move(1, CodePart.NOTICES) == CodeMove(1, CodePart.NOTICES, after, 12)
        done = CodeMove(1, CodePart.NOTICES, after, 24, NOW)
        work.code_keys.keep_move(done)
        assert work.code_keys.move(1, CodePart.NOTICES) == done
        assert work.code_keys.move(1, CodePart.RECEIPTS) == CodeMove(1, CodePart.RECEIPTS)


def _residents(work: UnitOfWork) -> list[CodedRow]:
    ids = [add_resident(work, label) for label in ("a", "b", "c")]
    return [CodedRow((id_,), digest_of(x), b"sealed " + x.encode()) for id_, x in zip(ids, "abc", strict=True)]


def _notices(work: UnitOfWork) -> list[CodedRow]:
    held = [HELD, replace(HELD, notice_id="notice 2", sequence=2, sealed=None), replace(HELD, sender="town")]
    for record in held:
        work.notices.put(record)
    return [CodedRow((r.sender, r.notice_id), digest=r.content, concealed=r.sealed) for r in held]


def _applications(work: UnitOfWork) -> list[CodedRow]:
    resident = add_resident(work)
    return [CodedRow((add_application(work, resident, key),), digest=digest_of(key)) for key in ("a", "b", "c")]


def _receipts(work: UnitOfWork) -> list[CodedRow]:
    keys = [("caller", "key 1"), ("caller", "key 2"), ("other caller", "key 1")]
    for caller, key in keys:
        work.revocations.keep_receipt(caller, key, digest_of(caller + key), "{}")
    return [CodedRow((caller, key), digest=digest_of(caller + key)) for caller, key in keys]


def _mass_rows(work: UnitOfWork) -> list[CodedRow]:
    rows = [MassRow(1, 7, b"sealed"), MassRow(2, 8), MassRow(10, 9, b"sealed too")]
    work.mass.keep("event", rows)
    return [CodedRow(("event", row.position), concealed=row.sealed) for row in rows]


def _batches(work: UnitOfWork) -> list[CodedRow]:
    ids = [work.batches.open("caller", key, digest_of(key), 0, NOW) for key in ("a", "b", "c")]
    return [CodedRow((id_,), digest=digest_of(key)) for id_, key in zip(ids, "abc", strict=True)]


def _batch_items(work: UnitOfWork) -> list[CodedRow]:
    batch = work.batches.open("caller", "key", digest_of("file"), 3, NOW)
    sealed = [b"sealed", None, b"sealed too"]
    states = [ItemState.WAITING if octets else ItemState.REFUSED for octets in sealed]
    items = [
        BatchItem(batch, line, f"key {line}", state, KIYOSE.code, octets)
        for line, (state, octets) in enumerate(zip(states, sealed, strict=True), start=1)
    ]
    work.batches.put(items, NOW)
    return [CodedRow((batch, item.line), concealed=item.sealed) for item in items]


SOURCES: dict[CodePart, Callable[[UnitOfWork], list[CodedRow]]] = {
    CodePart.RESIDENTS: _residents,
    CodePart.NOTICES: _notices,
    CodePart.APPLICATIONS: _applications,
    CodePart.RECEIPTS: _receipts,
    CodePart.MASS_ROWS: _mass_rows,
    CodePart.BATCHES: _batches,
    CodePart.BATCH_ITEMS: _batch_items,
}


@pytest.mark.parametrize("part", CodePart)
def test_rows_of_every_part_are_read_in_pages_and_written_back(any_store: Store, part: CodePart) -> None:
    with any_store.begin() as work:
        rows = SOURCES[part](work)
        assert work.code_keys.size(part) == 3
        assert list(work.code_keys.page(part, (), 10)) == rows
        assert list(work.code_keys.page(part, (), 2)) == rows[:2]
        assert list(work.code_keys.page(part, rows[1].key, 2)) == rows[2:]
        assert list(work.code_keys.page(part, rows[2].key, 2)) == []
        changed = [
            replace(
                row,
                index=row.index and row.index[::-1],
                sealed=row.sealed and b"\x02" + row.sealed,
                digest=row.digest and b"\x02\x01" + row.digest,
                concealed=row.concealed and b"\x02" + row.concealed,
            )
            for row in rows[1:]
        ]
        work.code_keys.rewrite(part, changed)
        work.commit()
    with any_store.begin(write=False) as work:
        assert list(work.code_keys.page(part, (), 10)) == [rows[0], *changed]


@pytest.mark.parametrize("part", CodePart)
def test_only_rows_that_are_there_are_rewritten(any_store: Store, part: CodePart) -> None:
    with any_store.begin() as work:
        row = SOURCES[part](work)[0]
        key = tuple(value + 100 if isinstance(value, int) else f"{value} gone" for value in row.key)
        work.code_keys.rewrite(part, [])
        with pytest.raises(LookupError):
            work.code_keys.rewrite(part, [replace(row, key=key)])


def test_whoever_writes_hears_which_generations_are_in_use(any_store: Store) -> None:
    any_store.keys.sealer = sealer = make_sealer(1, 2)
    with any_store.begin() as work:
        work.code_keys.use([2, 1])
        work.commit()
    assert sealer.seal(resident_code(1))[1][0] == 1
    with any_store.begin() as work:
        assert sealer.seal(resident_code(1))[1][0] == 2


@pytest.mark.parametrize("write", [True, False], ids=["where-it-writes", "where-it-reads"])
def test_nobody_is_unknown_because_a_key_was_not_read_yet(any_store: Store, write: bool) -> None:
    new, ring = make_sealer(2), dict(key_ring(1))
    any_store.keys.sealer = sealer = make_sealer(1)
    with any_store.begin() as work:
        index, sealed = new.seal(resident_code(1))
        row = work.code_keys.page(CodePart.RESIDENTS, (), 1) or [CodedRow((add_resident(work),))]
        work.residents.rekey(int(row[0].key[0]), index, sealed, NOW)
        work.code_keys.use([2, 1])
        work.commit()
    indexes = sealer.indexes(resident_code(1))
    with any_store.begin(write=write) as work, pytest.raises(Refusal, match=r"generation 2|changed meanwhile"):
        work.residents.find(*indexes)
    ring |= key_ring(2)
    any_store.keys.sealer = sealer = make_sealer(1)
    sealer._reread = lambda: ring
    with any_store.begin(write=write) as work, pytest.raises(Refusal, match="changed meanwhile") as refused:
        work.residents.find(*indexes)
    assert refused.value.code is Code.BUSY
    with any_store.begin() as work:
        found = work.residents.find(*sealer.indexes(resident_code(1)))
        assert found is not None
        assert set(work.residents.find_many(sealer.indexes(resident_code(1)))) == {index}
        assert work.residents.find(*sealer.indexes(resident_code(2))) is None


def test_in_a_reading_unit_nobody_is_unknown_without_the_key(any_store: Store) -> None:
    any_store.keys.sealer = make_sealer(1)
    with any_store.begin() as work:
        work.code_keys.use([2, 1])
        work.commit()
    with any_store.begin(write=False) as work, pytest.raises(Refusal, match="generation 2") as refused:
        work.residents.find_many([digest_of("nobody")])
    assert refused.value.code is Code.BAD_CONFIGURATION
