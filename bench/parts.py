"""Parts of the bench by name, and what they share: an authority with certificates on record, and a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from bench.figures import Figure, Finding, side_by_side
from bench.followers import measure_followers
from bench.growth import measure_growth
from bench.house import add_certificates, make_house
from bench.issuance import measure_api, measure_issuance
from bench.limits import P256, RSA, p256, rsa2048
from bench.lists import measure_lists
from bench.mass import measure_mass
from bench.millions import measure_millions
from bench.model import measure_model
from bench.ocsp import measure_ocsp
from bench.partitions import measure_partitions
from bench.peer import Peer
from bench.plan import Plan
from bench.provisions import measure_provisions
from bench.rebuild import measure_rebuild
from bench.residents import measure_residents
from bench.status import measure_status
from bench.storm import measure_storm
from config.assemble import Services


class Bench:
    """`programs` is the bin folder of the peers. The authority is made when a part first wants it."""

    def __init__(self, folder: Path, programs: Path, plan: Plan) -> None:
        self.folder, self.programs, self.plan = folder, programs, plan

    @cached_property
    def services(self) -> Services:
        self.plan.tell("an authority with 100,000 certificates")
        return make_house(self.folder / "house")

    @cached_property
    def serials(self) -> list[bytes]:
        return add_certificates(self.services, self.plan.pairs)

    @cached_property
    def peer(self) -> Peer:
        return Peer(self.folder / "peer", self.services, self.services.settings.issuers[0])

    def close(self) -> None:
        if "services" in self.__dict__:
            self.services.close()


def measure_limits(plan: Plan) -> list[Figure]:
    """What one core signs at most."""
    rates = side_by_side({P256: p256(plan.slice), RSA: rsa2048(plan.slice)}, plan.rounds, plan.tell)
    return [Figure(f"limit-{name}", name, "signatures", rates[name]) for name in (P256, RSA)]


def _lists(bench: Bench) -> Sequence[Finding]:
    return measure_lists(make_house(bench.folder / "lists"), bench.peer, bench.plan)


PARTS: Mapping[str, Callable[[Bench], Sequence[Finding]]] = {
    "millions": lambda b: measure_millions(b.folder / "millions", b.plan),
    "limits": lambda b: measure_limits(b.plan),
    "ocsp": lambda b: measure_ocsp(b.services, b.serials, b.plan),
    "status": lambda b: measure_status(b.services, b.peer, b.serials, b.folder, b.programs, b.plan),
    "issuance": lambda b: measure_issuance(b.services, b.peer, b.serials, b.folder, b.plan),
    "api": lambda b: measure_api(b.services, b.folder, b.plan),
    "lists": _lists,
    "residents": lambda b: measure_residents(b.services, b.folder, b.plan),
    "mass": lambda b: measure_mass(b.folder / "mass", b.plan),
    "provisions": lambda b: measure_provisions(b.services, b.serials, b.plan),
    "partitions": lambda b: measure_partitions(b.folder / "partitions", b.plan),
    "model": lambda b: measure_model(b.folder / "model", b.plan),
    "rebuild": lambda b: measure_rebuild(b.folder / "rebuild", b.plan),
    "followers": lambda b: measure_followers(b.folder / "followers", b.plan),
    "growth": lambda b: measure_growth(b.folder / "growth", b.plan),
    "storm": lambda b: measure_storm(b.folder / "storm", b.plan),
}
"""In the order in which they are measured: `millions` looks at memory, so it comes while there is little; `status`
gives the authority another responder key at its end."""
