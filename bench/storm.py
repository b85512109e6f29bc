"""A storm: issuing, revoking, publishing and asking all at once, with slow clients, floods, nonsense and killed
workers.

What is told is held against the truth of every moment.

`python -m bench.storm --seconds 120`
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import threading
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep

from asn1crypto import ocsp as asn1
from cryptography import x509
from rich.console import Console

from bench.house import ISSUER, make_house
from bench.issuance import prepare
from bench.ocsp import make_ocsp_requests
from bench.people import CITY
from bench.service import started
from bench.strangers import Strangers
from bench.truth import REVOKED, Truth
from ca.issue import issue
from ca.revoke import RevocationRequest, revoke_resident
from config.assemble import Services
from crl.publish import publish_due
from domain.applications import IssuanceApplication
from domain.certificates import Kind
from domain.errors import Refusal
from domain.revocation import RevocationCause

_ASKERS = 4
_WORKERS = 2


class Storm:
    """Everything that happens, until told to stop."""

    def __init__(self, services: Services, port: int, applications: list[IssuanceApplication]) -> None:
        self.services, self.port = services, port
        self.truth, self.stop = Truth(), threading.Event()
        self.issued = self.revoked = self.published = self.killed = self.lost = 0
        self.peak = 0
        self._waiting, self._living = applications, list[tuple[IssuanceApplication, list[bytes]]]()

    def write(self) -> None:
        """Issue and revoke in turn; a refusal because somebody else writes is tried again."""
        chance = random.Random(1)
        while not self.stop.is_set():
            try:
                if self._waiting and (len(self._living) < 50 or chance.random() < 0.5):
                    self._issue(self._waiting.pop())
                elif self._living:
                    self._revoke(*self._living.pop(chance.randrange(len(self._living))))
            except Refusal as refusal:
                self.truth.wrong.append(f"refused: {refusal.code.value}")
            sleep(0.002)

    def _issue(self, application: IssuanceApplication) -> None:
        pair = issue(self.services.authority, application)
        certificate = x509.load_der_x509_certificate(pair.certificates[Kind.SIGNATURE])
        serials = [certificate.serial_number.to_bytes(16)]
        self.truth.issued(serials)
        self._living.append((application, serials))
        self.issued += 1

    def _revoke(self, application: IssuanceApplication, serials: list[bytes]) -> None:
        self.truth.began(serials, REVOKED)
        cause = RevocationCause.CARD_LOST
        revoke_resident(
            self.services.authority, RevocationRequest(CITY, application.key, application.resident_code, cause)
        )
        self.truth.returned(serials)
        self.revoked += 1

    def publish(self) -> None:
        """New lists whenever something changed."""
        while not self.stop.wait(1.0):
            try:
                self.published += len(publish_due(self.services.publisher).published)
            except Refusal as refusal:
                self.truth.wrong.append(f"publication refused: {refusal.code.value}")

    def ask(self, seed: int) -> None:
        """One certificate after the other, over a connection that is opened anew when it breaks."""
        chance, connection = random.Random(seed), self._connect()
        while not self.stop.is_set():
            serial = self.truth.some(chance.randrange(1 << 30))
            if serial is None:
                sleep(0.05)
                continue
            (request,) = make_ocsp_requests(self.services.issuers[ISSUER], [serial], nonce=chance.random() < 0.5)
            asked = monotonic()
            try:
                connection.request("POST", "/ocsp", request, {"Content-Type": "application/ocsp-request"})
                octets = connection.getresponse().read()
            except (OSError, HTTPException):
                self.lost += 1  # its worker was killed, or it came in too great a crowd
                connection.close()
                connection = self._connect()
                continue
            self.truth.check(serial, asked, monotonic(), _word(octets))

    def _connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=30)

    def kill(self, supervisor: int) -> None:
        """A worker now and then, without warning; and look at how much memory they take."""
        chance = random.Random(2)
        while not self.stop.wait(0.5):
            workers = [int(child) for child in _children(supervisor)]
            self.peak = max([self.peak, *(_memory(worker) for worker in workers)])
            if len(workers) == _WORKERS and chance.random() < 0.03:
                os.kill(chance.choice(workers), signal.SIGKILL)
                self.killed += 1


def _word(octets: bytes) -> str:
    response = asn1.OCSPResponse.load(octets)
    status = response["response_status"].native
    if status != "successful":
        return str(status).replace("_", "-")
    (single,) = response.response_data["responses"]
    word: str = single["cert_status"].name
    return word


def _children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def _memory(process: int) -> int:
    """Resident memory in MiB; 0 for one that has just gone."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--connections", type=int, default=100_000, help="opened and closed before it may end")
    parser.add_argument("--megabytes", type=int, default=1000, help="of nonsense before it may end")
    parser.add_argument("--pairs", type=int, default=3000)
    arguments = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        services = make_house(Path(folder) / "house", workers=_WORKERS)
        services.node.keep_following()
        applications = prepare(services, 0, arguments.pairs)
        with started(services.settings, "status") as (port, process):
            storm = Storm(services, port, applications)
            strangers = Strangers(port, storm.stop)
            acts = [storm.write, storm.publish, *(lambda seed=seed: storm.ask(seed) for seed in range(_ASKERS))]
            acts.append(lambda: storm.kill(process))
            threads = [threading.Thread(target=act, daemon=True) for act in acts]
            for thread in threads:
                thread.start()
            threads += strangers.start(floods=2, slow=200)
            begun = monotonic()
            while monotonic() - begun < 10 * arguments.seconds and not storm.truth.wrong:
                sleep(1.0)
                enough = (
                    strangers.connections >= arguments.connections and strangers.octets >> 20 >= arguments.megabytes
                )
                if monotonic() - begun >= arguments.seconds and enough:
                    break
            lasted = monotonic() - begun
            storm.stop.set()
            for thread in threads:
                thread.join(timeout=40)
            alive = _healthy(port)
        services.close()
    wrong = storm.truth.wrong
    rows = {
        "seconds": round(lasted),
        "pairs issued": storm.issued,
        "revoked": storm.revoked,
        "lists published": storm.published,
        **{f"heard {word}": count for word, count in sorted(storm.truth.said.items())},
        "requests lost with a killed worker or in the crowd": storm.lost,
        "connections opened and closed": strangers.connections,
        "slow connections": strangers.silent,
        "MB of nonsense": strangers.octets >> 20,
        "workers killed": storm.killed,
        "largest worker, MiB": storm.peak,
        "healthy afterwards": "yes" if alive else "no",
        "wrong": f"{len(wrong)} {'; '.join(sorted(set(wrong))[:5])}",
    }
    for name, value in rows.items():
        console.print(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}", highlight=False)
    raise SystemExit(bool(wrong) or not alive)


def _healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (TimeoutError, OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
