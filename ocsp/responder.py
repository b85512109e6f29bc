"""The responder: any octets in, an OCSP answer out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePath
from traceback import extract_tb
from typing import Final, NamedTuple

from domain.certificates import Issuer, IssuerId, Validity
from domain.errors import Code, Refusal
from domain.ports import Clock, Signer, StatusLookup, Steady
from domain.provisions import Channel, Provision, Record, asked_serial
from ocsp import response
from ocsp.issuers import IssuerTable
from ocsp.lanes import COMMITMENT, Give, LaneParts, Lanes, giving, giving_ready
from ocsp.ready import ReadyAnswers
from ocsp.request import read_request
from ocsp.requestor import signer_fingerprint
from ocsp.response import ErrorStatus, OcspAnswer
from ocsp.shapes import Shape, Shapes, frame_of, is_ours
from ocsp.status import NEVER_ISSUED, status_of
from policies.admission import NOBODY, Admit, Admitted, Requestor
from policies.ocsp import OcspPolicy

_log = logging.getLogger(__name__)

ERRORS: Final[Mapping[Code, ErrorStatus]] = {
    **dict.fromkeys((Code.MALFORMED, Code.TOO_LARGE), ErrorStatus.MALFORMED_REQUEST),
    **dict.fromkeys((Code.BUSY, Code.STORE_UNAVAILABLE, Code.SIGNER_UNAVAILABLE), ErrorStatus.TRY_LATER),
    **dict.fromkeys(
        (Code.UNKNOWN_CALLER, Code.NOT_ADMITTED, Code.BAD_REQUEST_SIGNATURE, Code.FOREIGN_ISSUER),
        ErrorStatus.UNAUTHORIZED,
    ),
}
"""What a refusal is in OCSP; any other code has no business here and is an internalError."""


LANES_LAST: Final = 10**8
"""Nanoseconds in which answers share the second they are of, what was decided about who asks, and how old the status
model may be."""

_MOST_LANES = 4096
_CLOSED = Lanes(datetime.fromtimestamp(0, UTC), -1, {})


@dataclass(frozen=True, slots=True)
class ResponderKey:
    """The delegated key that answers for `issuer`: its certificate (DER) and the validity of that certificate."""

    issuer: Issuer
    certificate: bytes
    signer: Signer
    validity: Validity


class _Moment(NamedTuple):
    """What all answers of one key in one second have in common."""

    now: datetime
    produced: bytes
    times: bytes
    next_update: datetime
    max_age_good: int
    max_age_other: int


class _Desk:
    """A responder key with its algorithm looked up, and its current moment."""

    def __init__(self, key: ResponderKey) -> None:
        self.issuer = key.issuer.id
        self.kind = key.issuer.kind
        self.certificate = key.certificate
        self.algorithm = key.signer.algorithm
        self.sign = key.signer.sign
        self.sign_untimed = getattr(key.signer, "untimed", self.sign)  # where timing costs something
        self._key = key
        self._key_hash = bytes.fromhex(key.signer.key_id)
        self._moment: _Moment | None = None

    def moment(self, now: datetime, policy: OcspPolicy) -> _Moment:
        """Raises Refusal(SIGNER_UNAVAILABLE) while the responder certificate is not valid."""
        moment = self._moment  # read once: other threads put theirs there
        if moment is not None and moment.now == now:
            return moment
        if not self._key.validity.covers(now):
            raise Refusal(Code.SIGNER_UNAVAILABLE, f"the responder certificate of {self._key.issuer.id} is not valid")
        period = policy.period(now, self._key.validity)
        remaining = period.not_after - now
        self._moment = moment = _Moment(
            now,
            response.produced_by(self._key_hash, now),
            response.update_times(period),
            period.not_after,
            policy.max_age("good", remaining),
            policy.max_age("revoked", remaining),
        )
        return moment


@dataclass(frozen=True, slots=True)
class Responder:
    """All that answering takes. `keys` has one key for every issuer answered for, retired generations too; `ready` is
    for keys that sign slowly."""

    keys: Mapping[IssuerId, ResponderKey]
    lookup: StatusLookup
    policy: OcspPolicy
    admit: Admit
    clock: Clock
    steady: Steady
    record: Record
    ready: ReadyAnswers | None = None
    _issuers: IssuerTable = field(init=False, repr=False, compare=False)
    _shapes: Shapes = field(init=False, repr=False, compare=False, default_factory=Shapes)
    _desks: Mapping[IssuerId, _Desk] = field(init=False, repr=False, compare=False)
    _lanes: list[Lanes] = field(init=False, repr=False, compare=False, default_factory=lambda: [_CLOSED])

    def __post_init__(self) -> None:
        object.__setattr__(self, "_issuers", IssuerTable(key.issuer for key in self.keys.values()))
        object.__setattr__(self, "_desks", {key.issuer.id: _Desk(key) for key in self.keys.values()})


def answer(responder: Responder, octets: bytes, caller: Requestor | None = None) -> OcspAnswer:
    """The answer to a request, whatever its octets; never raises. `caller` is who is known by mutual TLS.

    Unsigned errors: malformedRequest, unauthorized (issuer not ours, several issuers, caller not admitted, signature
    wrong), tryLater (store or signer away, responder certificate not valid), internalError (anything else).
    """
    try:
        _, until, lanes = responder._lanes[0]
        if responder.steady() > until:
            lanes = _turn(responder).open
        places = responder._shapes.places.get(len(octets))
        if places is not None:
            serial_at, serial_end, nonce_at = places
            # As `frame_of` has it, which would take a call.
            frame = octets[:serial_at] if serial_end == nonce_at else octets[:serial_at] + octets[serial_end:nonce_at]
            give = lanes.get(frame if caller is None else (frame, id(caller)))
            if give is not None:
                return give(octets)
        return _answer_anew(responder, octets, caller)
    except Refusal as refusal:
        return refused(refusal)
    except Exception as error:
        # The text of an exception may quote what it was about, so only its type and place are written down.
        frames = (f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__))
        _log.error("no OCSP answer: %s at %s", type(error).__name__, " > ".join(frames))
        return _error(ErrorStatus.INTERNAL_ERROR)


def refused(refusal: Refusal) -> OcspAnswer:
    """What a refusal is in OCSP, also one that comes before the request is looked at."""
    status = ERRORS.get(refusal.code, ErrorStatus.INTERNAL_ERROR)
    if status in (ErrorStatus.TRY_LATER, ErrorStatus.INTERNAL_ERROR):
        _log.warning("no OCSP answer: %s", refusal)
    return _error(status)


def _error(status: ErrorStatus) -> OcspAnswer:
    return OcspAnswer(response.error_response(status), status.name.lower().replace("_", "-"))


def _turn(responder: Responder) -> Lanes:
    """Close all lanes: the only reading of the clock for all answers of a tenth of a second."""
    until = responder.steady() + LANES_LAST
    responder._lanes[0] = lanes = Lanes(responder.clock(), until, {})
    return lanes


def _answer_anew(responder: Responder, octets: bytes, caller: Requestor | None) -> OcspAnswer:
    """The answer to a request for which no lane is open."""
    lanes = responder._lanes[0]
    shape = responder._shapes.recall(octets)
    if shape is None:
        return _answer_in_full(responder, octets, caller, lanes.now)
    return _open_lane(responder, lanes, shape, octets, caller)(octets)


def _open_lane(responder: Responder, lanes: Lanes, shape: Shape, octets: bytes, caller: Requestor | None) -> Give:
    """Open the lane for requests of this shape by this caller, which is admission; how the first one is answered, whose
    signature may be timed.

    What is decided about the same party in the same tenth of a second is the same: a party that has changed is another
    object.
    """
    desk, policy, now = responder._desks[shape.issuer], responder.policy, lanes.now
    admitted = responder.admit(caller or NOBODY, desk.kind, now)
    moment = desk.moment(now, policy)
    plain = len(octets) == shape.nonce_at
    parts = LaneParts(
        now,
        admitted,
        responder.lookup.good_at(shape.issuer, now, lanes.until),
        partial(_answer_slowly, responder, shape, caller, admitted, now),
        responder.record,
        moment.produced,
        moment.times,
        moment.next_update,
        moment.max_age_good if plain else 0,
        policy.access == "open",
        desk.algorithm,
        desk.certificate,
    )
    first, give = (giving(shape, octets, parts, sign) for sign in (desk.sign, desk.sign_untimed))
    if plain and responder.ready is not None:
        first, give = (giving_ready(shape, parts, responder.ready, each) for each in (first, give))
    if len(lanes.open) >= _MOST_LANES:
        lanes.open.clear()
    frame = frame_of(octets, *shape[2:])
    lanes.open[frame if caller is None else (frame, id(caller))] = give
    return first


def _answer_slowly(
    responder: Responder, shape: Shape, caller: Requestor | None, admitted: Admitted, now: datetime, octets: bytes
) -> OcspAnswer:
    """The answer to a request of a known shape about a certificate that may be anything."""
    issuer, cert_id_at, serial_at, serial_end, nonce_at = shape
    if not is_ours(octets, serial_at):
        return _answer_in_full(responder, octets, caller, now)
    asked = ((octets[cert_id_at:serial_end], int.from_bytes(octets[serial_at:serial_end])),)
    return _build(responder, responder._desks[issuer], admitted, asked, octets[nonce_at:] or None, now)


def _answer_in_full(responder: Responder, octets: bytes, caller: Requestor | None, now: datetime) -> OcspAnswer:
    query = read_request(octets, responder.policy.max_cert_ids)
    issuer = responder._issuers.issuer_for_all(query.cert_ids)
    # RFC 9919 §3.1.2 lets signatures be ignored. One that is wrong shows that somebody changed the request: even
    # where everybody may ask, that is not answered.
    signed = signer_fingerprint(query) if query.signature is not None else None
    responder._shapes.learn(octets, query, issuer)
    desk = responder._desks[issuer]
    requestor = caller or NOBODY
    if signed is not None:
        # What only a header says is not what the signer said.
        requestor = Requestor(None, signed, query.purpose, query.provider)
    elif query.purpose is not None or query.provider is not None:
        requestor = replace(requestor, purpose=query.purpose, provider=query.provider)
    admitted = responder.admit(requestor, desk.kind, now)
    asked = [(cert_id.octets, cert_id.serial) for cert_id in query.cert_ids]
    return _build(responder, desk, admitted, asked, query.nonce, now)


def _build(
    responder: Responder,
    desk: _Desk,
    admitted: Admitted,
    asked: Sequence[tuple[bytes, int]],
    nonce: bytes | None,
    now: datetime,
) -> OcspAnswer:
    """The answer about these CertIDs (DER, and their serial), for a requestor that was admitted."""
    policy, issuer = responder.policy, desk.issuer
    moment = desk.moment(now, policy)
    evidence = nonce if nonce and len(nonce) == COMMITMENT else b""
    singles, word, extended_revoke = b"", "", False
    for cert_id, serial in asked:
        status = status_of(responder.lookup, issuer, serial, policy.never_issued, now)
        # Before the answer leaves, and before it is signed: one that cannot be recorded is not given.
        responder.record(Provision(now, *admitted, issuer, Channel.OCSP, asked_serial(serial), status.word, evidence))
        singles += response.single_response(cert_id, status, moment.times)
        word = status.word if word in ("", status.word) else "mixed"
        extended_revoke |= status is NEVER_ISSUED
    tbs = response.response_data(moment.produced, singles, nonce, extended_revoke)
    der = response.successful_response(tbs, desk.algorithm, desk.sign(tbs), desk.certificate)
    max_age = 0 if nonce is not None else moment.max_age_good if word == "good" else moment.max_age_other
    return OcspAnswer(der, word, max_age, policy.access == "open", now, moment.next_update)
