"""Partitions: every list of the country, all municipalities of both authorities, published in one run, then only those
that changed; each file verified by OpenSSL."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bench.figures import Finding, Value
from bench.house import add_revocations, make_house, make_revocations
from bench.plan import Plan
from config.assemble import Services
from config.municipalities import load_municipalities
from crl.publish import publish_due
from domain.certificates import IssuerId
from domain.lists import Scope
from domain.serial import OCTETS, SerialNumber

ISSUERS = (IssuerId("signature-g1"), IssuerId("authentication-g1"))


ENTRIES, CHANGED = 200, 50
"""Revocations of each municipality and authority; lists that get one more before the second run."""


def measure_partitions(folder: Path, plan: Plan) -> list[Finding]:
    """The first lists of all, those that changed since, and all once more by force; and how many of the files OpenSSL
    does not find signed by their issuer."""
    services = make_house(folder)
    scopes = [Scope(issuer, code) for issuer in ISSUERS for code in load_municipalities()]
    plan.tell("revocations of every municipality")
    _revoke(services, scopes, ENTRIES)
    found, unverified = [], 0

    def publish(name: str, what: str, wanted: Sequence[Scope], *, force: bool = False) -> None:
        plan.tell(what)
        started, processor = perf_counter(), process_time()
        report = publish_due(services.publisher, force=force)
        seconds, processor = perf_counter() - started, process_time() - processor
        assert not report.refused, report.refused[:3]
        assert {record.scope for record in report.published} >= set(wanted)
        notes = {"said": f"{processor:.1f} s of processor, {1000 * processor / len(report.published):.2f} ms each"}
        found.append(Value(f"partitions-{name}", f"{len(report.published):,} lists: {what}", "s", [seconds], notes))

    publish("first", "the first of all", scopes)
    plan.tell("all verified by openssl crl")
    unverified += len(scopes) - verified(services, scopes, folder)
    chosen = random.Random(1).sample(scopes, CHANGED)
    _revoke(services, chosen, 1, seed=2)
    publish("changed", "those that changed", chosen)
    unverified += len(chosen) - verified(services, chosen, folder)
    publish("again", "all once more", scopes, force=True)
    services.close()
    what = f"of {len(scopes) + len(chosen):,} files, not verified by openssl crl"
    return [*found, Value("partitions-unverified", what, "files", [unverified])]


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


def verified(services: Services, scopes: Sequence[Scope], folder: Path) -> int:
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
