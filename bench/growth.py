"""How cost grows with certificates, revocations, lists, worker processes and nodes.

In processor time, so that other work on the machine spoils little. Needs 1 GB of disk.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from time import process_time

import numpy as np

from bench.figures import Value
from bench.growth_page import PANELS
from bench.house import ISSUER, make_house
from bench.millions import fill
from bench.ocsp import make_ocsp_requests
from bench.plan import Plan
from bench.servers import measure_nodes, measure_workers
from config.assemble import Services
from config.municipalities import load_municipalities
from config.nodes import system_steady
from crl.publish import publish_due
from domain.certificates import IssuerId
from domain.lists import Scope
from ocsp.responder import Responder, answer
from store.base import NOT_REVOKED, RECORD
from store.feed import START
from store.model import ModelState, StatusModel
from store.model_status import ModelStatusLookup

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LISTS = (10, 100, 1_000, 3_482)
ENTRIES = 200
"""Of each list where there are many; the last number is that of all municipalities, for both authorities."""
_ISSUERS = (ISSUER, IssuerId("authentication-g1"))
_ROUNDS, _ASKED = 5, 20_000
Measured = dict[int, list[float]]
"""By size, a value for each round."""


def measure_growth(folder: Path, plan: Plan) -> list[Value]:
    """Each series of PANELS, up to `plan.growth` certificates and entries."""
    folder.mkdir()
    sizes = [size for size in SIZES if size <= plan.growth]
    services = make_house(folder / "house")
    measures: dict[str, Callable[[], Measured]] = {
        "certificates": lambda: _answers(services, folder, sizes),
        "revocations": lambda: _long_lists(services, sizes),
        "lists": lambda: _many_lists(services),
        "workers": lambda: measure_workers(folder),
        "nodes": lambda: measure_nodes(folder),
    }
    found = []
    for panel in PANELS:
        plan.tell(f"growth with {panel.id}")
        found += [panel.value(size, values) for size, values in measures[panel.id]().items()]
    services.close()
    return found


def _answers(services: Services, folder: Path, sizes: Sequence[int]) -> Measured:
    """Seconds of an answer in process: request read, status looked up in a model of that many, answer signed."""
    steps = {size: _asking(services, folder / f"model-{size}", size) for size in sizes}
    return _in_rounds(steps)


def _asking(services: Services, folder: Path, size: int) -> Callable[[], float]:
    model, serials = StatusModel(folder), np.frombuffer(random.Random(size).randbytes(16 * size), ">u8").reshape(-1, 2)
    rows = np.zeros(size, RECORD)
    rows["high"], rows["low"] = serials[:, 0] & ((1 << 62) - 1) | (1 << 62), serials[:, 1]
    now = int(services.clock().timestamp())
    rows["mark"], rows["not_after"], rows["reason"] = model.marks[ISSUER], now + 155_520_000, NOT_REVOKED
    number = model.next_base()
    model.write(number, [rows], now)
    model.swap(ModelState(number, 0, system_steady(), START), ())
    assert model.sizes() == (size, 0)
    state = model.state()
    assert state is not None
    model.apply(state, (), START, system_steady())
    lookup = ModelStatusLookup(model, services.node.source, services.clock, system_steady, timedelta(days=1))
    responder = replace(services.responder, lookup=lookup, record=lambda _: None)
    chosen = np.random.default_rng(size).choice(size, min(size, _ASKED), replace=False)
    asked = [row.tobytes()[:16] for row in rows[chosen]]
    return _answering(responder, make_ocsp_requests(services.issuers[ISSUER], asked, nonce=False))


def _answering(responder: Responder, requests: Sequence[bytes]) -> Callable[[], float]:
    following = cycle(requests).__next__

    def step() -> float:
        begun = process_time()
        for _ in range(_ASKED):
            assert answer(responder, following()).outcome == "good"
        return (process_time() - begun) / _ASKED

    return step


def _long_lists(services: Services, sizes: Sequence[int]) -> Measured:
    """Seconds of publishing one list of that many entries again: read, encoded, compared with the one before, signed,
    put in place."""
    codes = list(load_municipalities())
    scopes = {size: Scope(ISSUER, code) for size, code in zip(sizes, reversed(codes), strict=False)}
    for size, scope in scopes.items():
        fill(services, scope, size)
    return _in_rounds({size: _publishing(services, [scope]) for size, scope in scopes.items()})


def _many_lists(services: Services) -> Measured:
    """Seconds for each list when that many are published again in one run."""
    codes = list(load_municipalities())[: LISTS[-1] // len(_ISSUERS)]
    scopes = [Scope(issuer, code) for code in codes for issuer in _ISSUERS]
    for scope in scopes:
        fill(services, scope, ENTRIES)
    return _in_rounds({count: _publishing(services, scopes[:count]) for count in LISTS})


def _publishing(services: Services, scopes: Sequence[Scope]) -> Callable[[], float]:
    def step() -> float:
        begun = process_time()
        report = publish_due(services.publisher, scopes=set(scopes), force=True)
        taken = process_time() - begun
        assert len(report.published) == len(scopes), report.refused[:3]
        return taken / len(scopes)

    step()  # the first list has none before it
    return step


def _in_rounds(steps: Mapping[int, Callable[[], float]]) -> Measured:
    """Every round measures each, so that a busy moment spoils all alike."""
    rounds = [{size: step() for size, step in steps.items()} for _ in range(_ROUNDS)]
    return {size: [found[size] for found in rounds] for size in steps}
