"""Heads of answers: status line and headers, as octets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus

from ocsp.response import OcspAnswer
from web.ocsp import as_http


def answer_head(found: OcspAnswer, cacheable: bool, keep_alive: bool, date: bytes) -> bytes:
    """The head of an OCSP answer, with the headers that `web.ocsp.as_http` gives it."""
    if not (cacheable and found.max_age):
        return _plain_head(len(found.der), keep_alive, date)
    head = _kept_head(len(found.der), found.max_age, found.shared, found.produced_at, keep_alive, date)
    return head + b'ETag: "%b"\r\n\r\n' % sha256(found.der).hexdigest().encode()


@lru_cache(maxsize=1024)
def _plain_head(length: int, keep_alive: bool, date: bytes) -> bytes:
    """The head of an answer that nobody may store."""
    answer = OcspAnswer(bytes(length), "")
    return head_of(200, as_http(answer, cacheable=False).headers, keep_alive, date)


@lru_cache(maxsize=1024)
def _kept_head(
    length: int, max_age: int, shared: bool, produced_at: datetime | None, keep_alive: bool, date: bytes
) -> bytes:
    """The head of an answer that caches may store, up to its ETag."""
    answer = OcspAnswer(bytes(length), "", max_age, shared, produced_at)
    *headers, _ = as_http(answer, cacheable=True).headers
    return head_of(200, headers, keep_alive, date)[:-2]


def head_of(status: int, headers: Sequence[tuple[str, str]], keep_alive: bool, date: bytes) -> bytes:
    """Status line and headers; the latter without what belongs to the connection."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    connection = "keep-alive" if keep_alive else "close"
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nDate: {date.decode()}\r\n"
    return f"{first}{lines}Connection: {connection}\r\n\r\n".encode("latin-1")
