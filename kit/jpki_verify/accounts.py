"""Accounts: what the operator's own system calls the people behind handles, whatever key these were made with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jpki_verify.handles import MOST, Handles, generation_of
from jpki_verify.settings import Kind
from jpki_verify.store import Store


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many handles are of the newest generation now, and how many the authority understands no more."""

    translated: int
    lost: int


def recall(handle: str, store: Store, handles: Handles, now: datetime) -> str | None:
    """The reference that was kept with a handle, or None for somebody new. When the authority has changed its key
    since, all handles are translated first. Raises Rejected(HANDLES_AWAY or NOT_ADMITTED)."""
    found = store.reference_of(handle, now)
    if found is None and refresh(generation_of(handle), store, handles).translated:
        found = store.reference_of(handle, now)
    return found


def refresh(generation: str, store: Store, handles: Handles) -> Refreshed:
    """Translate what is kept under handles of other generations than this one. It may be killed and repeated.

    Handles that are understood no more are marked, and not asked about again: the people behind them come back as new
    ones. Raises Rejected(HANDLES_AWAY or NOT_ADMITTED).
    """
    translated = lost = 0
    for kind in Kind:
        last = ""
        while older := store.older_handles(kind.value, generation, last, MOST):
            newer = _translate(older, kind, handles)
            store.rename(newer)
            store.lose(former for former in older if former not in newer)
            translated, lost, last = translated + len(newer), lost + len(older) - len(newer), older[-1]
    return Refreshed(translated, lost)


def _translate(older: list[str], kind: Kind, handles: Handles) -> dict[str, str]:
    """Those that are understood, by halves until the others are found."""
    found = handles.translate(older, kind)
    if found is not None:
        return dict(zip(older, found, strict=True))
    if len(older) == 1:
        return {}
    middle = len(older) // 2
    return _translate(older[:middle], kind, handles) | _translate(older[middle:], kind, handles)
