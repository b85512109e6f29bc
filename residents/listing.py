"""Lists of notices, as their senders and operators see them: what is held, quarantined or applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.events import NoticeRecord, NoticeState
from domain.ports import Begin

PAGE = 500


@dataclass(frozen=True, slots=True)
class NoticeList:
    """Notices of one sender in one state, by number. `expected` is the number whose turn it is: held ones wait for it.
    `more` says that others follow the last one."""

    sender: str
    expected: int
    notices: Sequence[NoticeRecord]
    more: bool


def list_notices(begin: Begin, sender: str, state: NoticeState, after: int | str = 0) -> NoticeList:
    """At most PAGE notices after the one of that number, or of that id when it has no number: those come first."""
    with begin(write=False) as work:
        found = work.notices.page(sender, state, after, PAGE + 1)
        return NoticeList(sender, work.notices.expected(sender), found[:PAGE], len(found) > PAGE)


def list_senders(begin: Begin) -> Sequence[str]:
    """Labels of all that ever sent a notice."""
    with begin(write=False) as work:
        return work.notices.senders()
