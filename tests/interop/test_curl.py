"""curl, as the simplest of clients, fetches lists, certificates and answers."""

from __future__ import annotations

import base64
import hashlib
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from domain.certificates import IssuerId
from tests.interop.exhibits import question
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene, list_address
from tests.support.judges import Fetched, curl

pytestmark = pytest.mark.interop

ISSUER = ISSUERS[2]


@pytest.fixture
def url(scene: Scene) -> str:
    """Where the list lies that a certificate names."""
    return list_address(scene.certificates[ISSUER, "good"])


@pytest.fixture
def whole(url: str) -> Fetched:
    return curl(url)


@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_list_comes_with_what_caches_need(scene: Scene, issuer: IssuerId) -> None:
    found = curl(list_address(scene.certificates[issuer, "good"]))
    begin = x509.load_der_x509_crl(found.body).last_update_utc
    assert found.status == 200
    assert found.headers["content-type"] == "application/pkix-crl"
    assert found.headers["content-length"] == str(len(found.body))
    assert found.headers["etag"] == f'"{hashlib.sha256(found.body).hexdigest()}"'
    assert found.headers["last-modified"] == format_datetime(begin, usegmt=True)
    assert found.headers["cache-control"] == "public, max-age=300, no-transform"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        pytest.param("If-None-Match: {etag}", 304, id="a-list-that-is-known-does-not-come-again"),
        pytest.param("If-None-Match: W/{etag}", 304, id="nor-when-a-cache-weakened-the-tag"),
        pytest.param('If-None-Match: "other", {etag}', 304, id="nor-when-it-is-one-of-those-known"),
        pytest.param('If-None-Match: "other"', 200, id="but-an-older-one-is-replaced"),
        pytest.param("If-Modified-Since: {last-modified}", 304, id="nor-by-its-date"),
        pytest.param("If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT", 200, id="but-by-an-older-date"),
    ],
)
@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_conditions(url: str, whole: Fetched, version: str, condition: str, status: int) -> None:
    found = curl(version, "--header", condition.format(**whole.headers), url)
    assert (found.status, found.body) == (status, b"" if status == 304 else whole.body)
    assert found.headers["etag"] == whole.headers["etag"]


def test_a_list_can_be_fetched_in_pieces(url: str, whole: Fetched) -> None:
    half = len(whole.body) // 2
    first, second, last = (curl("--range", span, url) for span in (f"0-{half - 1}", f"{half}-", "-1"))
    assert [piece.status for piece in (first, second, last)] == [206, 206, 206]
    assert first.body + second.body == whole.body
    assert last.body == whole.body[-1:]
    assert second.headers["content-range"] == f"bytes {half}-{len(whole.body) - 1}/{len(whole.body)}"


def test_no_piece_lies_beyond_the_end(url: str, whole: Fetched) -> None:
    assert curl("--range", f"{len(whole.body)}-", url).status == 416


def test_pieces_of_two_lists_are_not_mixed(url: str, whole: Fetched) -> None:
    assert curl("--range", "10-", "--header", f"If-Range: {whole.headers['etag']}", url).status == 206
    assert curl("--range", "10-", "--header", 'If-Range: "other"', url).body == whole.body


@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_head_says_what_get_would(url: str, whole: Fetched, version: str) -> None:
    found = curl(version, "--head", url)
    same = ("content-type", "content-length", "etag", "last-modified", "cache-control")
    assert (found.status, found.body) == (200, b"")
    assert {name: found.headers[name] for name in same} == {name: whole.headers[name] for name in same}


def test_http_1_0(url: str, whole: Fetched) -> None:
    found = curl("--http1.0", url)
    assert (found.status, found.body) == (200, whole.body)
    assert "transfer-encoding" not in found.headers
    assert found.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/crl/signature-g1/99999.crl", "/crl/signature-g9/13221.crl", "/crl/../jpki.toml"])
def test_what_is_not_there(scene: Scene, path: str) -> None:
    assert curl("--path-as-is", scene.public.url + path).status == 404


def test_mutual_tls_gives_the_same(scene: Scene, url: str, whole: Fetched) -> None:
    folder = scene.credential("gym")
    shown = ("--cacert", folder / "authority.pem", "--cert", folder / "client.pem", "--key", folder / "client.key")
    found = curl(*shown, url.replace(scene.public.url, scene.api.url))
    assert (found.status, found.body) == (200, whole.body)


@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
@pytest.mark.parametrize(
    ("fate", "max_age"),
    [
        pytest.param("good", 300, id="a-good-answer-is-kept"),
        pytest.param("card-lost", 60, id="a-bad-one-not-for-long"),
    ],
)
def test_an_answer_by_get_may_be_cached(scene: Scene, version: str, fate: str, max_age: int) -> None:
    text = base64.b64encode(question(scene, ISSUER, fate)).decode()
    found = curl(version, f"{scene.public.url}/ocsp/{quote(text, safe='')}")
    assert found.headers["content-type"] == "application/ocsp-response"
    assert found.headers["cache-control"] == f"max-age={max_age}, public, no-transform, must-revalidate"
    assert ocsp.load_der_ocsp_response(found.body).serial_number == scene.serial(ISSUER, fate)


def test_an_answer_by_post_may_not(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "request").write_bytes(question(scene, ISSUER, "good", nonce=bytes(32)))
    found = curl("--data-binary", f"@{tmp_path / 'request'}", f"{scene.public.url}/ocsp")
    assert (found.status, found.headers["cache-control"]) == (200, "no-store")
