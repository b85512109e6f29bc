"""The status service as a real server: raw paths, old and slow clients, caches, and a log that tells nothing."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from tests.support.lists import SCOPE, make_list, make_revocation
from tests.support.responder import make_cert_id, make_ocsp_request
from tests.support.serving import Served, running
from tests.support.specimen import SERIAL

LIST = make_list([make_revocation("a")])
NONCES = (bytes((number,)) * 32 for number in range(256))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("status")
    path = folder / SCOPE.path
    path.parent.mkdir()
    path.write_bytes(LIST)
    return folder


@pytest.fixture(scope="module", params=["threads", "event-loop"])
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def served(folder: Path, server: str) -> Iterator[Served]:
    with running(sys.executable, "-m", "tests.support.specimen", "status", str(folder), server) as served:
        yield served


def make_request(nonce: bytes | None = None) -> bytes:
    return make_ocsp_request(make_cert_id(SERIAL), nonce=nonce)


def troublesome_request() -> str:
    """Base64 of a request that holds everything that gets lost in paths."""
    for number in range(1 << 16):
        text = base64.b64encode(make_request(b"\xff\xff\xfb\xff\xfe" + number.to_bytes(2) * 8)).decode()
        if "//" in text and "+" in text and text.endswith("="):
            return text
    raise AssertionError("no such request")


def exchange(served: Served, octets: bytes) -> bytes:
    """Everything the server says to these octets until it hangs up."""
    with socket.create_connection((served.host, served.port), timeout=10) as connection:
        connection.sendall(octets)
        said = b""
        while piece := connection.recv(65536):
            said += piece
    return said


def split(answer: bytes) -> tuple[int, str, bytes]:
    """Status, head and body of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(maxsplit=2)[1]), head.decode("latin-1"), body


def get(served: Served, target: str) -> tuple[int, str, bytes]:
    """GET by an old client that does not hang up first."""
    return split(exchange(served, f"GET {target} HTTP/1.0\r\n\r\n".encode()))


@pytest.mark.parametrize("escaped", [False, True], ids=["raw", "escaped"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_get_with_slashes_and_plus_signs(served: Served, escaped: bool, version: str) -> None:
    text = troublesome_request()
    target = quote(text, safe="") if escaped else text
    status, head, body = split(
        exchange(served, f"GET /ocsp/{target} HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    )
    assert status == 200
    assert "Content-Type: application/ocsp-response" in head
    assert "chunked" not in head
    assert f"Content-Length: {len(body)}" in head
    answer = ocsp.load_der_ocsp_response(body)
    assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/ocsp//{}", id="a-slash-too-many"),
        pytest.param("//ocsp/{}", id="a-slash-before"),
        pytest.param("/ocsp/{}/", id="a-slash-after"),
    ],
)
def test_paths_are_not_mended(served: Served, path: str) -> None:
    target = path.format(base64.b64encode(make_request()).decode())
    status, _, body = get(served, target)
    good = status == 200 and ocsp.load_der_ocsp_response(body).response_status.name == "SUCCESSFUL"
    assert not good


def test_absolute_form_as_proxies_send_it(served: Served) -> None:
    target = f"http://ocsp.example/ocsp/{base64.b64encode(make_request()).decode()}"
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status, _, body = split(exchange(served, request.encode()))
    assert status == 200
    assert ocsp.load_der_ocsp_response(body).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_post_by_http_1_0(served: Served) -> None:
    octets = make_request(b"n" * 23)
    status, head, body = split(
        exchange(served, b"POST /ocsp HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(octets), octets))
    )
    assert status == 200
    assert "chunked" not in head
    assert ocsp.load_der_ocsp_response(body).extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 23


def chunked(octets: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(octets), octets)


def test_post_in_chunks(served: Served) -> None:
    head = b"POST /ocsp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    _, _, body = split(exchange(served, head + chunked(make_request())))
    assert ocsp.load_der_ocsp_response(body).certificate_status is ocsp.OCSPCertStatus.GOOD


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"Content-Length: 20000\r\n\r\n" + bytes(20000), id="with-its-length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n" + chunked(bytes(20000)), id="in-chunks-without-length"),
        pytest.param(b"Content-Length: 9999999999\r\n\r\n", id="announced-and-never-sent"),
    ],
)
def test_a_body_that_is_too_large(served: Served, rest: bytes) -> None:
    status, head, _ = split(exchange(served, b"POST /ocsp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + rest))
    assert status == 413
    assert "Content-Type: application/problem+json" in head


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        pytest.param(f"GET /ocsp/{'A' * 8200} HTTP/1.1", 414, id="a-line-too-long"),
        pytest.param("GET /ocsp/あ HTTP/1.1", 400, id="japanese-in-the-line"),
        pytest.param("nonsense", 400, id="no-request"),
        pytest.param("GET /ocsp/AAAA HTTP/3.0", 400, id="another-version"),
    ],
)
def test_requests_that_cannot_be_read(served: Served, request_line: str, status: int) -> None:
    assert split(exchange(served, f"{request_line}\r\nHost: x\r\n\r\n".encode()))[0] == status


def test_forwarded_headers_change_nothing(served: Served) -> None:
    forged = "X-Forwarded-Proto: https\r\nScript-Name: /crl\r\nPath-Info: /readyz\r\nX-Forwarded-For: 10.0.0.1\r\n"
    assert split(exchange(served, f"GET /healthz HTTP/1.0\r\n{forged}\r\n".encode()))[0] == 200


def curl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["curl", "--silent", "--max-time", "10", *arguments], check=False, capture_output=True)


def test_curl_fetches_a_list_once_and_then_only_asks(served: Served, tmp_path: Path) -> None:
    url = f"{served.url}/crl/{SCOPE.path}"
    file, tag = tmp_path / "list.crl", tmp_path / "etag"
    assert curl("--etag-save", str(tag), "-o", str(file), url).returncode == 0
    assert file.read_bytes() == LIST
    again = curl("--etag-compare", str(tag), "-w", "%{http_code}", url)
    assert again.stdout == b"304"


def test_curl_goes_on_with_a_broken_download(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "list.crl"
    file.write_bytes(LIST[:100])
    assert curl("--continue-at", "-", "-o", str(file), f"{served.url}/crl/{SCOPE.path}").returncode == 0
    assert file.read_bytes() == LIST


def test_a_connection_serves_many_requests(served: Served) -> None:
    connection = HTTPConnection(served.host, served.port, timeout=10)
    for method in ("GET", "HEAD", "GET"):
        connection.request(method, f"/crl/{SCOPE.path}")
        response = connection.getresponse()
        assert int(response.headers["Content-Length"]) == len(LIST)
        assert response.read() == (LIST if method == "GET" else b"")
    connection.close()


def test_silent_and_slow_clients_keep_nobody_waiting(served: Served) -> None:
    with ExitStack() as open_connections:
        for number in range(20):
            silent = open_connections.enter_context(socket.create_connection((served.host, served.port)))
            if number == 0:
                silent.sendall(b"GET /ocsp")  # holds one of the two threads until it is too slow
        started = monotonic()
        assert get(served, "/healthz")[0] == 200
        assert monotonic() - started < 4


def test_clients_that_do_not_hang_up_hold_no_loop(served: Served) -> None:
    with ExitStack() as open_connections:
        for _ in range(4):
            lingering = open_connections.enter_context(socket.create_connection((served.host, served.port)))
            lingering.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert lingering.recv(100)
        started = monotonic()
        assert get(served, "/healthz")[0] == 200
        assert monotonic() - started < 4


def test_counts_of_all_workers(served: Served) -> None:
    get(served, "/ocsp/AAAA")
    deadline = monotonic() + 10
    while "malformed-request" not in (text := get(served, "/metrics")[2].decode()) and monotonic() < deadline:
        pass  # the event loop passes on its counts a few times a second
    assert re.search(r'jpki_ocsp_answers_total\{outcome="malformed-request"\} [1-9]', text)
    assert 'route="/ocsp/<rest:encoded>"' in text


def test_what_workers_share_lies_in_memory_where_no_disk_can_be_full(served: Served) -> None:
    get(served, "/healthz")
    for worker in served.workers():
        mapped = re.findall(r"\S*/jpki-counts-\S*", Path(f"/proc/{worker}/maps").read_text())
        opened = [str(file.readlink()) for file in Path(f"/proc/{worker}/fd").iterdir() if file.is_symlink()]
        shared = [*mapped, *(path for path in opened if "/wgunicorn-" in path)]
        assert mapped
        assert all(path.startswith("/dev/shm/") for path in shared), shared


def test_readiness_follows_the_parts(served: Served, folder: Path) -> None:
    assert get(served, "/readyz")[0] == 200
    (folder / "down").touch()
    status, _, body = get(served, "/readyz")
    (folder / "down").unlink()
    assert status == 503
    assert body == b'{"ready":false,"parts":{"database":false}}\n'


def test_the_log_tells_what_happened_and_nothing_of_what_was_asked(folder: Path, server: str) -> None:
    asked = base64.b64encode(make_request()).decode()
    with running(sys.executable, "-m", "tests.support.specimen", "status", str(folder), server) as served:
        get(served, f"/ocsp/{asked}")
        get(served, f"/ocsp/{asked}\x01")
        exchange(served, f"GET /elsewhere/{asked}?{asked} HTTP/1.0\r\nReferer: {asked}\r\n\r\n".encode())
        exchange(served, f"GET{asked} / HTTP/1.0\r\n\r\n".encode())
    requests = [line for line in served.lines if line.get("event") == "request"]
    one_by_one = {"/ocsp/<rest:encoded>"} if server == "threads" else set()
    assert {line["route"] for line in requests if "route" in line} == {"none"} | one_by_one
    assert {line["status"] for line in requests} >= ({200, 404} if one_by_one else {404})
    assert any(line["event"] == "a request could not be read" for line in served.lines)
    assert all(line.keys() >= {"at", "level", "event"} for line in served.lines)
    assert asked[:20] not in served.log
    assert "127.0.0.1" not in "".join(str(line) for line in requests)


def test_workers_end_as_soon_as_they_are_told(folder: Path) -> None:
    with running(sys.executable, "-m", "tests.support.specimen", "status", str(folder)) as served:
        assert get(served, "/healthz")[0] == 200
        began = monotonic()
    assert monotonic() - began < 10, "and not when the patience of gunicorn is over"
