"""Every list of the country: all municipalities of both authorities published in one run, then only those that changed.

`python -m bench.partitions` says how long it takes, and has OpenSSL verify each file.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console

from bench.house import add_revocations, make_house, make_revocations
from cli.output import progress
from config.assemble import Services
from config.municipalities import load_municipalities
from crl.publish import publish_due
from domain.certificates import IssuerId
from domain.lists import ListRecord, Scope
from domain.serial import OCTETS, SerialNumber

ISSUERS = (IssuerId("signature-g1"), IssuerId("authentication-g1"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.partitions", description=__doc__)
    parser.add_argument("--entries", type=int, default=200, help="revocations of each municipality and authority")
    parser.add_argument("--changed", type=int, default=50, help="lists that get a revocation before the second run")
    arguments = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        services = make_house(Path(folder) / "house")
        scopes = [Scope(issuer, code) for issuer in ISSUERS for code in load_municipalities()]
        _revoke(services, scopes, arguments.entries)
        published = _timed(console, "first lists of all", lambda: _publish(services))
        assert {record.scope for record in published} >= set(scopes)
        _verify(console, services, scopes, Path(folder))
        chosen = random.Random(1).sample(scopes, arguments.changed)
        _revoke(services, chosen, 1, seed=2)
        again = _timed(console, f"after changes of {len(chosen)}", lambda: _publish(services))
        assert {record.scope for record in again} == set(chosen)
        _verify(console, services, chosen, Path(folder))
        everything = _timed(console, "all once more, by force", lambda: _publish(services, force=True))
        console.print(f"{len(everything):,} lists, {sum(record.entries or 0 for record in everything):,} entries")
        services.close()


def _timed(console: Console, what: str, act: Callable[[], Sequence[ListRecord]]) -> Sequence[ListRecord]:
    started, processor = perf_counter(), process_time()
    done = act()
    seconds, processor = perf_counter() - started, process_time() - processor
    each = 1000 * processor / max(len(done), 1)
    console.print(f"{what}: {len(done):,} lists in {seconds:.1f} s, {processor:.1f} s of processor, {each:.2f} ms each")
    return done


def _revoke(services: Services, scopes: Sequence[Scope], entries: int, *, seed: int = 1) -> None:
    """Revocations on record, and the lists in need of them."""
    chance = random.Random(seed)
    standing = make_revocations(entries, services.clock())
    for scope in scopes:
        assert scope.municipality is not None
        add_revocations(
            services,
            [
                replace(
                    revocation,
                    issuer=scope.issuer,
                    municipality=scope.municipality,
                    serial=SerialNumber.drawn_from(chance.randbytes(OCTETS)),
                )
                for revocation in standing
            ],
            scope,
        )


def _publish(services: Services, *, force: bool = False) -> Sequence[ListRecord]:
    with progress("lists") as advance:
        report = publish_due(services.publisher, force=force, on_progress=advance)
    assert not report.refused, report.refused[:3]
    return report.published


def _verify(console: Console, services: Services, scopes: Sequence[Scope], folder: Path) -> None:
    found = _verified(services, scopes, folder)
    console.print(f"{found:,} of {len(scopes):,} verified by openssl crl")
    assert found == len(scopes)


def _verified(services: Services, scopes: Sequence[Scope], folder: Path) -> int:
    """How many of the files openssl finds signed by their issuer."""
    found = 0
    for scope in scopes:
        authority = folder / f"{scope.issuer}.pem"
        certificate = x509.load_der_x509_certificate(services.issuers[scope.issuer].certificate)
        authority.write_bytes(certificate.public_bytes(Encoding.PEM))
        path = services.settings.crl_directory / scope.path
        command = ["openssl", "crl", "-inform", "DER", "-in", str(path), "-CAfile", str(authority), "-noout", "-verify"]
        found += b"verify OK" in subprocess.run(command, capture_output=True, check=False).stderr
    return found


if __name__ == "__main__":
    main()
