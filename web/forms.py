"""Forms of requests: heads of POSTs for OCSP that were read before, octet for octet, and need no reading again.

A client's requests differ in their bodies alone; to take its head for the one it sent before costs a tenth of reading
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_END = b"\r\n\r\n"
_LONGEST = 1024
_MOST = 1024
_MORE = frozenset((b"transfer-encoding", b"expect", b"upgrade"))
"""Header fields of requests that are more than a head and a body of known length."""


class Form(NamedTuple):
    """What a head says: how long the body is, and whether the connection is kept."""

    length: int
    keep_alive: bool


class Forms:
    """The heads that are known. When they are too many, all are forgotten."""

    def __init__(self) -> None:
        self._known: dict[bytes, Form] = {}

    def find(self, data: bytes) -> tuple[bytes, bool] | None:
        """The body, and whether the connection is kept, where `data` is one whole request of a known form."""
        end = data.find(_END) + len(_END)
        form = self._known.get(data[:end])
        if form is None or len(data) - end != form.length:
            return None
        return data[end:], form.keep_alive

    def learn(self, data: bytes, names: Iterable[bytes], body: bytes, keep_alive: bool) -> None:
        """Keep the head of `data`, which was read as one whole request with header fields of these names, if all that
        it says of the body is its length."""
        head, words = data[: len(data) - len(body)], [name.lower() for name in names]
        if words.count(b"content-length") != 1 or not _MORE.isdisjoint(words):
            return
        if len(head) > _LONGEST or data.find(_END) + len(_END) != len(head):
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[head] = Form(len(body), keep_alive)
