"""nginx: where holders log in with their certificates, and in front of the status service as the runbook has it."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import sleep
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp

from domain.certificates import IssuerId
from tests.interop.exhibits import question
from tests.interop.fates import holder_key_of
from tests.interop.scene import Scene
from tests.interop.verdicts import expected
from tests.support.documents import blocks, read
from tests.support.judges import Fetched, curl
from tests.support.nginx import nginx

pytestmark = pytest.mark.interop

SIGNATURE = IssuerId("signature-g1")

LOG_IN = """
    server {{
        listen SOCKET ssl;
        server_name log-in.example;
        ssl_certificate {server}/client.pem;
        ssl_certificate_key {server}/client.key;
        ssl_protocols TLSv1.2;
        ssl_client_certificate {anchors};
        ssl_verify_client on;
        ssl_ocsp leaf;
        error_page 495 =200 @verdict;
        location / {{ return 200 $ssl_client_verify; }}
        location @verdict {{ return 200 $ssl_client_verify; }}
    }}
"""


@pytest.fixture(scope="module")
def log_in(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a server that lets holders in who show a certificate that OCSP calls good."""
    anchors = tmp_path_factory.mktemp("log-in") / "anchors.pem"
    anchors.write_text("".join(scene.anchor(f"authentication-{label}").read_text() for label in ("g1", "g2")))
    with nginx(LOG_IN.format(server=scene.credential("bank"), anchors=anchors)) as socket:
        yield socket


@expected("Log-in", "nginx")
def test_log_in(scene: Scene, log_in: Path, tmp_path: Path, issuer: IssuerId, case: str, verdict: str) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(holder_key_of(issuer, case).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    shown = ("--cert", scene.path(issuer, case), "--key", key, "--insecure")
    assert curl("--unix-socket", log_in, *shown, "https://log-in.example/").body.decode() == verdict


@pytest.fixture(scope="module")
def front(scene: Scene) -> Iterator[Path]:
    """The socket of a proxy set up as the runbook says."""
    (block,) = [block for block in blocks(read("docs/runbook.md")) if block.about == "nginx"]
    servers = re.sub(r"listen [^;]+;", "listen SOCKET;", block.text).replace(
        "127.0.0.1:8080", f"{scene.public.host}:{scene.public.port}"
    )
    with nginx(servers) as socket:
        yield socket


def through(front: Path, path: str, *arguments: str | Path) -> Fetched:
    return curl("--unix-socket", front, "--path-as-is", *arguments, f"http://status.example{path}")


def test_a_proxy_passes_questions_in_paths_on_as_they_come(scene: Scene, front: Path) -> None:
    """Base64 has slashes, also two in a row, which servers like to make one."""
    nonces = (sha256(bytes([first, second])).digest() for first in range(256) for second in range(256))
    texts = (base64.b64encode(question(scene, SIGNATURE, "card-lost", nonce)).decode() for nonce in nonces)
    odd = list(islice((text for text in texts if "//" in text and "+" in text), 3))
    for text in odd:
        for path in (text, quote(text, safe=""), quote(text, safe="/")):
            found = ocsp.load_der_ocsp_response(through(front, f"/ocsp/{path}").body)
            assert found.certificate_status is ocsp.OCSPCertStatus.REVOKED
            assert found.serial_number == scene.serial(SIGNATURE, "card-lost")


def test_a_proxy_passes_on_what_is_posted(scene: Scene, front: Path, tmp_path: Path) -> None:
    (tmp_path / "request").write_bytes(question(scene, SIGNATURE, "good", bytes(32)))
    found = through(front, "/ocsp", "--data-binary", f"@{tmp_path / 'request'}")
    assert ocsp.load_der_ocsp_response(found.body).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert found.headers["cache-control"] == "no-store"


def test_a_proxy_passes_on_lists_and_what_caches_are_told(front: Path) -> None:
    found = through(front, "/crl/signature-g1/13221.crl")
    assert (found.status, found.headers["cache-control"]) == (200, "public, max-age=300, no-transform")
    again = through(front, "/crl/signature-g1/13221.crl", "--header", f"If-None-Match: {found.headers['etag']}")
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/"])
def test_a_proxy_keeps_to_itself_what_is_for_operators(front: Path, path: str) -> None:
    assert through(front, path).status == 404


STAPLING = """
    server {{
        listen SOCKET ssl;
        server_name stapling.example;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_trusted_certificate {anchor};
        ssl_stapling on;
        ssl_stapling_verify on;
        ssl_stapling_responder {responder}/ocsp;
        location / {{ return 200 stapled; }}
    }}
"""


def test_a_server_staples_what_is_said_of_its_certificate(scene: Scene, tmp_path: Path) -> None:
    """nginx verifies the answer first, and so does OpenSSL where it arrives."""
    issuer, key = IssuerId("authentication-g1"), tmp_path / "key.pem"
    key.write_bytes(holder_key_of(issuer, "good").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate, anchor = scene.path(issuer, "good"), scene.anchor(issuer)
    parts = {"certificate": certificate, "key": key, "anchor": anchor, "responder": scene.public.url}
    with nginx(STAPLING.format(**parts)) as socket:
        shake: list[str | Path] = ["openssl", "s_client", "-unix", socket, "-CAfile", anchor, "-status"]
        shown = ""
        for _ in range(600):  # it asks when the first client has come
            shown = subprocess.run(shake, input="", capture_output=True, text=True, check=False).stdout
            if "OCSP Response Status" in shown:
                break
            sleep(0.05)
    assert "OCSP Response Status: successful" in shown
    assert "Cert Status: good" in shown
