"""Peers that answer OCSP: cfssl with answers signed before; django-ca and certomancer under gunicorn."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

from bench.house import free_port
from bench.load import write_requests
from bench.machine import SERVER_CORE, start
from bench.service import http_request

_HERE = Path(__file__).parent
_TYPE = "Content-Type: application/ocsp-request\r\n"
_LONGEST_START = 30.0


@contextmanager
def cfssl(folder: Path, answers: Iterable[bytes]) -> Iterator[int]:
    """The port of `cfssl ocspserve` over these answers (DER). Only for POST: what it makes of a GET with a slash in its
    base64 is another request."""
    folder.mkdir()
    path = folder / "responses.txt"
    path.write_text("".join(f"{base64.b64encode(answer).decode()}\n" for answer in answers))
    port = free_port()
    command = ["cfssl", "ocspserve", "-address=127.0.0.1", f"-port={port}", f"-responses={path}", "-loglevel=4"]
    with _running(command, port, folder):
        yield port


@contextmanager
def django_ca(folder: Path, programs: Path) -> Iterator[tuple[int, Path]]:
    """The port of a site with django-ca, and a file with one request about a certificate that it issued. `programs` is
    the bin folder of the peers' environment."""
    (folder / "keys").mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_HERE),
        "PEER_FOLDER": str(folder),
        "DJANGO_SETTINGS_MODULE": "django_peer.settings",
    }

    def admin(*arguments: str) -> str:
        command = [str(programs / "django-admin"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    admin("migrate")
    admin("init_ca", "bench", "CN=bench", "--key-type", "EC", "--elliptic-curve", "secp256r1")
    _openssl("req", "-new", *_new_key(folder / "leaf.key"), "-subj", "/CN=leaf", "-out", str(folder / "leaf.csr"))
    issued = admin("sign_cert", "--ca", "bench", "--csr", str(folder / "leaf.csr"), "--subject", "CN=leaf")
    leaf = folder / "leaf.pem"
    leaf.write_text(issued[issued.index("-----BEGIN") :])
    path = "/" + _openssl("x509", "-in", str(leaf), "-noout", "-ocsp_uri").split("/", 3)[3].strip()
    port = free_port()
    command = [str(programs / "gunicorn"), "--bind", f"127.0.0.1:{port}", "django.core.wsgi:get_wsgi_application()"]
    with _running(command, port, folder, environment):
        issuer = path.replace("/ocsp/", "/issuer/").replace("/cert/", ".der")
        authority = folder / "authority.der"
        authority.write_bytes(_get(port, issuer))
        yield port, _one_request(folder, authority, leaf, path)


@contextmanager
def certomancer(folder: Path, programs: Path) -> Iterator[tuple[int, Path]]:
    """The port of certomancer's Animator, and a file with one request about the certificate that it made up."""
    folder.mkdir()
    for name in ("root", "ocsp", "leaf"):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(folder / f"{name}.key.pem"))
    configuration = _HERE / "certomancer.yml"
    environment = {
        "PATH": os.environ["PATH"],
        "CERTOMANCER_CONFIG": str(configuration),
        "CERTOMANCER_KEY_DIR": str(folder),
        "CERTOMANCER_EXTRA_CONFIG_DIR": str(folder),
    }
    for name in ("root", "leaf"):
        options = ["--config", str(configuration), "--key-root", str(folder), "--no-external-config"]
        command = [str(programs / "certomancer"), *options, "summon", "bench", name, str(folder / f"{name}.pem")]
        subprocess.run(command, env=environment, capture_output=True, check=True)
    port = free_port()
    command = [str(programs / "gunicorn"), "--bind", f"127.0.0.1:{port}", "certomancer.integrations.animator:app"]
    with _running(command, port, folder, environment):
        yield port, _one_request(folder, folder / "root.pem", folder / "leaf.pem", "/bench/ocsp/status")


def _new_key(path: Path) -> tuple[str, ...]:
    return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(path)


def _one_request(folder: Path, authority: Path, leaf: Path, path: str) -> Path:
    asked = folder / "request.der"
    _openssl("ocsp", "-issuer", str(authority), "-cert", str(leaf), "-no_nonce", "-reqout", str(asked))
    requests = folder / "requests"
    write_requests(requests, [http_request("POST", path, asked.read_bytes(), _TYPE)])
    return requests


def _get(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    octets = connection.getresponse().read()
    connection.close()
    return octets


def _openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout


@contextmanager
def _running(command: list[str], port: int, folder: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    log = folder / "peer.log"
    with log.open("wb") as output:
        process = start(command, SERVER_CORE, stdout=output, stderr=output, env=environment, cwd=folder)
        try:
            _await(port, process, log)
            yield
        finally:
            process.terminate()
            process.wait()


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = monotonic() + _LONGEST_START
    while monotonic() < deadline and process.poll() is None:
        try:
            HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            sleep(0.1)
        else:
            sleep(1.0)
            return
    raise RuntimeError("a peer did not start: " + log.read_text())
