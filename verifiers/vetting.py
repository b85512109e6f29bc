"""Vetting: a verifier applies, evidence is brought for each criterion, and its notification is received.

Nothing here approves anything: that takes two officers (`verifiers.approvals`). The caller commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party, Role
from domain.ports import UnitOfWork
from domain.standings import Standing
from domain.vetting import Application, Evidence
from policies.standings import VerifierRules
from verifiers import registry

LONGEST_REFERENCE = 500


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to be approved for what. `behind` is the name of whom it asks through, where its standing wants one."""

    name: str
    standing: Standing
    purposes: Mapping[Kind, frozenset[str]]
    behind: str | None = None


def apply(work: UnitOfWork, rules: VerifierRules, request: Request, at: datetime, actor: Party) -> Application:
    """Take an application; the verifier is registered unless it is, and is not admitted to anything by that.

    Raises Refusal: MALFORMED for what its standing cannot be approved for, or where it names nobody to ask through,
    NOT_FOUND for one that is not registered, ALREADY_APPLIED for a verifier of another standing or with an open
    application.
    """
    rules.require(request.standing, request.purposes)
    behind = _behind(work, request)
    kinds = frozenset(request.purposes)
    party = work.parties.find(Role.VERIFIER.value, request.name)
    if party is None:
        new = Party(0, Role.VERIFIER, request.name, None, kinds, standing=request.standing, behind=behind)
        party = registry.add_party(work, new, at, actor)
    elif party.standing is None and not party.approvals:
        work.parties.classify(party.id, request.standing, behind)
    elif (party.standing, party.behind) != (request.standing, behind):
        raise Refusal(Code.ALREADY_APPLIED, "the verifier is registered with another standing, or behind another party")
    if open_application(work, party) is not None:
        raise Refusal(Code.ALREADY_APPLIED, "the verifier has an open application; add evidence to it, or approve it")
    stored = work.vettings.open(Application(0, party.id, request.purposes, actor.label, at))
    facts = {
        "party": party.label,
        "application": stored.id,
        "standing": request.standing.value,
        "purposes": purposes_json(request.purposes),
    }
    work.audit.append(AuditEvent(Act.VERIFIER_APPLIED, actor.label, at, facts))
    return stored


def add_evidence(
    work: UnitOfWork, rules: VerifierRules, party: Party, criterion: str, reference: str, at: datetime, actor: Party
) -> Application:
    """Keep what shows that the verifier meets a criterion: the newest for each counts, earlier ones stay on record.

    Raises Refusal: NOT_FOUND without an open application, MALFORMED for a criterion that is not asked of the
    verifier's standing, or a reference that cannot be printed.
    """
    application = require_open(work, party)
    wanted = rules.wanted(party.standing) if party.standing else ()
    if criterion not in wanted:
        raise Refusal(Code.MALFORMED, f"want one of the criteria: {', '.join(wanted)}", pointer="criterion")
    if not reference.strip() or not reference.isprintable() or len(reference) > LONGEST_REFERENCE:
        raise Refusal(Code.MALFORMED, "say where the paper lies, in printable characters", pointer="reference")
    evidence = Evidence(criterion, reference, actor.label, at)
    work.vettings.add_evidence(application.id, evidence)
    facts = {"party": party.label, "application": application.id, "criterion": criterion}
    work.audit.append(AuditEvent(Act.EVIDENCE_ADDED, actor.label, at, facts))
    return replace(application, evidence=(*application.evidence, evidence))


def missing(rules: VerifierRules, party: Party, application: Application) -> tuple[str, ...]:
    """The criteria that nothing was brought for yet."""
    brought = {evidence.criterion for evidence in application.evidence}
    return tuple(row for row in rules.wanted(party.standing) if row not in brought) if party.standing else ()


def notify(work: UnitOfWork, party: Party, kinds: frozenset[Kind], at: datetime, actor: Party) -> Sequence[Kind]:
    """Note that the notification of an approved verifier was received: from now on it is in force.

    Raises Refusal(OUT_OF_ORDER) where nothing was approved, Refusal(ALREADY_APPLIED) where all were notified.
    """
    found = [approval for approval in party.approvals if approval.kind in kinds and approval.withdrawn_at is None]
    if len(found) < len(kinds):
        raise Refusal(Code.OUT_OF_ORDER, "the verifier is not approved for these certificates; it notifies after that")
    new = [approval for approval in found if approval.notified_at is None]
    if not new:
        raise Refusal(Code.ALREADY_APPLIED, "the notification was received already")
    for approval in new:
        work.parties.approve(party.id, replace(approval, notified_at=at))
    told = sorted(approval.kind.value for approval in new)
    work.audit.append(AuditEvent(Act.VERIFIER_NOTIFIED, actor.label, at, {"party": party.label, "kinds": told}))
    return [Kind(word) for word in told]


def open_application(work: UnitOfWork, party: Party) -> Application | None:
    """The application that waits to be approved."""
    return next((row for row in work.vettings.of_party(party.id) if row.decided_at is None), None)


def require_open(work: UnitOfWork, party: Party) -> Application:
    """The same, or Refusal(NOT_FOUND)."""
    application = open_application(work, party)
    if application is None:
        raise Refusal(Code.NOT_FOUND, "the verifier has no open application; see: jpki verifiers apply")
    return application


def purposes_json(purposes: Mapping[Kind, frozenset[str]]) -> dict[str, list[str]]:
    """Purposes by kind as plain JSON."""
    return {kind.value: sorted(purposes[kind]) for kind in Kind if kind in purposes}


def longest_period(rules: VerifierRules, standing: Standing, since: datetime) -> datetime:
    """The last moment that an approval beginning then may reach."""
    return since + timedelta(days=366 * rules.standings[standing].years)


def _behind(work: UnitOfWork, request: Request) -> int | None:
    through = request.standing.through
    if (through is None) != (request.behind is None):
        word = f"name the {through.value} that it asks through" if through else "it asks for itself; name nobody"
        raise Refusal(Code.MALFORMED, f"{request.standing.value}: {word}", pointer="behind")
    if through is None or request.behind is None:
        return None
    party = registry.find_party(work, Role.VERIFIER, request.behind)
    if party.standing is not through:
        raise Refusal(Code.MALFORMED, f"{request.behind} is no {through.value}", pointer="behind")
    return party.id
