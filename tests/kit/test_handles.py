"""Handles from an authority that answers well, badly or not at all, and that changes its key."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from jpki_verify import Code, Kind, Rejected, Verifier
from jpki_verify.accounts import Refreshed, refresh
from jpki_verify.certificates import Holder
from jpki_verify.exchange import Limits, tls
from jpki_verify.handles import MOST, AuthorityHandles, generation_of
from jpki_verify.settings import Declared
from tests.support.authority import NOW
from tests.support.misbehaving import Serve
from tests.support.operator import card_signs
from tests.support.requests import holder_key
from tests.support.specimens import holder_certificate, make_holder, open_verifier

HOLDER = make_holder("authentication-rsa2048")
HANDLE = "1-" + "a" * 40
LIMITS = Limits(timedelta(seconds=1), 10_000)


def handles_at(url: str, **purposes: str) -> AuthorityHandles:
    declared = Declared({kind: purposes.get(kind.value) for kind in Kind}, purposes.get("provider"))
    return AuthorityHandles(url, declared, tls(), LIMITS)


def says(body: object, status: str = "200 OK") -> bytes:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(octets)}\r\n\r\n".encode()
        + octets
    )


def test_the_certificate_is_shown_whole_with_purpose_and_provider(serve: Serve) -> None:
    server = serve(says({"handles": [{"handle": HANDLE, "kind": "authentication"}]}))
    handles = handles_at(server.url, authentication="log-in", signature="contract", provider="shop")
    assert handles.handle_of(HOLDER) == HANDLE
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == {
        "certificates": [base64.b64encode(HOLDER.der).decode()],
        "purpose": "log-in",
        "provider": "shop",
    }


def test_what_was_not_declared_is_not_said(serve: Serve) -> None:
    server = serve(says({"handles": [{"handle": HANDLE}]}))
    handles_at(server.url).handle_of(HOLDER)
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]).keys() == {"certificates"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(says({}, "401 X"), Code.NOT_ADMITTED, id="unknown-caller"),
        pytest.param(says({}, "403 X"), Code.NOT_ADMITTED, id="not-admitted"),
        pytest.param(says({}, "400 X"), Code.NOT_ADMITTED, id="a-purpose-that-is-none"),
        pytest.param(says({}, "422 X"), Code.NEVER_ISSUED, id="never-issued"),
        pytest.param(says({}, "404 X"), Code.HANDLES_AWAY, id="another-door"),
        pytest.param(says({}, "503 X"), Code.HANDLES_AWAY, id="out-of-order"),
        pytest.param(b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1/\r\n\r\n", Code.HANDLES_AWAY, id="elsewhere"),
        pytest.param(b"", Code.HANDLES_AWAY, id="nothing"),
        pytest.param(says(b"no json"), Code.HANDLES_AWAY, id="no-json"),
        pytest.param(says(b"[" * 9000), Code.HANDLES_AWAY, id="json-without-end"),
        pytest.param(says([]), Code.HANDLES_AWAY, id="another-shape"),
        pytest.param(says({"handles": []}), Code.HANDLES_AWAY, id="no-handle"),
        pytest.param(says({"handles": [HANDLE]}), Code.HANDLES_AWAY, id="a-handle-elsewhere"),
        pytest.param(says({"handles": [{"handle": HANDLE}] * 2}), Code.HANDLES_AWAY, id="two-handles"),
        pytest.param(says({"handles": [{"handle": 7}]}), Code.HANDLES_AWAY, id="a-number"),
        pytest.param(says({"handles": [{"handle": "5a" * 16}]}), Code.HANDLES_AWAY, id="what-could-be-a-serial"),
        pytest.param(says({"handles": [{"handle": HANDLE + "\n"}]}), Code.HANDLES_AWAY, id="a-line-break"),
        pytest.param(says(b" " * 20_000), Code.HANDLES_AWAY, id="a-huge-answer"),
    ],
)
def test_what_is_no_handle(serve: Serve, answer: bytes, code: Code) -> None:
    with pytest.raises(Rejected) as caught:
        handles_at(serve(answer).url).handle_of(HOLDER)
    assert caught.value.code is code


def test_translations_come_in_order_and_all_of_them(serve: Serve) -> None:
    newer = ["2-" + "b" * 40, "2-" + "c" * 40]
    server = serve(says({"handles": newer}))
    assert handles_at(server.url).translate([HANDLE, HANDLE], Kind.SIGNATURE) == newer
    assert server.requests[0].startswith(b"POST /x/translations ")
    with pytest.raises(Rejected):
        handles_at(server.url).translate([HANDLE], Kind.SIGNATURE)


def test_a_handle_that_is_understood_no_more(serve: Serve) -> None:
    assert handles_at(serve(says({}, "404 X")).url).translate([HANDLE], Kind.SIGNATURE) is None


@dataclass
class Key:
    """An authority's key of handles: what is made with it, and what is still understood."""

    generation: int = 1
    oldest: int = 1
    asked: int = 0
    fails_after: int = 10**6

    def handle_of(self, holder: Holder) -> str:
        return f"{self.generation}-{holder.kind.value[0]}{'ab'[holder.key.key_size == 2048]}{'a' * 38}"

    def translate(self, handles: Sequence[str], kind: Kind) -> list[str] | None:
        assert 0 < len(handles) <= MOST
        self.asked += 1
        if self.asked > self.fails_after:
            raise Rejected(Code.HANDLES_AWAY, "away")
        if any(int(generation_of(handle)) < self.oldest for handle in handles):
            return None
        return [f"{self.generation}-{handle.partition('-')[2]}" for handle in handles]


@pytest.fixture
def key() -> Key:
    return Key()


@pytest.fixture
def verifier(tmp_path: Path, key: Key) -> Verifier:
    return replace(open_verifier(tmp_path), handles=key)


def fill(verifier: Verifier, count: int, generation: int = 1, kind: Kind = Kind.AUTHENTICATION) -> None:
    """That many accounts, in one transaction."""
    texts = [
        base64.b32encode(kind.value[:1].encode() + number.to_bytes(24)).decode().lower() for number in range(count)
    ]
    rows = [(f"{generation}-{text}", kind.value, "customer", int(NOW.timestamp())) for text in texts]
    with closing(sqlite3.connect(verifier.settings.store.path)) as database, database:
        database.executemany("INSERT INTO accounts (handle, kind, reference, seen) VALUES (?, ?, ?, ?)", rows)


def log_in(verifier: Verifier) -> Callable[[], str | None]:
    challenge = verifier.new_challenge()
    signature = card_signs(holder_key("rsa"), challenge.encode())
    person = verifier.log_in(challenge, holder_certificate("authentication-rsa2048"), signature)
    return lambda: verifier.recall(person)


def test_people_are_recognised_after_the_authority_changed_its_key(verifier: Verifier, key: Key) -> None:
    fill(verifier, 3)
    fill(verifier, 2, kind=Kind.SIGNATURE)
    assert log_in(verifier)() is None
    assert key.asked == 0, "nothing is older"
    challenge = verifier.new_challenge()
    signature = card_signs(holder_key("rsa"), challenge.encode())
    person = verifier.log_in(challenge, holder_certificate("authentication-rsa2048"), signature)
    verifier.remember(person, "the customer")
    key.generation = 2
    assert log_in(verifier)() == "the customer"
    assert log_in(verifier)() == "the customer"
    assert key.asked == 2, "once for each kind"
    assert verifier.store.evidence(person.handle) == [], "evidence follows, too"
    assert len(verifier.store.evidence(key.handle_of(HOLDER))) == 4


def test_a_million_would_go_in_thousands_and_go_on_where_they_stopped(verifier: Verifier, key: Key) -> None:
    fill(verifier, MOST + 10)
    key.generation, key.fails_after = 2, 1
    with pytest.raises(Rejected):
        refresh("2", verifier.store, key)
    key.fails_after = 10**6
    assert refresh("2", verifier.store, key) == Refreshed(10, 0)
    assert refresh("2", verifier.store, key) == Refreshed(0, 0)


def test_what_is_understood_no_more_is_found_among_the_rest_and_asked_about_once(verifier: Verifier, key: Key) -> None:
    fill(verifier, 40, generation=2)
    fill(verifier, 3, generation=1)
    key.generation, key.oldest = 3, 2
    assert refresh("3", verifier.store, key) == Refreshed(40, 3)
    asked = key.asked
    assert asked < 30
    assert log_in(verifier)() is None
    assert key.asked == asked


def test_a_handle_of_before_does_not_lose_those_of_now(verifier: Verifier, key: Key) -> None:
    fill(verifier, 2, generation=2)
    key.generation = 2
    assert refresh("1", verifier.store, key) == Refreshed(2, 0)
    key.generation = 3
    assert refresh("3", verifier.store, key) == Refreshed(2, 0)
