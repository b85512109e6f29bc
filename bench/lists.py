"""Revocation lists: encoded and signed from memory, published from the database, and `openssl ca -gencrl` beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, Slice, once, repeat, side_by_side
from bench.house import ISSUER, SCOPE, add_revocations, make_revocations
from bench.limits import sha256
from bench.peer import Peer, revoked_row
from bench.plan import Plan
from config.assemble import Services
from crl.build import build_tbs_crl
from crl.entries import encode_entries
from crl.files import read_current
from crl.plan import ListPlan
from crl.publish import publish_due
from domain.revocation import Revocation
from domain.signing import LintedTbs, sign_once

SHA256 = "SHA-256 of the list"
GENCRL = "openssl ca -gencrl"
_PEER_ROWS = 100_000


def measure_lists(services: Services, peer: Peer, plan: Plan) -> list[Figure]:
    """Entries a second, for a list as long as the plan says and for one as long as the peer's."""
    standing = make_revocations(plan.entries, services.clock())
    add_revocations(services, standing)
    publish(services)
    published = read_current(services.settings.crl_directory, SCOPE) or b""
    short = standing[:_PEER_ROWS]
    peer.keep(map(revoked_row, short))
    slices = {
        SHA256: sha256(published, plan.entries, plan.slice / 2),
        "build": once(lambda: build_list(services, standing)),
        "publish": _publishing(services, plan.entries),
        "short": repeat(lambda: build_list(services, short), plan.slice),
        GENCRL: _peer_list(peer, len(short)),
    }
    rates = side_by_side(slices, plan.rounds, plan.tell)
    many, few = f"{plan.entries:,}", f"{len(short):,}"
    build, publication = "list of {} encoded and signed", "list of {} published from the database"
    return [
        Figure("list", build.format(many), "entries", rates["build"], SHA256, rates[SHA256]),
        Figure("list-published", publication.format(many), "entries", rates["publish"], SHA256, rates[SHA256]),
        Figure("list-peer", build.format(few), "entries", rates["short"], GENCRL, rates[GENCRL]),
        Figure("list-published-peer", publication.format(many), "entries", rates["publish"], GENCRL, rates[GENCRL]),
    ]


def build_list(services: Services, standing: Sequence[Revocation]) -> int:
    """A signed list (DER) from revocations in memory, without the last look that a published one gets; its entries."""
    now = services.clock()
    this_update, next_update = services.settings.crl.window(now)
    issuer, signer = services.issuers[ISSUER], services.issuer_signers[ISSUER]
    point = services.publisher.point(SCOPE)
    plan = ListPlan(issuer, signer.algorithm, SCOPE, point, 1, this_update, next_update)
    sign_once(LintedTbs(build_tbs_crl(plan, encode_entries(standing))), signer)
    return len(standing)


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
