"""Erasure of records that were kept long enough: a batch in each transaction, each record told in the audit trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from ca.completion import audit_facts
from domain.certificates import IssuerId
from domain.events import Act, AuditEvent
from domain.ports import Begin, Clock, UnitOfWork
from domain.serial import SerialNumber
from policies.retention import Records, RetentionRule

BATCH = 500
"""Certificates in one transaction: others write between two of them."""

Erased = Counter[str]
"""How many rows by table."""

_Key = tuple[IssuerId, SerialNumber]
_Rules = Mapping[Records, RetentionRule]


def count_due(begin: Begin, clock: Clock, rules: _Rules) -> Erased:
    """How many revocations and certificates are not kept any longer. Nothing is changed."""
    now = clock()
    with begin(write=False) as work:
        return Counter({records.value: sum(1 for _ in due(work, now)) for records, due, _ in _steps(rules)})


def erase_due(begin: Begin, clock: Clock, rules: _Rules, actor: str, batches: int | None = None) -> Erased:
    """Erase what is not kept any longer, or the first `batches` of it; what was erased.

    Revocations first, once their list has let go of them, then issuance records with the applications that led to
    them. Each batch is one transaction, so a crash leaves whole records, and the next call goes on.
    Raises Refusal(BUSY), Refusal(STORE_UNAVAILABLE).
    """
    erased: Erased = Counter()
    for _, due, erase in _steps(rules):
        while batches is None or batches > 0:
            now = clock()
            with begin(write=False) as work:
                keys = list(islice(due(work, now), BATCH))
            if not keys:
                break
            with begin() as work:
                # Looked at again: another process may have been here meanwhile.
                erased += erase(work, set(keys).intersection(islice(due(work, now), BATCH)), actor, now)
                work.commit()
            batches = batches and batches - 1
    return erased


_Due = Callable[[UnitOfWork, datetime], Iterable[_Key]]
_Erase = Callable[[UnitOfWork, Iterable[_Key], str, datetime], Erased]


def _steps(rules: _Rules) -> Iterator[tuple[Records, _Due, _Erase]]:
    def revocations(work: UnitOfWork, now: datetime) -> Iterable[_Key]:
        return work.revocations.expired(rules[Records.REVOCATIONS].over_before(now))

    def certificates(work: UnitOfWork, now: datetime) -> Iterable[_Key]:
        return work.certificates.expired(rules[Records.CERTIFICATES].over_before(now))

    yield Records.REVOCATIONS, revocations, _erase_revocations
    yield Records.CERTIFICATES, certificates, _erase_certificates


def _erase_revocations(work: UnitOfWork, keys: Iterable[_Key], actor: str, now: datetime) -> Erased:
    erased: Erased = Counter()
    for key in sorted(keys):
        _tell(work, key, Records.REVOCATIONS, actor, now)
        work.revocations.erase(*key)
        erased["revocations"] += 1
    return erased


def _erase_certificates(work: UnitOfWork, keys: Iterable[_Key], actor: str, now: datetime) -> Erased:
    erased: Erased = Counter()
    applications = set()
    for key in sorted(keys):
        # Still there where no list came after its expiry: an issuer that has ended makes none.
        if work.revocations.find(*key):
            erased += _erase_revocations(work, [key], actor, now)
        applications.add(_tell(work, key, Records.CERTIFICATES, actor, now))
        work.holds.forget(*key)
        work.certificates.erase(*key)
        erased["certificates"] += 1
    erased["applications"] += sum(map(work.applications.erase, sorted(applications)))
    return erased


def _tell(work: UnitOfWork, key: _Key, records: Records, actor: str, now: datetime) -> int:
    """Put the erasure on the trail; the application it led from."""
    row = work.certificates.find(*key)
    if row is None:
        raise LookupError("a record to be erased has no certificate")
    facts = {**audit_facts(row), "records": records.value, "expired_at": row.validity.not_after.isoformat()}
    work.audit.append(AuditEvent(Act.ERASED, actor, now, facts))
    return row.application_id
