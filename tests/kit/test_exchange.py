"""Exchanges with servers that behave badly: slow, silent, huge, redirecting, or somebody else."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from jpki_verify.exchange import Limits, exchange, fetch, post, tls
from jpki_verify.rejection import Reason, Unusable
from tests.support.misbehaving import Serve, Talk
from tests.support.transport import Transport

LIMITS = Limits(timedelta(seconds=1), 1000)
TYPE = "application/test"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/test; x=y\r\n"


def refusal(url: str, context: ssl.SSLContext | None = None, limits: Limits = LIMITS) -> Reason:
    with pytest.raises(Unusable) as caught:
        fetch(url, TYPE, limits, context)
    return caught.value.reason


def test_a_body_is_fetched_and_nothing_else_is_said(serve: Serve) -> None:
    server = serve(OK + b"Content-Length: 4\r\n\r\nbody")
    assert fetch(server.url, TYPE, LIMITS) == b"body"
    assert server.requests[0].startswith(b"GET /x HTTP/1.1\r\n")
    assert b"Cookie" not in server.requests[0]


def test_a_body_is_posted_with_its_length(serve: Serve) -> None:
    server = serve(OK + b"\r\nanswer")
    assert post(server.url, b"question", "application/question", TYPE, LIMITS) == b"answer"
    assert b"Content-Length: 8" in server.requests[0]


@pytest.mark.parametrize("headers", [b"Content-Length: 1000\r\n\r\n", b"\r\n"], ids=["told", "not-told"])
def test_as_many_octets_as_are_allowed(serve: Serve, headers: bytes) -> None:
    assert len(fetch(serve(OK + headers + b"x" * 1000).url, TYPE, LIMITS)) == 1000


CHUNKS = (
    b"Transfer-Encoding: chunked\r\n\r\n" + b"200\r\n" + b"x" * 512 + b"\r\n200\r\n" + b"x" * 512 + b"\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(OK + b"Content-Length: 1001\r\n\r\n", Reason.TOO_LARGE, id="a-huge-body-that-is-announced"),
        pytest.param(OK + b"\r\n" + b"x" * 100_000, Reason.TOO_LARGE, id="a-huge-body-that-is-not"),
        pytest.param(OK + CHUNKS, Reason.TOO_LARGE, id="a-huge-body-in-chunks"),
        pytest.param(OK + b"Content-Length: 9\r\n\r\nshort", Reason.UNREACHABLE, id="a-body-that-is-cut-short"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", Reason.UNREACHABLE, id="chunks-that-are-none"),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
            Reason.REDIRECTED,
            id="elsewhere",
        ),
        pytest.param(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Reason.HTTP_ERROR, id="an-error"),
        pytest.param(
            b"HTTP/1.1 404 No\r\nContent-Type: application/test\r\n\r\nbody", Reason.HTTP_ERROR, id="nothing-there"
        ),
        pytest.param(OK.replace(b"200 OK", b"403 No") + b"\r\nbody", Reason.NOT_ADMITTED, id="not-for-us"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nbody", Reason.WRONG_MEDIA_TYPE, id="a-page"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nbody", Reason.WRONG_MEDIA_TYPE, id="no-type"),
        pytest.param(b"SSH-2.0-server\r\n", Reason.UNREACHABLE, id="another-protocol"),
        pytest.param(b"", Reason.UNREACHABLE, id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, Reason.UNREACHABLE, id="headers-without-end"),
    ],
)
def test_what_is_no_answer(serve: Serve, words: bytes, reason: Reason) -> None:
    assert refusal(serve(words).url) is reason


def silent(_: socket.socket, over: Event) -> None:
    over.wait(5)


def drip_headers(taken: socket.socket, over: Event) -> None:
    _drip(taken, over, b"HTTP/1.1 200 OK\r\nX: ")


def drip_body(taken: socket.socket, over: Event) -> None:
    _drip(taken, over, OK + b"Content-Length: 999\r\n\r\n")


def drip_body_without_length(taken: socket.socket, over: Event) -> None:
    _drip(taken, over, OK + b"\r\n")


def _drip(taken: socket.socket, over: Event, first: bytes) -> None:
    taken.sendall(first)
    for _ in range(60):
        if over.wait(0.05):
            return
        taken.sendall(b"x")


@pytest.mark.parametrize("talk", [silent, drip_headers, drip_body, drip_body_without_length])
def test_time_is_counted_from_first_to_last(serve: Serve, talk: Talk) -> None:
    server, began = serve(talk), monotonic()
    assert refusal(server.url, limits=Limits(timedelta(seconds=0.3), 1000)) is Reason.TOO_SLOW
    assert monotonic() - began < 2


def test_nobody_there(serve: Serve) -> None:
    server = serve(b"")
    server.close()
    assert refusal(server.url) is Reason.UNREACHABLE


def test_proxies_of_the_environment_are_not_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert fetch(serve(OK + b"\r\nbody").url, TYPE, LIMITS) == b"body"


class TestTls:
    """A server with a certificate of a transport authority of ours."""

    @pytest.fixture
    def transport(self, tmp_path: Path) -> Transport:
        return Transport(tmp_path)

    @pytest.fixture
    def context(self, transport: Transport) -> ssl.SSLContext:
        key = transport.folder / "plain.pem"
        key.write_bytes(transport.plain_server_key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(transport.folder / "server.pem", key)
        return context

    def test_the_server_of_the_authority_is_believed(
        self, serve: Serve, transport: Transport, context: ssl.SSLContext
    ) -> None:
        server = serve(OK + b"\r\nbody", context)
        trusting = tls(str(transport.folder / "transport-ca.pem"))
        assert exchange("GET", server.url, None, {}, LIMITS, trusting).body == b"body"

    def test_somebody_in_the_middle_is_not(self, serve: Serve, tmp_path: Path, context: ssl.SSLContext) -> None:
        other = tmp_path / "other"
        other.mkdir()
        Transport(other)
        server = serve(OK + b"\r\nbody", context)
        assert refusal(server.url, tls(str(other / "transport-ca.pem"))) is Reason.UNREACHABLE
        assert server.requests == [], "nothing was told to a stranger"

    def test_nor_is_the_right_server_under_another_name(
        self, serve: Serve, transport: Transport, context: ssl.SSLContext
    ) -> None:
        server = serve(OK + b"\r\nbody", context)
        trusting = tls(str(transport.folder / "transport-ca.pem"))
        assert refusal(server.url.replace("127.0.0.1", "localhost"), trusting) is Reason.UNREACHABLE

    def test_a_server_that_is_silent_in_the_handshake_is_cut(self, serve: Serve, transport: Transport) -> None:
        server, began = serve(silent), monotonic()
        url = server.url.replace("http:", "https:")
        trusting = tls(str(transport.folder / "transport-ca.pem"))
        assert refusal(url, trusting, Limits(timedelta(seconds=0.3), 1000)) is Reason.TOO_SLOW
        assert monotonic() - began < 2


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.ask)
    yield resolver
    resolver.answers.set()


class Resolver:
    """What the system asks for names: silent until it is told to answer."""

    def __init__(self) -> None:
        self.answers, self.found = Event(), list[tuple[str, int]]()

    def ask(self, host: str, port: int, **_: object) -> list[object]:
        assert self.answers.wait(60)
        addresses = self.found or [("127.0.0.1", port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]


def test_a_resolver_that_hangs_costs_no_more_than_the_patience(resolver: Resolver, serve: Serve) -> None:
    """However many ask: each is told so, while the resolver has answered none of them. Afterwards names are found."""
    server = serve(OK + b"\r\nbody")
    url = server.url.replace("127.0.0.1", "status.example")
    with ThreadPoolExecutor(24) as pool:
        reasons = list(pool.map(lambda _: refusal(url, limits=Limits(timedelta(seconds=1), 1000)), range(24)))
    assert reasons == [Reason.TOO_SLOW] * 24
    assert not resolver.answers.is_set()
    resolver.answers.set()
    assert fetch(url, TYPE, Limits(timedelta(seconds=60), 1000)) == b"body"


def test_every_address_of_a_name_is_tried(resolver: Resolver, serve: Serve) -> None:
    server = serve(OK + b"\r\nbody")
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        resolver.found = [("127.0.0.1", closed.getsockname()[1]), ("127.0.0.1", port)]
        resolver.answers.set()
        assert fetch("http://status.example/x", TYPE, Limits(timedelta(seconds=60), 1000)) == b"body"
        resolver.found = resolver.found[:1]
        assert refusal("http://status.example/x") is Reason.UNREACHABLE


def test_addresses_that_take_no_connection_share_the_patience() -> None:
    """A listener that accepts nobody, its queue full: each attempt hangs until time is up, and there are three."""
    with socket.socket() as deaf, ExitStack() as stack:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        resolver = Resolver()
        resolver.found = [deaf.getsockname()] * 3
        resolver.answers.set()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", resolver.ask)
            assert refusal("http://status.example/x") is Reason.TOO_SLOW


@pytest.mark.parametrize("host", ["x" * 70 + ".example", "a..b"])
def test_a_name_that_is_none_is_unreachable(host: str) -> None:
    assert refusal(f"http://{host}/x") is Reason.UNREACHABLE
