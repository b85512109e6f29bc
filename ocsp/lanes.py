"""Lanes: everything that quick answers have in common, made once for each second, form of request and caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from domain.provisions import Channel, Provision, Record
from domain.status import GOOD
from ocsp import response
from ocsp.ready import ReadyAnswer, ReadyAnswers
from ocsp.response import OcspAnswer
from ocsp.shapes import Shape
from policies.admission import Admitted

COMMITMENT: Final = 32
"""Octets of a nonce that is taken for evidence of a transaction: SHA-256 of a salt and the transaction's digest. When
asked for its reason the verifier shows both."""

_tuple = tuple.__new__

Give = Callable[[bytes], OcspAnswer]
"""The answer to a plain request about one certificate. Raises what looking up, recording and signing raise."""


class Lanes(NamedTuple):
    """The lanes that were opened at `now` and may be used up to `until` (nanoseconds of the steady clock), by the
    octets that all their requests have, and the identity of the caller if that is known: as long as its lane is here,
    a caller is kept, and no other has its identity."""

    now: datetime
    until: int
    open: dict[bytes | tuple[bytes, int], Give]


@dataclass(frozen=True, slots=True)
class LaneParts:
    """What all answers of a lane have in common. `good` says of serial octets whether they are a good certificate's;
    `otherwise` answers about what may be anything."""

    now: datetime
    admitted: Admitted
    good: Callable[[bytes], bool]
    otherwise: Give
    record: Record
    produced: bytes
    times: bytes
    next_update: datetime
    max_age: int
    shared: bool
    algorithm: bytes
    certificate: bytes


def giving(shape: Shape, octets: bytes, lane: LaneParts, sign: Callable[[bytes], bytes]) -> Give:
    """How requests of that shape, such as `octets`, are answered.

    All names are found beforehand: beside a signature of some microseconds each would be felt.
    """
    issuer, cert_id_at, serial_at, serial_end, nonce_at = shape
    party, provider, purpose = lane.admitted
    now, good, otherwise, record = lane.now, lane.good, lane.otherwise, lane.record
    max_age, shared, next_update = lane.max_age, lane.shared, lane.next_update
    evident = len(octets) - nonce_at == COMMITMENT
    before, after = _around(shape, octets, lane.produced, lane.times)
    frames: dict[int, tuple[bytes, bytes, bytes]] = {}
    join = b"".join

    def frame(tbs: int, signature: int) -> tuple[bytes, bytes, bytes]:
        frames[signature] = made = response.frame(tbs, lane.algorithm, signature, lane.certificate)
        return made

    def give(octets: bytes) -> OcspAnswer:
        serial = octets[serial_at:serial_end]
        if not good(serial):
            return otherwise(octets)
        nonce = octets[nonce_at:]
        evidence = nonce if evident else b""
        # Made as tuples are: a named tuple's own way of being made takes three times as long.
        record(_tuple(Provision, (now, party, provider, purpose, issuer, Channel.OCSP, serial, "good", evidence)))
        tbs = before + octets[cert_id_at:serial_end] + after + nonce
        signature = sign(tbs)
        head, between, behind = frames.get(len(signature)) or frame(len(tbs), len(signature))
        der = join((head, tbs, between, signature, behind))
        return _tuple(OcspAnswer, (der, "good", max_age, shared, now, next_update))

    return give


def giving_ready(shape: Shape, lane: LaneParts, ready: ReadyAnswers, give: Give) -> Give:
    """The same for requests without a nonce: an answer that is kept is given if its certificate is good, and on record
    like any other. `give` makes those that are not kept."""
    issuer, cert_id_at, serial_at, serial_end, _ = shape
    now, admitted, good, otherwise, record = lane.now, lane.admitted, lane.good, lane.otherwise, lane.record
    max_age, shared = lane.max_age, lane.shared

    def give_ready(octets: bytes) -> OcspAnswer:
        serial = octets[serial_at:serial_end]
        if not good(serial):
            return otherwise(octets)
        cert_id = octets[cert_id_at:serial_end]
        kept = ready.find(cert_id, now)
        if kept is None:
            made = give(octets)
            if made.outcome == "good":
                ready.keep(cert_id, ReadyAnswer(made.der, now, lane.next_update))
            return made
        record(_tuple(Provision, (now, *admitted, issuer, Channel.OCSP, serial, "good", b"")))
        return _tuple(OcspAnswer, (kept.der, "good", max_age, shared, kept.produced_at, kept.next_update))

    return give_ready


def _around(shape: Shape, octets: bytes, produced: bytes, times: bytes) -> tuple[bytes, bytes]:
    """What stands before the CertID, and between it and the nonce, in the ResponseData of a good answer to a request of
    that shape, such as `octets`; their lengths are those of all requests of the shape."""
    cert_id, nonce = octets[shape.cert_id_at : shape.serial_end], octets[shape.nonce_at :]
    single = response.single_response(cert_id, GOOD, times)
    tbs = response.response_data(produced, single, nonce or None, False)
    at = tbs.index(cert_id)  # longer than all that stands before it
    return tbs[:at], tbs[at + len(cert_id) : len(tbs) - len(nonce)]
