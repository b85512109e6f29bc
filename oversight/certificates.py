"""Certificates on record against themselves, their revocation, what the audit trail tells, and what OCSP answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ca.octets import TbsFields, extension_parts, tbs_fields, tbs_of
from domain import der, oids
from domain.certificates import CertificateRecord, CertificateState, Issuer, Kind
from domain.events import Act
from domain.holds import Release, ReleaseWord
from domain.mass import Target
from domain.ports import UnitOfWork
from domain.revocation import CrlReason, Revocation
from domain.status import GOOD, UNKNOWN, CertificateStatus
from oversight.findings import certificate_name
from oversight.inspection import Inspection
from oversight.trail import Told, Trail
from policies.retention import Records

_POINTS = der.oid(oids.CRL_DISTRIBUTION_POINTS)
_ENDS = (Act.HELD, Act.REVOKED, Act.RELEASED)


def read_fields(record: CertificateRecord) -> tuple[bytes, TbsFields]:
    """The TBSCertificate octets of a row and its fields: the row holds them alone until there is a signature.
    Raises DerError."""
    tbs = tbs_of(record.der) if record.state is CertificateState.ISSUED else record.der
    return tbs, tbs_fields(tbs)


def octet_faults(
    inspection: Inspection, record: CertificateRecord, issuer: Issuer | None, fields: TbsFields
) -> Iterator[str]:
    """Where the octets of a row say otherwise than its columns, or are not the issuer's."""
    if issuer is None:
        yield f"belongs to issuer {record.issuer}, which is not configured"
        return
    validity = (der.time(record.validity.not_before), der.time(record.validity.not_after))
    if fields.serial != der.integer(record.serial.value):
        yield "carries another serial number than its row"
    if fields.issuer != issuer.subject or record.kind is not issuer.kind:
        yield f"is not of the kind and name that {issuer.id} issues"
    if (fields.not_before, fields.not_after) != validity:
        yield "has another validity than its row"
    if hashlib.sha256(fields.spki).digest() != record.spki_digest:
        yield "certifies another key than its row"
    if record.state is CertificateState.ISSUED and not inspection.signed_by(issuer, record.der, fields.algorithm):
        yield f"has a signature that is not one of {issuer.id}"


def directory_of(fields: TbsFields) -> bytes | None:
    """The directory entry (GeneralName, DER) that a certificate names as its distribution point, or None.

    The list must bear the same name (RFC 5280 §6.3.3 (b)(2)); a URL beside it may change with the configuration.
    """
    for identifier, _, value in map(extension_parts, fields.extensions):
        if identifier == _POINTS:
            start, end = 0, len(value)
            for tag in (der.SEQUENCE, der.SEQUENCE, 0xA0, 0xA0):
                start, end = der.expect(value, tag, start, end)
            return value[start : der.read(value, start, end)[2]]
    return None


def told_faults(
    record: CertificateRecord, revocation: Revocation | None, told: Sequence[Told], tbs: bytes
) -> Iterator[str]:
    """Where the audit trail tells another story of a certificate than the database."""
    acts = [event.act for event in told]
    if acts.count(Act.RESERVED) != 1:
        yield f"was reserved {acts.count(Act.RESERVED)} times by the audit trail"
    if acts.count(Act.ISSUED) != (record.state is CertificateState.ISSUED):
        yield f"is {record.state.value}; the audit trail tells {acts.count(Act.ISSUED)} times that it was issued"
    for event in told:
        if event.act is Act.RESERVED and event.facts.get("tbs") != hashlib.sha256(tbs).hexdigest():
            yield "holds other octets than were reserved"
        if event.act is Act.RESERVED and event.facts.get("profile") != record.profile_digest:
            yield "was reserved under another profile"
        if event.facts.get("issuer", record.issuer) != record.issuer:
            yield f"belongs to another issuer by audit row {event.sequence}"
        if event.act is Act.RESERVED and event.facts.get("predecessor") != record.predecessor:
            yield "follows another certificate than was recorded when it was reserved"
    was_pending = any(event.act is Act.RESERVED and event.facts.get("pending") is True for event in told)
    if acts.count(Act.DELIVERED) != (was_pending and not record.pending):
        yield "was handed over in the audit trail or in the database, not in both"
    ends = [event for event in told if event.act in _ENDS]
    erased = erased_revocation(told)
    if erased is not None:
        yield from _erasure_faults(record, revocation, ends, erased)
        revoked = bool(ends) and ends[-1].act is Act.REVOKED
    else:
        revoked = revocation is not None and not revocation.on_hold
    if (Act.EXPIRED in acts) != (record.ended_at is not None and not revoked):
        yield "was let expire in the audit trail or in the database, not in both"
    yield from _end_story(revocation, ends, erased)


def _end_story(revocation: Revocation | None, ends: Sequence[Told], erased: Told | None) -> Iterator[str]:
    """Holds, releases and the revocation as the trail tells them: nothing follows a revocation, and only a hold is
    lifted."""
    acts = [event.act for event in ends]
    if Act.REVOKED in acts[:-1]:
        yield "was revoked and then changed again by the audit trail"
    if any(act is Act.RELEASED and before is not Act.HELD for before, act in pairwise([None, *acts])):
        yield "was released without being held by the audit trail"
    lifted = max((event.sequence for event in ends if event.act is Act.RELEASED), default=0)
    standing = [event for event in ends if event.sequence > lifted]
    if revocation is None and standing and erased is None:
        yield "is revoked or held by the audit trail and not in the database"
    if revocation is not None and not standing:
        yield "is revoked or held in the database; the audit trail tells nothing of it"
    if revocation is not None and standing:
        act, facts = standing[-1].act, standing[-1].facts
        recorded = (Act.HELD if revocation.on_hold else Act.REVOKED, revocation.cause.value, int(revocation.reason))
        if (act, facts.get("cause"), facts.get("reason")) != recorded:
            yield "is revoked or held for another cause or reason in the database than in the audit trail"
        if revocation.revoked_at != standing[0].at:  # a hold that becomes a revocation keeps its time
            yield "is revoked or held since another time in the database than in the audit trail"


def release_faults(
    inspection: Inspection, record: CertificateRecord, releases: Sequence[Release], told: Sequence[Told]
) -> Iterator[str]:
    """Where a hold was lifted that is never lifted, or the trail tells of other releases than the database."""
    rule = inspection.holds.releases[record.kind, record.carrier]
    if releases and rule.effect is not ReleaseWord.RELEASED:
        yield f"was released; holds of its kind on a {record.carrier.value} never are"
    if [release.released_at for release in releases] != [event.at for event in told if event.act is Act.RELEASED]:
        yield "was released at other times, or more or less often, in the database than in the audit trail"
    began = {event.at for event in told if event.act is Act.HELD}
    if any(release.held_at not in began for release in releases):
        yield "was released from a hold that the audit trail does not tell of"


def erased_revocation(told: Sequence[Told]) -> Told | None:
    """The event by which the revocation of a certificate was erased."""
    return next((event for event in told if tells_erasure(event, Records.REVOCATIONS)), None)


def tells_erasure(event: Told, records: Records) -> bool:
    """Whether by that event a record of that group was erased."""
    return event.act is Act.ERASED and event.facts.get("records") == records.value


def _erasure_faults(
    record: CertificateRecord, revocation: Revocation | None, ends: Sequence[Told], erased: Told
) -> Iterator[str]:
    if revocation is not None or not ends:
        yield "has a revocation that the audit trail tells was erased, or none that could be"
    if erased.at <= record.validity.not_after:
        yield "lost its revocation before it expired, by the audit trail"


def end_faults(record: CertificateRecord, revocation: Revocation | None, erased: Told | None) -> Iterator[str]:
    """Where the row's end does not follow from its revocation or its validity. A hold ends nothing. `erased` tells that
    the revocation is not kept any longer."""
    revoked = revocation is not None and not revocation.on_hold
    if revoked and record.ended_at is None:
        yield "is revoked and still counts as live"
    if not revoked and not erased and record.ended_at is not None and record.ended_at < record.validity.not_after:
        yield "was ended without revocation or expiry"
    if revocation is not None and (revocation.municipality, revocation.not_after) != (
        record.municipality,
        record.validity.not_after,
    ):
        yield "is revoked under another municipality or expiry than it was issued with"


def pair_faults(inspection: Inspection, record: CertificateRecord, own: Iterable[Target]) -> Iterator[str]:
    """Where a signing certificate in force lost the authentication certificate beside it, on the same carrier, or would
    outlive it (`policies/validity.py`, `policies/causes.py`). `own` are the certificates of its holder."""
    if record.kind is not Kind.SIGNATURE or record.ended_at or record.validity.ended(inspection.now):
        return
    beside = [
        row
        for row in own
        if (row.kind, row.carrier, row.ended) == (Kind.AUTHENTICATION, record.carrier, False)
        and (record.pending or not row.pending)
    ]
    # What waits for its hand-over goes with what came with it, or with the live one if it came alone.
    live = max(beside, key=lambda row: row.application_id == record.application_id, default=None)
    if live is None:
        yield "is live although its authentication certificate has ended"
    elif record.validity.not_after > live.not_after:
        yield "outlives its authentication certificate"


def link_faults(work: UnitOfWork, record: CertificateRecord, trail: Trail) -> Iterator[str]:
    """Where a row says that it follows another, and that one is not there (nor was erased, by the trail), of another
    kind, or live beside it."""
    if record.predecessor is None:
        return
    own = (record.resident_id, record.kind, record.carrier)
    before = [
        row
        for row in work.certificates.of_application(record.predecessor)
        if (row.resident_id, row.kind, row.carrier) == own and record.predecessor < record.application_id
    ]
    last = trail.last(certificate_name(record.predecessor, record.kind.value))
    if not before and not (last and tells_erasure(last, Records.CERTIFICATES)):
        yield "follows a certificate that is not on record"
    if not record.pending and any(row.ended_at is None for row in before):
        yield "has taken the place of a certificate that still counts as live"


def delivery_faults(inspection: Inspection, record: CertificateRecord) -> Iterator[str]:
    """Where a certificate has waited for its hand-over longer than it may."""
    waited = inspection.now - record.reserved_at
    if is_waiting(record) and waited > inspection.delivery_within + inspection.patience:
        yield f"waits for its hand-over since {record.reserved_at:%Y-%m-%dT%H:%M:%SZ}; it should have been revoked"


def is_waiting(record: CertificateRecord) -> bool:
    """Whether the certificate is issued and not known to be on its carrier."""
    return record.pending and record.ended_at is None and record.state is CertificateState.ISSUED


def status_faults(inspection: Inspection, record: CertificateRecord, revocation: Revocation | None) -> Iterator[str]:
    """Where OCSP answers from something else than the database. A revocation may come in between the two looks, so a
    disagreement counts when it is seen twice."""
    told = inspection.status.status_of(record.issuer, record.serial)
    if _same(told, status_by_record(record, revocation)):
        return
    with inspection.begin(write=False) as work:
        newer = work.certificates.find(record.issuer, record.serial) or record
        truth = status_by_record(newer, work.revocations.find(record.issuer, record.serial))
    told = inspection.status.status_of(record.issuer, record.serial)
    if not _same(told, truth):
        detail = " with another time or reason" if told.word == truth.word else ""
        yield f"is {truth.word} by the database, OCSP says {told.word}{detail}"


def status_by_record(record: CertificateRecord, revocation: Revocation | None) -> CertificateStatus:
    """The status that follows from the rows: nothing is good before its signature is on record."""
    if record.state is CertificateState.RESERVED:
        return UNKNOWN
    return GOOD if revocation is None else CertificateStatus("revoked", revocation.revoked_at, revocation.reason)


def _same(told: CertificateStatus, truth: CertificateStatus) -> bool:
    """*unspecified* may be told or left out (RFC 6960 §4.2.1 leaves the reason optional)."""
    reasons = {status.reason or CrlReason.UNSPECIFIED for status in (told, truth)}
    return (told.word, told.revoked_at) == (truth.word, truth.revoked_at) and len(reasons) == 1
