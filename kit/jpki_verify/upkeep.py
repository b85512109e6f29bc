"""Upkeep of filters: the newest of the class are fetched from the authority, and those that are over deleted.

Nobody learns from it whom this verifier will check.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jpki_verify.anchors import Anchor
from jpki_verify.exchange import Reply
from jpki_verify.filters import ClassKey, Filter, read_class_key, read_filter
from jpki_verify.lists import Newest
from jpki_verify.rejection import Code, Reason, Rejected, Unusable
from jpki_verify.settings import Kind

Get = Callable[[str, Kind], Reply]
"""What the authority answers at a path behind its address of filters, to who asks for certificates of that kind. Raises
Unusable."""

MEDIA_TYPE = "application/vnd.jpki.filter"
_ISSUER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_WORD = re.compile(r"[a-z][a-z.0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Kept:
    """The filter of an issuer as it is kept now: what was fetched for it, and until when it may be used."""

    issuer: str
    fetched: tuple[str, ...]
    as_of: datetime
    until: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Upkeep:
    """What it takes. `newest` knows the highest number that was seen of each filter."""

    folder: Path
    key_file: Path
    anchors: tuple[Anchor, ...]
    tolerance: timedelta
    get: Get = field(compare=False)
    newest: Newest = field(compare=False)

    def update(self, now: datetime) -> list[Kept]:
        """Fetch what is new. Killed at any moment, the folder holds filters that belong together, or none.

        Raises Rejected(NOT_ADMITTED), with the rule that the authority names; Rejected(STATUS_AWAY) when something
        cannot be fetched or is not what it should be: what was kept before stays in use until it is over.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._delete_over(now)
        kept: list[Kept] = []
        for kind in sorted({anchor.kind for anchor in self.anchors}):
            try:
                offered = self._told(f"/{kind.value}", kind)
                key = self._key(str(offered["class"]), kind)
                kept += [found for row in offered["filters"] if (found := self._keep(row, kind, key, now))]
            except (KeyError, TypeError, ValueError, AttributeError):
                raise _away(Reason.UNREADABLE) from None
            except Unusable as unusable:
                raise _away(unusable.reason) from None
            except OSError as error:
                raise Rejected(Code.BAD_CONFIGURATION, f"{self.folder} cannot be written: {error.strerror}") from None
        return kept

    def _keep(self, row: Mapping[str, Any], kind: Kind, key: ClassKey, now: datetime) -> Kept | None:
        """Have base and delta of one issuer in the folder; None for an issuer that is not among the anchors."""
        issuer = str(row["issuer"])
        if not _ISSUER.fullmatch(issuer):
            raise ValueError("no name of an issuer")
        place = f"/{kind.value}/files/{issuer}"
        base, base_is_new = self._part(row["base"], place, f"{issuer}.base", kind, key, None, now)
        if base is None:
            return None
        delta, delta_is_new = None, False
        if row["delta"] is not None:
            place += f"?over={base.number}"
            delta, delta_is_new = self._part(row["delta"], place, f"{issuer}.delta", kind, key, base.number, now)
        fetched = tuple(word for word, is_new in (("base", base_is_new), ("delta", delta_is_new)) if is_new)
        last = delta or base
        return Kept(issuer, fetched, last.this_update, last.next_update)

    def _part(
        self,
        row: Mapping[str, Any],
        path: str,
        name: str,
        kind: Kind,
        key: ClassKey,
        base: int | None,
        now: datetime,
    ) -> tuple[Filter | None, bool]:
        """A filter as it was offered, in its file, and whether it had to be fetched; None when no anchor signed it."""
        file, wanted = self.folder / f"{name}.filter", str(row["sha256"])
        octets = file.read_bytes() if file.exists() else b""
        is_new = hashlib.sha256(octets).hexdigest() != wanted
        if is_new:
            octets = _body(self.get(path, kind), MEDIA_TYPE)
            if hashlib.sha256(octets).hexdigest() != wanted:  # replaced since it was offered: the next run has it
                raise Unusable(Reason.STALE)
        mine = (anchor for anchor in self.anchors if anchor.kind is kind)
        found = next(filter(None, (read_filter(octets, anchor) for anchor in mine)), None)
        if found is not None and (not key.opens(found) or found.base != base):
            raise Unusable(Reason.OTHER_PARTITION)
        if found is not None and is_new:
            if found.this_update > now + self.tolerance:
                raise Unusable(Reason.FROM_THE_FUTURE)
            if not self.newest(f"filter {found.key_identifier.hex()} {name.rpartition('.')[2]}", found.number):
                raise Unusable(Reason.ROLLED_BACK)
            _replace(file, octets, 0o644)
        return found, is_new

    def _key(self, word: str, kind: Kind) -> ClassKey:
        """The key of the class as its filters name it now: the one at hand, or a new one."""
        if not _WORD.fullmatch(word):
            raise ValueError("no name of a class")
        if self.key_file.exists():
            kept = read_class_key(self.key_file)
            if kept.word == word:
                return kept
        told = self._told(f"/{kind.value}/key", kind)
        key = ClassKey(str(told["class"]), bytes.fromhex(told["key"]))
        if key.word != word or len(key.octets) != 32:
            raise ValueError("no key of this class")
        _replace(self.key_file, f"{key.word}:{key.octets.hex()}\n".encode(), 0o600)
        return key

    def _told(self, path: str, kind: Kind) -> Any:
        return json.loads(_body(self.get(path, kind), "application/json"))

    def _delete_over(self, now: datetime) -> None:
        """Filters that must not be used any more, and files that are none. A base is over when the delta over it is."""
        read = {file: _reading(file.read_bytes(), self.anchors) for file in self.folder.glob("*.filter")}
        in_use = {_line(one) for one in read.values() if one is not None and one.next_update >= now}
        for file, found in read.items():
            if found is None or _line(found) not in in_use:
                file.unlink()
        for left in self.folder.glob(".*.new"):  # of a run that was killed
            left.unlink()


def _reading(octets: bytes, anchors: Iterable[Anchor]) -> Filter | None:
    for anchor in anchors:
        try:
            found = read_filter(octets, anchor)
        except Unusable:
            continue
        if found is not None:
            return found
    return None


def _line(found: Filter) -> tuple[bytes, int]:
    """What a base and the deltas over it have in common."""
    return found.key_identifier, found.number if found.base is None else found.base


def _body(reply: Reply, media_type: str) -> bytes:
    """Raises Rejected(NOT_ADMITTED), Unusable."""
    if reply.status in (401, 403):
        raise Rejected(Code.NOT_ADMITTED, f"the authority hands this verifier no filters{_rule_in(reply.body)}")
    if reply.status != 200:
        raise Unusable(Reason.NO_FILTER if reply.status in (404, 409) else Reason.HTTP_ERROR)
    if reply.media_type != media_type:
        raise Unusable(Reason.WRONG_MEDIA_TYPE)
    return reply.body


def _rule_in(body: bytes) -> str:
    """The rule by which the authority refused, and where it is written."""
    try:
        facts = json.loads(body)["facts"]
        return f": {facts['rule']} ({facts['source']})"
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def _away(reason: Reason) -> Rejected:
    why = "; filters at hand stay in use until they are over"
    return Rejected(Code.STATUS_AWAY, f"the newest filters cannot be had now ({reason.value}){why}")


def _replace(path: Path, octets: bytes, mode: int) -> None:
    """Put a file in place at once, on disk before this returns."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
