"""Delta lists (RFC 5280 §5.2.4): beside each complete list what changed since a base, where the settings want it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import starmap

import numpy as np
from cryptography import x509

from crl.build import extension, put_fields
from crl.diff import Comparison, said_by
from crl.earlier import Earlier
from crl.files import map_beside, swap_in_beside
from crl.octets import ListOctets
from crl.plan import ListPlan
from crl.publisher import Publisher
from crl.read import RevocationList, read_list
from crl.rows import SERIAL, Rows, weigh
from crl.scope import issuing_distribution_point
from crl.signature import sign_list
from domain import der, oids
from domain.errors import Code, Refusal
from domain.revocation import CrlReason, RevocationCount, weight
from domain.signing import LintedTbs, assemble

BASE, DELTA = "base", "delta"
"""What follows the area in the names of the two files: `13221.base.crl` is kept, `13221.delta.crl` is handed out."""

MOST = 10_000
"""Entries of a delta list; where more has changed, the complete list becomes the base instead."""

_REMOVE_FROM_CRL = 8

Said = tuple[int, int]


class _Changes(Comparison):
    """A comparison that keeps the entries that appear or change; those that disappear are kept already."""

    def __init__(self, before: Earlier) -> None:
        super().__init__(before)
        self.appeared: dict[bytes, Said] = {}

    def appear(self, rows: Rows) -> None:
        if len(self.appeared) <= MOST:
            self.appeared.update(said_by(rows))


def put_delta_in_place(
    publisher: Publisher, plan: ListPlan, complete: memoryview, count: RevocationCount
) -> tuple[int, int]:
    """Sign the delta list that goes with the `complete` list of `plan` and put it in place, before that one is: whoever
    takes it needs a complete list with the number of its base or a later one (§5.2.4), and a crash in between leaves
    nothing that says less than was known. (Number of the base, entries.)

    The base is a complete list of the last interval. A new one is taken when that is over, when too much has changed,
    or when it cannot be read; the delta list of a new base is empty. Base and delta list together must say what the
    database `count`s. Raises Refusal(LINT) and Refusal(SIGNER_UNAVAILABLE).
    """
    listed = read_list(complete)
    base = _base(publisher, plan, listed)
    changes = _compare(base, listed) if base else None
    if base is None or changes is None:
        swap_in_beside(publisher.directory, plan.scope, BASE, complete)
        base, changes = listed, {}
    octets = _tbs(plan, base.number, changes)
    if _together(base, _lint(octets, plan, base.number, changes)) != count:
        raise _refusal(plan, "with its base it says something else than the database counts")
    signed = sign_list(octets, LintedTbs(octets.view()), publisher.signers[plan.scope.issuer], plan.issuer)
    swap_in_beside(publisher.directory, plan.scope, DELTA, signed)
    return base.number, len(changes)


def _base(publisher: Publisher, plan: ListPlan, listed: RevocationList) -> RevocationList | None:
    """The base that is kept, if it may still be one."""
    file = map_beside(publisher.directory, plan.scope, BASE)
    try:
        base = read_list(file) if file else None
    except der.DerError:
        return None
    if base is None or (base.issuer, base.authority_key, base.point) != (
        listed.issuer,
        listed.authority_key,
        listed.point,
    ):
        return None
    too_old = plan.this_update - base.this_update >= publisher.policy.interval
    return None if too_old or base.number > plan.number else base


def _scope_of(found: RevocationList) -> tuple[bytes, ...]:
    return found.issuer, found.authority_key, found.point


def _compare(base: RevocationList, listed: RevocationList) -> dict[bytes, Said] | None:
    """What a delta list must say, by serial; None when that is too much, or the base is damaged."""
    try:
        changes = _Changes(Earlier(base.entries))
        for rows in listed.rows():
            changes.feed(rows)
        removed = changes.result().removed
    except der.DerError:
        return None
    found = {**changes.appeared, **{serial: (said[0], _REMOVE_FROM_CRL) for serial, said in removed.items()}}
    return found if len(found) <= MOST else None


def _tbs(plan: ListPlan, base: int, changes: dict[bytes, Said]) -> ListOctets:
    octets = ListOctets()
    for serial, (seconds, reason) in sorted(changes.items()):
        octets.add(_entry(serial, seconds, reason), 1)
    put_fields(plan, octets)
    octets.put_behind(
        der.explicit(
            0,
            der.sequence(
                extension(oids.AUTHORITY_KEY_IDENTIFIER, der.sequence(der.implicit(0, plan.issuer.key_identifier))),
                extension(oids.CRL_NUMBER, der.integer(plan.number)),
                extension(oids.DELTA_CRL_INDICATOR, der.integer(base), critical=True),
                extension(
                    oids.ISSUING_DISTRIBUTION_POINT, issuing_distribution_point(plan.scope, plan.point), critical=True
                ),
            ),
        )
    )
    octets.enclose()
    return octets


def _entry(serial: bytes, seconds: int, reason: int) -> bytes:
    code = der.octet_string(der.tlv(der.ENUMERATED, bytes((reason,))))
    reasons = der.sequence(der.sequence(der.oid(oids.CRL_REASON), code)) if reason else b""
    return der.sequence(der.tlv(der.INTEGER, serial), der.time(datetime.fromtimestamp(seconds, UTC)), reasons)


def _lint(octets: ListOctets, plan: ListPlan, base: int, changes: dict[bytes, Said]) -> dict[bytes, Said]:
    """Read it with another program's reader and compare; what that found. Raises Refusal(LINT), without a serial."""
    dummy = assemble(bytes(octets.view()), plan.algorithm, b"\x00")
    found = x509.load_der_x509_crl(dummy)
    said = {
        entry.serial_number.to_bytes(16): (int(entry.revocation_date_utc.timestamp()), _reason(entry))
        for entry in found
    }
    number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    indicator = found.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    times = (found.last_update_utc, found.next_update_utc)
    if (said, number, indicator.value.crl_number, indicator.critical, times) != (
        changes,
        plan.number,
        base,
        True,
        (plan.this_update, plan.next_update),
    ):
        raise _refusal(plan, "it says something else")
    return said


def _refusal(plan: ListPlan, why: str) -> Refusal:
    return Refusal(Code.LINT, f"the delta list of {plan.scope.path} was not signed: {why}")


def _together(base: RevocationList, said: dict[bytes, Said]) -> RevocationCount:
    """What a client comes to that has the base and is told `said`."""
    serials = np.array(sorted(said), SERIAL)
    standing = [(serial, *values) for serial, values in said.items() if values[1] != _REMOVE_FROM_CRL]
    entries, weighed = len(standing), sum(starmap(weight, standing))
    for rows in base.rows():
        kept = rows[~np.isin(rows.serials, serials)]
        entries, weighed = entries + len(kept), weighed + weigh(kept)
    return RevocationCount(entries, weighed)


def _reason(entry: x509.RevokedCertificate) -> int:
    try:
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return CrlReason.UNSPECIFIED
    return _REMOVE_FROM_CRL if flag is x509.ReasonFlags.remove_from_crl else CrlReason[flag.name.upper()]
