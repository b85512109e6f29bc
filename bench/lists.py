"""Revocation lists: encoded and signed from memory, published from the database, and `openssl ca -gencrl` beside it."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, Slice, once, side_by_side
from bench.house import ISSUER, SCOPE, add_revocations, make_revocations
from bench.limits import sha256
from bench.peer import Peer, revoked_row
from bench.plan import Plan
from config.assemble import Services
from crl.build import build_tbs_crl
from crl.entries import encode_rows
from crl.files import read_current
from crl.octets import ListOctets
from crl.plan import ListPlan
from crl.publish import publish_due
from crl.rows import Rows
from crl.signature import sign_list
from domain.revocation import Revocation, RevocationBlock
from domain.signing import LintedTbs

SHA256 = "SHA-256 of the list"
GENCRL = "openssl ca -gencrl"
READ = "its rows read"
_BLOCK = 1 << 14


def measure_lists(services: Services, peer: Peer, plan: Plan) -> list[Figure]:
    """Entries a second: a list made from memory beside SHA-256 of it; one published from the database beside the mere
    reading of its rows, and beside `openssl ca`, which has as many in its text file."""
    standing = make_revocations(plan.entries, services.clock())
    add_revocations(services, standing)
    publish(services)
    published = read_current(services.settings.crl_directory, SCOPE) or b""
    peer.keep(map(revoked_row, standing))
    columns = columns_of(standing)
    # A publisher has no million objects lying about, which the collector would look through while rows are read.
    del standing
    gc.collect()
    gc.freeze()
    slices = {
        SHA256: sha256(published, plan.entries, plan.slice / 2),
        "build": once(lambda: build_list(services, columns)),
        READ: once(lambda: read(services)),
        "publish": _publishing(services, plan.entries),
        GENCRL: _peer_list(peer, plan.entries),
    }
    rates = side_by_side(slices, plan.rounds, plan.tell)
    many = f"{plan.entries:,}"
    build, publication = f"list of {many} encoded and signed", f"list of {many} published from the database"
    return [
        Figure("list", build, "entries", rates["build"], SHA256, rates[SHA256]),
        Figure("list-peer", build, "entries", rates["build"], GENCRL, rates[GENCRL]),
        Figure("list-published-read", publication, "entries", rates["publish"], READ, rates[READ]),
        Figure("list-published-peer", publication, "entries", rates["publish"], GENCRL, rates[GENCRL]),
    ]


def read(services: Services) -> int:
    """The rows of the list, read as columns; how many."""
    with services.begin(write=False) as work:
        return sum(map(len, work.revocations.blocks_of(SCOPE, None)))


def build_list(services: Services, standing: RevocationBlock) -> int:
    """A signed list (DER) from revocations in memory, without the last look that a published one gets; its entries."""
    now = services.clock()
    this_update, next_update = services.settings.crl.window(now)
    issuer, signer = services.issuers[ISSUER], services.issuer_signers[ISSUER]
    point = services.publisher.point(SCOPE)
    plan = ListPlan(issuer, signer.algorithm, SCOPE, point, 1, this_update, next_update)
    octets, rows = ListOctets(), Rows.of(standing)
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        octets.add(encode_rows(part), len(part))
    build_tbs_crl(plan, octets)
    sign_list(octets, LintedTbs(octets.view()), signer, issuer)
    return len(standing)


def columns_of(standing: Sequence[Revocation]) -> RevocationBlock:
    """The revocations by serial, as the store gives them."""
    rows = sorted(standing, key=lambda row: row.serial)
    return RevocationBlock(
        b"".join(row.serial.octets for row in rows),
        array("q", [int(row.revoked_at.timestamp()) for row in rows]),
        bytes(row.reason for row in rows),
    )


def publish(services: Services) -> None:
    """A new list of the scope, whether or not it is due: read, compared, recorded, read back, signed and put in
    place."""
    report = publish_due(services.publisher, scopes={SCOPE}, force=True)
    assert len(report.published) == 1, report.refused


def _publishing(services: Services, entries: int) -> Slice:
    def step() -> int:
        publish(services)
        return entries

    return once(step)


def _peer_list(peer: Peer, entries: int) -> Slice:
    target: Path = peer.folder / "peer.crl"

    def step() -> int:
        peer.ca("-gencrl", "-out", str(target))
        return entries

    return once(step)
