"""Rotation of the keys of resident codes on every store: everything is found, opened and compared throughout."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

import pytest

from ca.authority import Authority
from ca.issue import issue
from ca.revoke import revoke_resident
from domain.batches import BatchItem, ItemState, row_name
from domain.code_keys import CodePart
from domain.errors import Code, Refusal
from domain.events import NoticeState
from domain.mass import MassRow, label_of
from domain.parties import LOCAL_OPERATOR
from domain.people import ResidentCode
from policies.validity import day_in_japan
from residents.feed import BadNotice, Notice
from residents.intake import take
from residents.load import load_residents
from residents.parts import Intake
from residents.receipts import HeldNotice, NoticeReceipt, QuarantinedNotice
from residents.rotation import Rotation, add_generation, generations_of, move_rows, retire, state_of, switch
from residents.rows import Format
from residents.sealing import Sealer
from tests.support.authority import KIYOSE_CITY, make_application, make_authority, make_revocation
from tests.support.memory import MemoryStore
from tests.support.notices import MOVED, REGISTER, make_intake, notice
from tests.support.requests import make_pair
from tests.support.residents import KIYOSE, as_fields, csv_file, full_width, record, resident_code
from tests.support.sealers import HeardKeys, code_keys, counting, key_ring
from tests.support.stores import Store

NUMBERS = range(1, 8)
UNREADABLE = BadNotice(REGISTER.label, None, None, bytes(32), Refusal(Code.MALFORMED, "the notice is not UTF-8"))


@dataclass
class Office:
    """A process at a store: what is done with resident codes, by a sealer of these generations."""

    store: Store
    sealer: Sealer
    authority: Authority = field(init=False)
    intake: Intake = field(init=False)
    rotation: Rotation = field(init=False)
    today: date = field(init=False)

    def __post_init__(self) -> None:
        self.store.keys.sealer = self.sealer
        self.authority = make_authority(begin=self.store.begin, sealer=self.sealer)
        self.intake = make_intake(self.store.begin, self.authority.clock(), self.sealer)
        self.rotation = Rotation(self.store.begin, self.authority.clock, self.sealer, LOCAL_OPERATOR)
        self.today = day_in_japan(self.authority.clock())

    def load(self, *numbers: int, address: str = "東京都清瀬市霞野１") -> None:
        file = csv_file(as_fields(record(number, address=address)) for number in numbers)
        assert not load_residents(self.intake, LOCAL_OPERATOR, file, Format.CSV).faults

    def take(self, event: Notice) -> object:
        return take(self.intake, event, REGISTER).answer

    def move_within(self, sequence: int) -> Notice:
        """Notice of that number: the resident of that number moved today."""
        code = resident_code(sequence)
        return notice(notice_id=f"n{sequence}", sequence=sequence, code=code, effective_on=self.today)

    def found(self, code: ResidentCode) -> int | None:
        with self.store.begin(write=False) as work:
            resident = work.residents.find(*self.sealer.indexes(code))
            return resident.id if resident else None

    def opened(self) -> set[ResidentCode]:
        with self.store.begin(write=False) as work:
            return {self.sealer.unseal(*pair) for pair in work.residents.sealed()}

    def generations(self) -> set[int]:
        """Those on which any row depends."""
        with self.store.begin(write=False) as work:
            rows = [row for part in CodePart for row in work.code_keys.page(part, (), 1000)]
        return {generation for row in rows for generation in generations_of(row)}


def office(store: Store, *generations: int) -> Office:
    def kept() -> dict[int, bytes]:
        with store.begin(write=False) as work:
            return {row.generation: row.kept for row in work.code_keys.all() if row.kept}

    return Office(store, Sealer(key_ring(*generations), counting(), kept=kept))


APPLICATION = make_application(key="application", resident_code=resident_code(1))
REVOCATION = make_revocation(key="revocation", resident_code=resident_code(1))


def give_it_a_past(old: Office) -> list[object]:
    """Residents, a pair, a revocation, notices applied, held and unreadable; the answers to what is repeated."""
    old.load(*NUMBERS, address=record(1).attributes.address)
    issue(old.authority, APPLICATION)
    with old.store.begin() as work:
        rows = [MassRow(n, n, old.sealer.conceal(b"address", label_of("event", n))) for n in (1, 2)]
        work.mass.keep("event", rows)
        batch = work.batches.open(KIYOSE_CITY.label, "batch", old.sealer.digest(b"file"), 1, old.authority.clock())
        name = row_name(batch, 1)
        item = BatchItem(batch, 1, "key", ItemState.WAITING, KIYOSE, old.sealer.conceal(b"application", name))
        work.batches.put([item], old.authority.clock())
        work.commit()
    answers: list[object] = [old.take(event) for event in (old.move_within(1), old.move_within(3), UNREADABLE)]
    return [revoke_resident(old.authority, REVOCATION), *answers]


def repeats(now: Office) -> list[object]:
    """The same again: what is told of each must be what was told then, marked as repeated where it says so."""
    pair = issue(now.authority, APPLICATION)
    assert pair.repeated
    answers = [now.take(event) for event in (now.move_within(1), now.move_within(3), UNREADABLE)]
    for answer in answers:
        assert isinstance(answer, NoticeReceipt | HeldNotice | QuarantinedNotice)
        assert answer.repeated
    return [revoke_resident(now.authority, REVOCATION), *(replace(a, repeated=False) for a in answers)]  # type: ignore[type-var]


def rotate(rotation: Rotation) -> None:
    add_generation(rotation)
    switch(rotation)
    for _ in move_rows(rotation, 2):
        pass
    retire(rotation)


def test_afterwards_the_new_keys_alone_do_all_that_the_old_ones_did(any_store: Store) -> None:
    answers = give_it_a_past(office(any_store, 1))
    rotate(office(any_store, 1, 2).rotation)
    new = office(any_store, 2)
    assert new.generations() == {2}
    assert new.opened() == {resident_code(number) for number in NUMBERS}
    assert None not in {new.found(resident_code(number)) for number in NUMBERS}
    assert new.found(resident_code(99)) is None
    assert repeats(new) == answers
    with any_store.begin(write=False) as work:
        for row in work.mass.rows("event", 0, 2):
            assert new.sealer.reveal(label_of("event", row.position), row.sealed or b"") == b"address"
        found = work.batches.find(KIYOSE_CITY.label, "batch")
        assert found is not None
        assert new.sealer.says(b"file", found.content)
        (coded,) = work.code_keys.page(CodePart.BATCH_ITEMS, (), 9)
        assert new.sealer.reveal(row_name(found.id, 1), coded.concealed or b"") == b"application"
    with pytest.raises(Refusal, match="belongs to an earlier") as refused:
        revoke_resident(new.authority, replace(REVOCATION, resident_code=resident_code(2)))
    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH
    taken = take(new.intake, new.move_within(2), REGISTER)
    assert isinstance(taken.answer, NoticeReceipt)
    assert [answer.notice_id for answer in taken.released] == ["n3"], "what was held opens when its turn comes"


def test_three_rotations_lose_no_repeat(any_store: Store) -> None:
    answers = give_it_a_past(office(any_store, 1))
    for generation in (1, 2, 3):
        rotate(office(any_store, generation, generation + 1).rotation)
        assert repeats(office(any_store, generation + 1)) == answers
    last = office(any_store, 4)
    assert last.opened() == {resident_code(number) for number in NUMBERS}
    assert [row.retired_at is not None for row in state_of(last.rotation).records] == [True, True, True, False]


def test_everything_goes_on_between_two_batches(any_store: Store) -> None:
    answers = give_it_a_past(office(any_store, 1))
    moving = office(any_store, 1, 2)
    add_generation(moving.rotation)
    assert moving.generations() == {1}, "nothing is made with a generation that was only added"
    moving.load(8)
    assert moving.generations() == {1}
    switch(moving.rotation)
    numbers = [*NUMBERS, 8]
    for step, _ in enumerate(move_rows(moving.rotation, 1), start=100):
        assert None not in {moving.found(resident_code(number)) for number in numbers}
        assert moving.found(resident_code(999)) is None
        assert moving.opened() == {resident_code(number) for number in numbers}
        assert repeats(moving) == answers
        if step < 110:
            # One that is new, one that may have moved or not.
            moving.load(
                step, 8, address=f"東京都清瀬市霞野{full_width(str(step))}"
            )  # one that is new, one that may have moved or not
            numbers.append(step)
            request = make_revocation(key=f"r{step}", resident_code=resident_code(2))
            with pytest.raises(Refusal, match="no live certificate"):
                revoke_resident(moving.authority, request)
    assert retire(moving.rotation) == (1,)
    new = office(any_store, 2)
    assert new.opened() == {resident_code(number) for number in numbers}
    with any_store.begin(write=False) as work:
        assert work.residents.count() == len(numbers)


def test_pairs_are_issued_once_whenever_it_is_asked_for(any_store: Store) -> None:
    office(any_store, 1).load(*NUMBERS, address=record(1).attributes.address)
    moving = office(any_store, 1, 2)
    rotation, asked = moving.rotation, iter(range(5))

    def ask() -> None:
        number = next(asked)
        application = make_application(
            key=f"a{number}", resident_code=resident_code(number + 1), requests=make_pair("rsa", number)
        )
        assert not issue(moving.authority, application).repeated
        assert issue(moving.authority, application).repeated
        with pytest.raises(Refusal, match="live certificate"):
            issue(moving.authority, replace(application, key="another"))

    ask()
    add_generation(rotation)
    ask()
    switch(rotation)
    ask()
    list(move_rows(rotation))
    ask()
    retire(rotation)
    ask()


def test_a_process_with_the_old_keys_reads_the_new_ones_when_it_hears_of_them(any_store: Store) -> None:
    ring = dict(key_ring(1))
    old = Office(any_store, Sealer(ring, counting(), reread=lambda: ring))
    old.load(*NUMBERS)
    ring |= key_ring(2)
    rotate(office(any_store, 1, 2).rotation)
    any_store.keys.sealer = old.sealer
    with pytest.raises(Refusal, match="changed meanwhile") as refused:
        old.found(resident_code(1))
    assert refused.value.code is Code.BUSY
    with pytest.raises(Refusal, match="no live certificate"):
        revoke_resident(old.authority, make_revocation(key="r1", resident_code=resident_code(1)))
    assert old.found(resident_code(1)) is not None
    assert old.sealer.generations == (1, 2)


def test_a_process_without_the_new_keys_takes_nobody_for_unknown_and_makes_nothing(any_store: Store) -> None:
    old = office(any_store, 1)
    old.load(*NUMBERS)
    rotate(office(any_store, 1, 2).rotation)
    any_store.keys.sealer = old.sealer
    acts: list[Callable[[], object]] = [
        lambda: old.found(resident_code(1)),
        lambda: old.load(1, 50),
        lambda: old.take(old.move_within(1)),
        lambda: revoke_resident(old.authority, REVOCATION),
        lambda: issue(old.authority, APPLICATION),
    ]
    for act in acts:
        with pytest.raises(Refusal, match="generation 2 of the keys") as refused:
            act()
        assert refused.value.code is Code.BAD_CONFIGURATION
    assert office(any_store, 2).generations() == {2}


def test_a_digest_that_was_on_its_way_during_the_switch_is_moved_before_the_end(any_store: Store) -> None:
    old = office(any_store, 1)
    late = old.sealer.digest(b"late")
    moving = office(any_store, 1, 2)
    add_generation(moving.rotation)
    switch(moving.rotation)
    list(move_rows(moving.rotation))
    with any_store.begin() as work:
        work.revocations.keep_receipt("a", "late", late, "{}")
        work.commit()
    with pytest.raises(Refusal, match="rows of receipts still depend") as refused:
        retire(moving.rotation)
    assert refused.value.code is Code.IN_PROGRESS


@pytest.fixture
def memory() -> MemoryStore:
    store = MemoryStore()
    store.keys = HeardKeys()
    return store


def as_store(memory: MemoryStore) -> Store:
    assert isinstance(memory.keys, HeardKeys)
    return Store(memory.begin, memory, keys=memory.keys)


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_a_rotation_goes_on_wherever_a_commit_failed(memory: MemoryStore, fault: Literal["lost", "kept"]) -> None:
    store = as_store(memory)
    answers = give_it_a_past(office(store, 1))
    before, tables = memory.commits, memory.tables.copy()
    rotate(office(store, 1, 2).rotation)
    commits = memory.commits - before
    assert commits == 21
    for failing in range(1, commits + 1):
        memory.tables, memory.faults = tables.copy(), {memory.commits + failing: fault}
        with pytest.raises(Refusal, match="the store is away"):
            rotate(office(store, 1, 2).rotation)
        between = office(store, 1, 2)
        assert between.opened() == {resident_code(number) for number in NUMBERS}
        assert None not in {between.found(resident_code(number)) for number in NUMBERS}
        go_on(between.rotation)
        assert office(store, 2).generations() == {2}
    assert repeats(office(store, 2)) == answers


def go_on(rotation: Rotation) -> None:
    """Repeat the steps from the first that is not done."""
    found = state_of(rotation)
    if found.in_use == (2,):
        return
    if found.in_use == (1,):
        add_generation(rotation)
    switch(rotation)
    list(move_rows(rotation, 2))
    retire(rotation)


def test_two_may_move_rows_at_once(any_store: Store) -> None:
    office(any_store, 1).load(*NUMBERS)
    moving = office(any_store, 1, 2)
    add_generation(moving.rotation)
    switch(moving.rotation)
    one, other = move_rows(moving.rotation, 1), move_rows(moving.rotation, 1)
    for _ in zip(one, other, strict=False):
        pass
    list(one)
    list(other)
    assert moving.generations() == {2}
    moves = [move for move, _ in state_of(moving.rotation).moves]
    assert [move.moved for move in moves] == [len(NUMBERS), *[0] * (len(CodePart) - 1)]


def test_others_read_and_write_while_rows_move(store: Store) -> None:
    moving = office(store, 1, 2)
    moving.load(*range(1, 61), address=record(1).attributes.address)
    add_generation(moving.rotation)
    switch(moving.rotation)
    done, seen = threading.Event(), 0

    def move() -> int:
        try:
            return sum(1 for _ in move_rows(moving.rotation, 1))
        finally:
            done.set()

    def look(first: int) -> int:
        rounds = 0
        while not done.is_set():
            assert None not in {moving.found(resident_code(number)) for number in range(first, 61, 7)}
            rounds += 1
        return rounds

    def send() -> int:
        answers = [moving.take(moving.move_within(sequence)) for sequence in range(1, 31)]
        assert all(isinstance(answer, NoticeReceipt) for answer in answers)
        return len(answers)

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(look, 1), pool.submit(look, 2), pool.submit(send), pool.submit(move)]
        seen = sum(one.result(timeout=60) for one in work)
    assert seen > 90
    assert moving.generations() == {2}
    assert retire(moving.rotation) == (1,)


def test_a_second_rotation_waits_for_the_end_of_the_first(any_store: Store) -> None:
    moving = office(any_store, 1, 2, 3)
    assert add_generation(moving.rotation) == add_generation(moving.rotation) == 2
    assert switch(moving.rotation)
    assert not switch(moving.rotation)
    with pytest.raises(Refusal, match="a rotation is under way") as refused:
        add_generation(moving.rotation)
    assert refused.value.code is Code.ALREADY_APPLIED
    list(move_rows(moving.rotation))
    assert (retire(moving.rotation), retire(moving.rotation)) == ((1,), ())


def test_keys_that_are_missing_or_others_are_refused(any_store: Store) -> None:
    with pytest.raises(Refusal, match="generation 2 of the keys"):
        add_generation(office(any_store, 1).rotation)
    add_generation(office(any_store, 1, 2).rotation)
    wrong = Office(any_store, Sealer({1: code_keys(1), 2: code_keys(9)}, counting()))
    for step in (add_generation, switch):
        with pytest.raises(Refusal, match="generation 2 of the keys of resident codes is not that of this database"):
            step(wrong.rotation)


def test_nothing_is_retired_before_its_rows_have_moved(any_store: Store) -> None:
    office(any_store, 1).load(*NUMBERS)
    moving = office(any_store, 1, 2)
    add_generation(moving.rotation)
    switch(moving.rotation)
    next(move_rows(moving.rotation, 2))
    with pytest.raises(Refusal, match="rows of residents still depend") as refused:
        retire(moving.rotation)
    assert refused.value.code is Code.IN_PROGRESS


def test_a_row_that_does_not_open_stops_the_move_and_is_named(any_store: Store) -> None:
    old = office(any_store, 1)
    old.load(1, 2)
    with any_store.begin() as work:
        row = work.code_keys.page(CodePart.RESIDENTS, (), 5)[1]
        assert row.index is not None
        work.residents.rekey(int(row.key[0]), row.index, b"\x01" + bytes(39), old.authority.clock())
        work.commit()
    moving = office(any_store, 1, 2)
    add_generation(moving.rotation)
    switch(moving.rotation)
    with pytest.raises(Refusal, match=f"row {row.key[0]} of residents does not open") as refused:
        list(move_rows(moving.rotation))
    assert refused.value.code is Code.BAD_CONFIGURATION


def test_the_audit_trail_tells_each_step_and_no_key(any_store: Store) -> None:
    office(any_store, 1).load(*NUMBERS)
    rotate(office(any_store, 1, 2).rotation)
    with any_store.begin(write=False) as work:
        bodies = [row.body for row in work.audit.rows()]
    told = [body for body in bodies if "code-keys" in body]
    acts = ["added", "changed", *["moved"] * len(CodePart), "retired"]
    assert [act for body, act in zip(told, acts, strict=True) if f'"code-keys-{act}"' in body] == acts
    for generation in (1, 2):
        for key in (code_keys(generation).index, code_keys(generation).seal):
            assert key.hex() not in "".join(bodies)


def test_a_notice_that_was_put_aside_stays_so(any_store: Store) -> None:
    old = office(any_store, 1)
    answers = [old.take(UNREADABLE)]
    rotate(office(any_store, 1, 2).rotation)
    new = office(any_store, 2)
    again = new.take(UNREADABLE)
    assert isinstance(again, QuarantinedNotice)
    assert [replace(again, repeated=False)] == answers
    with any_store.begin(write=False) as work:
        assert len(work.notices.page(REGISTER.label, NoticeState.QUARANTINED, 0, 9)) == 1


def test_moved_keeps_the_items_of_notices(any_store: Store) -> None:
    office(any_store, 1).load(1)
    new = office(any_store, 1, 2)
    rotate(new.rotation)
    new.take(new.move_within(1))
    row = new.found(resident_code(1))
    assert row is not None
    with any_store.begin(write=False) as work:
        assert work.residents.get(row).attributes == MOVED
