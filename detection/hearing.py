"""Hearing: provisions, as they are filed, put into the day of who asked. No serial stays; the key is of the month."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from detection.measuring import WINDOW
from detection.sketch import Sketch, add_records
from domain.detection import AskingDay
from domain.ports import UnitOfWork
from provisions.segment import NOBODY, Content, Sealed

_LABEL = b"jpki detection month\x00"


def hear_with(master: bytes) -> Callable[[UnitOfWork, Content, Sequence[Sealed]], None]:
    """What filing tells of records, in the transaction that files them; `master` is the secret of the state directory.

    Requests of nobody in particular are not counted.
    """

    def hear(work: UnitOfWork, content: Content, rows: Sequence[Sealed]) -> None:
        asked: dict[tuple[date, int, int], list[Sealed]] = defaultdict(list)
        days: dict[int, date] = {}
        for row in rows:
            if row.party == NOBODY:
                continue
            number = row.seconds // 86400
            if number not in days:
                days[number] = datetime.fromtimestamp(row.seconds, UTC).date()
            asked[days[number], row.party, row.provider].append(row)
        for (day, party, provider), own in asked.items():
            kept = work.detection.day(day, party, provider)
            sketch = Sketch.read(kept.content) if kept else Sketch()
            add_records(sketch, month_key(master, day), content, own)
            soon = day + timedelta(days=WINDOW)
            if soon.month != day.month:
                sketch.ahead = sketch.ahead or Sketch()
                add_records(sketch.ahead, month_key(master, soon), content, own)
            work.detection.put_day(AskingDay(day, party, provider, sketch.write()))

    return hear


def month_key(master: bytes, day: date) -> bytes:
    """The key of the digests of a month: those of two months cannot be compared."""
    return hmac.digest(master, _LABEL + f"{day:%Y-%m}".encode(), "sha256")
