"""The last look at a list before it is signed: it is read back and must say exactly what was planned."""

from __future__ import annotations

from collections.abc import Iterator

from crl.octets import ListOctets
from crl.plan import ListPlan
from crl.read import RevocationList, read_tbs
from crl.rows import Tally, weigh
from crl.scope import issuing_distribution_point
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.revocation import RevocationCount
from domain.signing import LintedTbs

_LARGEST_NUMBER = 1 << 159  # 20 octets and a sign bit: RFC 5280 §5.2.3


def lint_tbs_crl(octets: ListOctets, plan: ListPlan, standing: Tally, count: RevocationCount) -> LintedTbs:
    """The octets, good for one signature.

    The reader shares no code with the encoder. It has refused other versions, time forms, extensions, flags, reasons
    and orders; here every field is compared with the plan, and the entries with the `standing` revocations as they were
    counted when they came from the database, and with the database's own `count` of them, which knows of those too that
    did not come: the list holds all of them and no others. Raises Refusal(LINT) that names all faults, and no serial.
    """
    tbs = octets.view()
    try:
        found = read_tbs(tbs)
        faults = [*_field_faults(found, plan), *_entry_faults(found, standing, count)]
    except DerError as fault:
        raise _refusal(plan, [str(fault)]) from fault
    if faults:
        raise _refusal(plan, faults)
    return LintedTbs(tbs)


def _refusal(plan: ListPlan, faults: list[str]) -> Refusal:
    return Refusal(Code.LINT, f"the list for {plan.scope.path} was not signed: {'; '.join(faults)}")


def _field_faults(found: RevocationList, plan: ListPlan) -> Iterator[str]:
    wanted = {
        "algorithm": plan.algorithm,
        "issuer": plan.issuer.subject,
        "this_update": plan.this_update,
        "next_update": plan.next_update,
        "authority_key": plan.issuer.key_identifier,
        "number": plan.number,
        "freshest": plan.freshest,
        "point": issuing_distribution_point(plan.scope, plan.point),
    }
    yield from (f"{name} is not the planned one" for name, value in wanted.items() if getattr(found, name) != value)
    if plan.scope.issuer != plan.issuer.id:
        yield "the scope belongs to another issuer"
    if found.next_update <= found.this_update:
        yield "next_update is not after this_update"
    if not 0 < found.number < _LARGEST_NUMBER:
        yield "number is not positive or has more than 20 octets"


def _entry_faults(found: RevocationList, standing: Tally, count: RevocationCount) -> Iterator[str]:
    listed, weight = Tally(), 0
    for rows in found.rows():
        listed.add(rows)
        weight += weigh(rows)
    if listed.count != standing.count:
        yield f"it has {listed.count} entries for {standing.count} standing revocations"
    elif columns := standing.difference(listed):
        yield f"its entries have other {' and '.join(columns)} than recorded"
    elif listed.count != count.entries:
        yield f"it has {listed.count} entries, and the database counts {count.entries} revocations"
    elif weight != count.weight:
        yield "its entries have other serials, times or reasons than the database's own sum of them"
