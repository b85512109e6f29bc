"""Connections of the event loop: bounded in time and size, answers in order, nobody held up by somebody else."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from ocsp.request import MAX_OCTETS
from ocsp.response import OcspAnswer
from tests.support.authority import NOW
from web.connections import (
    IDLE_SECONDS,
    LINGER_SECONDS,
    MAX_HEAD,
    MAX_REQUEST,
    MAX_TARGET,
    REQUEST_SECONDS,
    Connection,
)
from web.ocsp import as_http
from web.reception import Reception, Request
from web.wires import Wire

STORABLE = OcspAnswer(b"storable", "good", 60, True, NOW, NOW)


class Kept(Wire):
    """A wire without a socket, which keeps what it is told."""

    def __init__(self) -> None:
        self.sent = b""
        self.aborted = self.closed = self.ended = self.stuck = False
        self.reading = True

    @property
    def waiting(self) -> bool:
        return self.stuck

    def write(self, octets: bytes) -> None:
        self.sent += octets

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.closed = True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def stick(connection: Connection, wire: Kept) -> None:
    """The client stops taking what it is sent."""
    wire.stuck = True
    connection.pause_writing()


def loosen(connection: Connection, wire: Kept) -> None:
    """The client has taken everything."""
    wire.stuck = False
    connection.resume_writing()


class House:
    """A reception whose answers repeat what was asked, and whose application waits until it is told to go on."""

    def __init__(self, most: int = 100, most_of_one: int = 100) -> None:
        self.passed_on: list[tuple[Connection, Request]] = []
        self.refused: list[int] = []
        self.reception = Reception(
            answer=lambda rule, method, octets: STORABLE if octets == b"storable" else OcspAnswer(octets, "good"),
            pass_on=lambda connection, request: self.passed_on.append((connection, request)),
            refused=self.refused.append,
            most=most,
            most_of_one=most_of_one,
        )
        self.reception.tick(0.0, NOW)

    def open(self, client: str = "192.0.2.1") -> tuple[Connection, Kept]:
        connection, wire = Connection(self.reception, client), Kept()
        connection.wire = wire
        return connection, wire

    def go_on(self, answer: bytes) -> Request:
        """Have the application answer the oldest request."""
        connection, request = self.passed_on.pop(0)
        connection.send(answer)
        connection.resume()
        return request


def post(body: bytes, headers: str = "") -> bytes:
    return f"POST /ocsp HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def bodies(sent: bytes) -> list[bytes]:
    """The bodies of answers that follow each other."""
    found = []
    while sent:
        head, _, rest = sent.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        found.append(rest[:length])
        sent = rest[length:]
    return found


def test_requests_in_one_piece_are_answered_in_their_order() -> None:
    connection, wire = House().open()
    connection.data_received(post(b"first") + post(b"second") + post(b"third"))
    assert bodies(wire.sent) == [b"first", b"second", b"third"]
    assert not wire.closed


def test_a_request_in_many_pieces_is_one() -> None:
    connection, wire = House().open()
    for octet in post(b"slowly"):
        connection.data_received(bytes((octet,)))
    assert bodies(wire.sent) == [b"slowly"]


def test_what_follows_a_request_for_the_application_waits_for_its_answer() -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + post(b"second") + post(b"third"))
    assert (wire.sent, wire.reading) == (b"", False)
    for word in (b"1", b"2", b"2"):
        house.go_on(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + word)
    assert bodies(wire.sent) == [b"1", b"2", b"2"]
    assert wire.reading
    connection.data_received(post(b"fourth"))
    assert bodies(wire.sent)[-1] == b"fourth"


def test_an_answer_for_caches_has_the_headers_of_the_other_door() -> None:
    connection, wire = House().open()
    connection.data_received(f"GET /ocsp/{base64.b64encode(b'storable').decode()} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = wire.sent.partition(b"\r\n\r\n")[0].decode()
    for name, value in as_http(STORABLE, cacheable=True).headers:
        assert f"\r\n{name}: {value}" in head


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, id="tls"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="http-2"),
        pytest.param(b"GET /" + b"a" * MAX_TARGET + b" HTTP/1.1\r\n", 414, id="a-target-too-long"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * MAX_HEAD + b"\r\n\r\n", 431, id="headers-too-long"),
        pytest.param(b"GET /\xe3\x81\x82 HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="octets-that-are-no-ascii"),
        pytest.param(b"POST /ocsp HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, id="two-lengths"),
        pytest.param(
            b"POST /ocsp HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            id="two-ends",
        ),
        pytest.param(b"POST /ocsp HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, id="a-length-below-nothing"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_after_it_read(octets: bytes, status: int) -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(octets)
    connection.data_received(post(b"smuggled"))
    assert wire.sent.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"smuggled" not in wire.sent
    assert wire.ended
    assert house.refused == [status]
    assert house.passed_on == []


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"GET / HTTP/1.1\r\nA: ", id="a-header"),
        pytest.param(b"POST /ocsp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: ", id="a-trailer"),
        pytest.param(b"POST /ocsp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", id="an-extension-of-a-chunk"),
    ],
)
def test_what_never_ends_is_refused_before_it_fills_the_memory(begun: bytes) -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(begun)
    for _ in range(MAX_REQUEST // 1000 + 1):
        connection.data_received(b"a" * 1000)
    assert wire.sent.startswith(b"HTTP/1.1 431 ")
    assert wire.ended
    assert house.refused == [431]
    assert house.passed_on == []


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(f"POST /ocsp HTTP/1.1\r\nContent-Length: {MAX_OCTETS + 1}\r\n\r\n".encode(), id="announced"),
        pytest.param(
            b"POST /ocsp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n"
            % (MAX_OCTETS + 1, bytes(MAX_OCTETS + 1)),
            id="in-chunks",
        ),
    ],
)
def test_a_body_too_long_goes_to_the_application_at_once_and_no_more_is_kept(octets: bytes) -> None:
    house = House()
    connection, _ = house.open()
    connection.data_received(octets)
    ((_, request),) = house.passed_on
    assert not request.keep_alive
    for _ in range(100):
        connection.data_received(bytes(10_000))
    assert len(request.body) <= MAX_OCTETS + 1
    assert len(house.passed_on) == 1


def test_whoever_waits_to_be_asked_for_the_body_is_asked() -> None:
    connection, wire = House().open()
    connection.data_received(b"POST /ocsp HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert wire.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.data_received(b"body")
    assert wire.sent.endswith(b"body")


def test_old_clients_are_hung_up_on() -> None:
    connection, wire = House().open()
    connection.data_received(b"POST /ocsp HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody")
    assert wire.sent.endswith(b"body")
    assert wire.closed


def say_nothing(_: Connection) -> None:
    """A client that connects and waits."""


def begin(connection: Connection) -> None:
    connection.data_received(b"POST /ocsp HTTP/1.1\r\nContent-Length: 100\r\n\r\nbeginning")


def ask_once(connection: Connection) -> None:
    connection.data_received(post(b"once"))


def take_nothing(connection: Connection) -> None:
    connection.data_received(post(b"once"))
    connection.pause_writing()


def talk_nonsense(connection: Connection) -> None:
    connection.data_received(b"nonsense\r\n\r\n")


@pytest.mark.parametrize(
    ("act", "seconds"),
    [
        pytest.param(say_nothing, REQUEST_SECONDS, id="silent"),
        pytest.param(begin, REQUEST_SECONDS, id="half-a-request"),
        pytest.param(ask_once, IDLE_SECONDS, id="idle-after-an-answer"),
        pytest.param(take_nothing, REQUEST_SECONDS, id="answers-not-taken"),
        pytest.param(talk_nonsense, LINGER_SECONDS, id="refused-and-still-there"),
    ],
)
def test_time_is_bounded(act: Callable[[Connection], None], seconds: float) -> None:
    house = House()
    connection, wire = house.open()
    act(connection)
    house.reception.tick(seconds, NOW)
    before = wire.aborted
    house.reception.tick(seconds + 0.1, NOW)
    assert (before, wire.aborted) == (False, True)


def test_one_octet_at_a_time_does_not_buy_time() -> None:
    house = House()
    connection, wire = house.open()
    aborted = []
    for number, octet in enumerate(post(b"never ends")[:40]):
        house.reception.tick(number / 5, NOW)
        aborted.append(wire.aborted)
        connection.data_received(bytes((octet,)))
    assert aborted.index(True) == 5 * REQUEST_SECONDS + 1


def test_the_application_has_its_own_time() -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(b"GET /crl/a.crl HTTP/1.1\r\nHost: x\r\n\r\n")
    house.reception.tick(1000, NOW)
    assert not wire.aborted
    assert connection.busy


def test_a_client_that_does_not_take_its_answers_is_not_read_from() -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(b"GET /crl/a.crl HTTP/1.1\r\nHost: x\r\n\r\n" + post(b"two"))
    stick(connection, wire)
    house.go_on(b"")
    house.go_on(b"")
    assert not wire.reading, "though the application is done"
    loosen(connection, wire)
    assert wire.reading


@pytest.mark.parametrize("keep_alive", [False, True], ids=["the-last-answer", "more-to-come"])
def test_a_slow_client_has_time_as_long_as_it_takes_something(keep_alive: bool) -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(b"GET /crl/a.crl HTTP/1.1\r\nHost: x\r\n\r\n")
    stick(connection, wire)
    house.passed_on.clear()
    connection.resume() if keep_alive else connection.linger()
    for second in range(60):
        house.reception.tick(float(second), NOW)
        connection.pause_writing()
    assert not wire.aborted
    house.reception.tick(60.0 + REQUEST_SECONDS, NOW)
    assert wire.aborted


def test_the_end_of_a_slow_answer_is_waited_for_like_any_other() -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(b"GET /crl/a.crl HTTP/1.0\r\n\r\n")
    stick(connection, wire)
    connection.linger()
    house.reception.tick(REQUEST_SECONDS - 0.5, NOW)
    loosen(connection, wire)
    house.reception.tick(REQUEST_SECONDS - 0.5 + LINGER_SECONDS, NOW)
    assert (wire.aborted, wire.reading) == (False, True)


def test_what_was_begun_behind_other_requests_has_the_time_of_a_request() -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(b"GET /crl/a.crl HTTP/1.1\r\nHost: x\r\n\r\n" + post(b"whole")[:30])
    house.reception.tick(100.0, NOW)
    house.go_on(b"")
    house.reception.tick(100.0 + REQUEST_SECONDS + 0.1, NOW)
    assert wire.aborted


def test_what_cannot_be_read_is_refused_after_the_answers_before_it() -> None:
    house = House()
    connection, wire = house.open()
    connection.data_received(b"GET /crl/a.crl HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n")
    assert wire.sent == b""
    house.go_on(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
    assert bodies(wire.sent) == [b"1", b"Bad Request"]
    assert wire.ended


def test_fields_behind_a_body_are_none_of_the_request() -> None:
    house = House()
    connection, _ = house.open()
    head = b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.data_received(head + b"1\r\na\r\n0\r\nIf-None-Match: *\r\n\r\n")
    ((_, request),) = house.passed_on
    assert [name for name, _ in request.headers] == [b"Host", b"Transfer-Encoding"]


def test_an_old_client_is_not_asked_to_continue() -> None:
    connection, wire = House().open()
    connection.data_received(b"POST /ocsp HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")
    assert bodies(wire.sent) == [b"body"]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([post(b"again")], id="whole"),
        pytest.param([post(b"longer than before")], id="another-length"),
        pytest.param([post(b"again")[:20], post(b"again")[20:]], id="in-two"),
        pytest.param([post(b"again")[:-1], post(b"again")[-1:]], id="all-but-an-octet"),
        pytest.param([post(b"again") + post(b"again")], id="two-in-one"),
        pytest.param([post(b"again") + post(b"again")[:9], post(b"again")[9:]], id="one-and-a-piece"),
        pytest.param([post(b"again") + b"\r\n", post(b"again")], id="with-an-empty-line-behind"),
    ],
)
def test_a_form_that_is_known_changes_no_answer(pieces: list[bytes]) -> None:
    house = House()
    answers = []
    for _ in range(3):
        connection, wire = house.open()
        for piece in pieces:
            connection.data_received(piece)
        answers.append(bodies(wire.sent))
    assert answers[0]
    assert answers == answers[:1] * 3


def test_connections_are_counted_for_all_and_for_each_client() -> None:
    house = House(most=5, most_of_one=3)
    reception = house.reception
    greedy = [house.open("192.0.2.1")[0] for _ in range(3)]
    assert (reception.is_full_for("192.0.2.1"), reception.is_full_for("192.0.2.2")) == (True, False)
    others = [house.open(f"192.0.2.{number}")[0] for number in (2, 3)]
    assert reception.is_full_for("192.0.2.4")
    greedy.pop().connection_lost()
    assert (reception.is_full_for("192.0.2.1"), reception.is_full_for("192.0.2.4")) == (False, False)
    for connection in (*greedy, *others):
        connection.connection_lost()
    assert not reception.clients
    assert not reception.connections


def test_while_the_worker_stops_answers_end_their_connection() -> None:
    house = House()
    connection, wire = house.open()
    house.reception.stopping = True
    connection.data_received(post(b"last"))
    assert b"Connection: close" in wire.sent
    assert wire.closed
