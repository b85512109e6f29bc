"""OCSP in process: a request read, its status looked up, the answer built and signed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle, islice

from bench.figures import Figure, Slice, repeat, side_by_side
from bench.house import ISSUER
from bench.limits import P256, p256
from bench.plan import Plan
from config.assemble import Services
from domain import der, oids
from domain.certificates import Issuer, Kind
from domain.parties import Party, Role
from domain.provisions import Channel
from domain.standings import Approval, Standing
from ocsp.request import plain_request
from ocsp.responder import Responder, answer
from policies.admission import Requestor
from policies.ocsp import Access
from verifiers.admit import status_admission
from verifiers.gate import Gate

_LONG_AGO, _LATE = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
VERIFIER = Party(
    1,
    Role.VERIFIER,
    "bank",
    kinds=frozenset(Kind),
    standing=Standing.ACCREDITED_PRIVATE,
    approvals=tuple(Approval(kind, frozenset({"check"}), _LONG_AGO, _LATE, "", notified_at=_LONG_AGO) for kind in Kind),
)
_NONCE = 32
_CHUNK = 100


def make_ocsp_requests(issuer: Issuer, serials: Sequence[bytes], *, nonce: bool) -> list[bytes]:
    """One plain request for each serial, with SHA-1 hashes in the CertID as nearly all clients send them."""
    head = der.sequence(der.oid(oids.SHA1), der.tlv(der.NULL))
    head += der.octet_string(hashlib.sha1(issuer.subject, usedforsecurity=False).digest())
    head += der.octet_string(issuer.key_identifier)
    return [
        plain_request(der.sequence(head, der.tlv(der.INTEGER, serial)), os.urandom(_NONCE) if nonce else None)
        for serial in serials
    ]


def measure_ocsp(services: Services, serials: Sequence[bytes], plan: Plan) -> list[Figure]:
    """Four figures: open to all or for notified verifiers, without and with a nonce."""
    services.node.make()
    services.node.keep_following()  # as every process of the status service does
    issuer = services.issuers[ISSUER]
    open_responder = replace(services.responder, record=lambda _: None)  # what records cost is measured by itself
    access: Access = "notified-verifiers"
    closed = replace(
        open_responder,
        policy=replace(open_responder.policy, access=access),
        admit=status_admission(services.register, access, Channel.OCSP, Gate(services.admission)),
    )
    plain = make_ocsp_requests(issuer, serials, nonce=False)
    nonced = make_ocsp_requests(issuer, serials, nonce=True)
    caller = Requestor(VERIFIER)
    doors: dict[str, tuple[str, Slice]] = {
        "open": ("OCSP in process, open to all", _answers(open_responder, plain, None, plan)),
        "open-nonce": ("OCSP in process, open, nonce", _answers(open_responder, nonced, None, plan)),
        "notified": ("OCSP in process, notified verifier", _answers(closed, plain, caller, plan)),
        "notified-nonce": (
            "OCSP in process, notified verifier, nonce",
            _answers(closed, nonced, caller, plan),
        ),
    }
    slices = {P256: p256(plan.slice), **{name: measure for name, (_, measure) in doors.items()}}
    rates = side_by_side(slices, plan.rounds, plan.tell)
    return [
        Figure(f"ocsp-{name}", what, "answers", rates[name], P256, rates[P256]) for name, (what, _) in doors.items()
    ]


def _answers(responder: Responder, requests: Sequence[bytes], caller: Requestor | None, plan: Plan) -> Slice:
    following = cycle(requests)

    def step() -> int:
        for octets in islice(following, _CHUNK):
            assert answer(responder, octets, caller).outcome == "good"
        return _CHUNK

    return repeat(step, plan.slice)
