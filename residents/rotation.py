"""Rotation of the keys of resident codes: a new generation comes into use, rows move to it, the old one is retired.

Each step is a transaction of its own, and the next one goes on from what it left: a process that is killed loses the
batch in its hands and nothing else. Meanwhile rows of both generations are found, opened and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from domain.batches import row_name
from domain.code_keys import FIRST, LAST, CodedRow, CodeKeyRecord, CodeMove, CodePart
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.mass import label_of
from domain.parties import Party
from domain.ports import Begin, Clock, UnitOfWork
from residents.queue import sealed_name
from residents.sealing import Sealer, path_of

BATCH = 500
"""Rows that are moved in one transaction: others write between two of them."""
_PAGE = 10_000

_NAMES: dict[CodePart, Callable[..., bytes]] = {
    CodePart.NOTICES: sealed_name,
    CodePart.MASS_ROWS: label_of,
    CodePart.BATCH_ITEMS: row_name,
}
"""What content is concealed under, given the key of its row."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation needs. `actor` is whoever orders it."""

    begin: Begin
    clock: Clock
    sealer: Sealer
    actor: Party


@dataclass(frozen=True, slots=True)
class RotationState:
    """Generations on record, those in use (that for writing first), and how far each part was moved to it, of how many
    rows."""

    records: tuple[CodeKeyRecord, ...]
    in_use: tuple[int, ...]
    moves: tuple[tuple[CodeMove, int], ...]


def newest(work: UnitOfWork) -> int:
    """The newest generation on record."""
    return max((record.generation for record in work.code_keys.all()), default=FIRST)


def add_generation(rotation: Rotation) -> int:
    """Put the next generation, whose keys must be at hand, on record; its number. Nothing is made with it yet.

    Repeated before it came into use, it gives the same number. Raises Refusal: ALREADY_APPLIED while an older
    rotation is unfinished; BAD_CONFIGURATION without the keys, or with others than are on record.
    """
    with rotation.begin() as work:
        in_use, at = work.code_keys.in_use(), rotation.clock()
        if len(in_use) > 1:
            raise Refusal(Code.ALREADY_APPLIED, "a rotation is under way; finish that one first")
        require_same_keys(rotation.sealer, work)
        generation = newest(work)
        if generation > in_use[0]:
            return generation
        generation += 1
        if generation > LAST:
            raise Refusal(Code.BAD_CONFIGURATION, f"there are no more than {LAST} generations")
        rotation.sealer.require((*in_use, generation))
        if not work.code_keys.all():
            work.code_keys.put(CodeKeyRecord(FIRST, rotation.sealer.check(FIRST), at))
        check = rotation.sealer.check(generation)
        work.code_keys.put(CodeKeyRecord(generation, check, at))
        _tell(rotation, work, Act.CODE_KEYS_ADDED, generation=generation, check=check.hex())
        work.commit()
    return generation


def require_same_keys(sealer: Sealer, work: UnitOfWork) -> None:
    """Return if every generation that is on record and not retired is at hand, with the same keys.

    Raises Refusal(BAD_CONFIGURATION): rows made with other keys would be found by nobody else.
    """
    for record in work.code_keys.all():
        if record.retired_at is None:
            sealer.require((record.generation,))
            if sealer.check(record.generation) != record.check:
                raise Refusal(
                    Code.BAD_CONFIGURATION,
                    f"generation {record.generation} of the keys of resident codes is not that of this database; put "
                    "the right secrets in place",
                )


def switch(rotation: Rotation) -> bool:
    """Have everything be made with the newest generation from this commit on; False when that is so already.

    Whoever writes hears of it with its next transaction. Index keys of older generations are kept, sealed under the
    new one, since digests that were made with them must be compared as long as somebody may repeat a request.
    """
    with rotation.begin() as work:
        in_use, generation = work.code_keys.in_use(), newest(work)
        if in_use[0] == generation:
            return False
        require_same_keys(rotation.sealer, work)
        at = rotation.clock()
        rotation.sealer.attend((generation, *in_use))
        for record in work.code_keys.all():
            if record.generation != generation:
                kept = rotation.sealer.keep(record.generation)
                work.code_keys.put(replace(record, superseded_at=record.superseded_at or at, kept=kept))
        work.code_keys.use((generation, *in_use))
        _tell(rotation, work, Act.CODE_KEYS_CHANGED, generation=generation, before=list(in_use))
        work.commit()
    return True


def move_rows(rotation: Rotation, batch: int = BATCH) -> Iterator[CodeMove]:
    """Move all rows to the generation for writing, `batch` in a transaction; how far each transaction came.

    Begun anew, it goes on where the last one stopped. Raises Refusal(BAD_CONFIGURATION) for a row that does not open.
    """
    for part in CodePart:
        move = _state_of(rotation, part)
        while move.done_at is None:
            moved = _move_batch(rotation, part, batch)
            if moved is None:
                # A request that was on its way during the switch may have left a digest behind: look once more.
                move = _close(rotation, part, clean=not _left(rotation, part))
            else:
                move = moved
                yield move


def retire(rotation: Rotation) -> tuple[int, ...]:
    """Take the older generations out of use; which they were. Nothing is found or opened with them afterwards.

    Raises Refusal(IN_PROGRESS) while rows depend on them, or may.
    """
    with rotation.begin(write=False) as work:
        generation, *older = work.code_keys.in_use()
    if not older:
        return ()
    for part in CodePart:
        if _state_of(rotation, part).done_at is None or _left(rotation, part):
            raise Refusal(
                Code.IN_PROGRESS,
                f"rows of {part.value} still depend on an older generation; move them first: "
                "jpki residents rotate-keys run",
            )
    with rotation.begin() as work:
        if work.code_keys.in_use() != (generation, *older):
            raise Refusal(Code.BUSY, "the generations in use were changed meanwhile; look at the state and repeat")
        at = rotation.clock()
        for record in work.code_keys.all():
            if record.generation in older:
                work.code_keys.put(replace(record, retired_at=at))
        work.code_keys.use((generation,))
        _tell(rotation, work, Act.CODE_KEYS_RETIRED, generation=generation, retired=older)
        work.commit()
    return tuple(older)


def state_of(rotation: Rotation) -> RotationState:
    """How far it is."""
    with rotation.begin(write=False) as work:
        keys = work.code_keys
        in_use = keys.in_use()
        moves = tuple((keys.move(in_use[0], part), keys.size(part)) for part in CodePart)
        return RotationState(tuple(keys.all()), in_use, moves)


def _state_of(rotation: Rotation, part: CodePart) -> CodeMove:
    with rotation.begin(write=False) as work:
        return work.code_keys.move(work.code_keys.in_use()[0], part)


def _move_batch(rotation: Rotation, part: CodePart, batch: int) -> CodeMove | None:
    """The state after the next rows, or None when there are no more."""
    with rotation.begin() as work:
        generation = work.code_keys.in_use()[0]
        move = work.code_keys.move(generation, part)
        rows = work.code_keys.page(part, move.after, batch)
        if not rows:
            return None
        changed = [
            _moved(rotation.sealer, part, row) for row in rows if not generations_of(row) <= frozenset({generation})
        ]
        work.code_keys.rewrite(part, changed)
        move = replace(move, after=rows[-1].key, moved=move.moved + len(changed))
        work.code_keys.keep_move(move)
        work.commit()
    return move


def _close(rotation: Rotation, part: CodePart, *, clean: bool) -> CodeMove:
    """Note that the part is done, or go through it again from the start."""
    with rotation.begin() as work:
        move = work.code_keys.move(work.code_keys.in_use()[0], part)
        move = replace(move, done_at=rotation.clock()) if clean else replace(move, after=())
        work.code_keys.keep_move(move)
        if clean:
            _tell(rotation, work, Act.CODE_KEYS_MOVED, generation=move.generation, part=part.value, rows=move.moved)
        work.commit()
    return move


def _left(rotation: Rotation, part: CodePart) -> bool:
    """Whether any row holds a value of an older generation. Looks at all, some in each transaction."""
    after: tuple[int | str, ...] = ()
    while True:
        with rotation.begin(write=False) as work:
            generation = work.code_keys.in_use()[0]
            rows = work.code_keys.page(part, after, _PAGE)
        if not all(generations_of(row) <= frozenset({generation}) for row in rows):
            return True
        if len(rows) < _PAGE:
            return False
        after = rows[-1].key


def generations_of(row: CodedRow) -> frozenset[int]:
    """The generations whose keys the row's values need to be read, found or guarded."""
    seals = {sealed[0] for sealed in (row.sealed, row.concealed) if sealed}
    return frozenset(seals | ({path_of(row.digest)[0]} if row.digest else set()))


def _moved(sealer: Sealer, part: CodePart, row: CodedRow) -> CodedRow:
    """The row with values of the generation for writing."""
    try:
        if row.index is not None and row.sealed is not None:
            index, sealed = sealer.seal(sealer.unseal(row.index, row.sealed))
            return replace(row, index=index, sealed=sealed)
        concealed = row.concealed
        if concealed is not None:
            name = _NAMES[part](*row.key)
            concealed = sealer.conceal(sealer.reveal(name, concealed), name)
        return replace(row, digest=row.digest and sealer.moved_digest(row.digest), concealed=concealed)
    except ValueError:
        where = f" {row.key[0]}" if part is CodePart.RESIDENTS else ""
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"row{where} of {part.value} does not open with the keys at hand; the secrets or the row were changed: "
            "restore what is wrong",
        ) from None


def _tell(rotation: Rotation, work: UnitOfWork, act: Act, **facts: object) -> None:
    work.audit.append(AuditEvent(act, rotation.actor.label, rotation.clock(), facts))
