"""Approvals: acts of two officers by which a verifier may ask, may not for a while, or not any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party, Role, Usage
from domain.ports import UnitOfWork
from domain.proposals import JointAct, Proposal
from domain.standings import Approval
from domain.vetting import Application
from policies.standings import VerifierRules
from verifiers import registry
from verifiers.officers import certificate_of, decider, require_members, text_of
from verifiers.vetting import longest_period, missing, purposes_json, require_open

Change = Callable[[Approval, datetime], Approval]


def approval_acts(rules: VerifierRules) -> tuple[JointAct, ...]:
    """The acts about verifiers."""
    return (
        JointAct(
            "verifier-approval",
            "Approval or renewal of a verifier",
            "検証者の承認・更新",
            partial(_check_approval, rules),
            partial(_approve, rules),
        ),
        _standing("suspension", "Suspension of a verifier", "検証者の停止", Act.VERIFIER_SUSPENDED, _suspended),
        _standing("resumption", "End of a suspension", "検証者の停止の解除", Act.VERIFIER_RESUMED, _resumed),
        _standing(
            "withdrawal", "Withdrawal of an approval", "検証者の承認の取消し", Act.VERIFIER_WITHDRAWN, _withdrawn
        ),
        JointAct(
            "verifier-credential", "One more credential", "検証者の資格情報の追加", _check_credential, _add_credential
        ),
    )


def approval_content(
    work: UnitOfWork, rules: VerifierRules, party: Party, since: datetime, until: datetime
) -> dict[str, object]:
    """What officers look at and confirm: who the verifier is, what for, on what evidence, and its credentials.

    Raises Refusal: NOT_FOUND without an open application, OUT_OF_ORDER while evidence is missing, MALFORMED for a
    period that is none or longer than the standing's.
    """
    application = require_open(work, party)
    if lacking := missing(rules, party, application):
        raise Refusal(Code.OUT_OF_ORDER, f"evidence is missing for: {', '.join(lacking)}")
    if party.standing is None or not since < until <= longest_period(rules, party.standing, since):
        raise Refusal(Code.MALFORMED, "want a period that is not longer than the standing's", pointer="until")
    return {**_as_it_stands(work, party, application), "since": since.isoformat(), "until": until.isoformat()}


def _as_it_stands(work: UnitOfWork, party: Party, application: Application) -> dict[str, object]:
    through = work.parties.of(party.behind) if party.behind is not None else None
    return {
        "verifier": party.name,
        "standing": party.standing.value if party.standing else "",
        "through": through.name if through else "",
        "application": application.id,
        "purposes": purposes_json(application.purposes),
        "evidence": [[row.criterion, row.reference, row.by] for row in application.evidence],
        "credentials": [row.fingerprint.hex() for row in work.parties.credentials(party.id) if not row.withdrawn_at],
    }


def _check_approval(rules: VerifierRules, work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    party = find_verifier(work, said)
    since, until = _moment(said, "since"), _moment(said, "until")
    if dict(said) != approval_content(work, rules, party, since, until):
        raise Refusal(
            Code.IDEMPOTENCY_MISMATCH, "application, evidence or credentials are not as proposed; propose it anew"
        )


def _approve(_rules: VerifierRules, work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    party = find_verifier(work, proposal.said)
    application = require_open(work, party)
    since, until = _moment(proposal.said, "since"), _moment(proposal.said, "until")
    for kind, purposes in application.purposes.items():
        before = party.approval(kind)
        # Whoever is in force and is renewed need not notify again, and goes on without a gap.
        renews = before is not None and before.withdrawn_at is None and now <= before.until
        work.parties.approve(
            party.id,
            Approval(
                kind,
                purposes,
                min(since, before.since) if renews and before else since,
                until,
                proposal.id,
                before.notified_at if renews and before else None,
                before.suspended_at if renews and before else None,
            ),
        )
    work.vettings.close(application.id, now, proposal.id)
    facts = {
        "party": party.label,
        "application": application.id,
        "purposes": purposes_json(application.purposes),
        "until": until.isoformat(),
        "proposal": proposal.id,
    }
    work.audit.append(AuditEvent(Act.VERIFIER_APPROVED, decider(proposal).label, now, facts))
    return {"party": party.label}


def _standing(word: str, title_en: str, title_ja: str, act: Act, change: Change) -> JointAct:
    """An act that changes approvals that there are."""

    def changed(work: UnitOfWork, said: Mapping[str, object], now: datetime) -> tuple[Party, Sequence[Approval]]:
        require_members(said, "verifier", "kinds")
        party = find_verifier(work, said)
        return party, [change(approval, now) for approval in _approvals(party, said)]

    def check(work: UnitOfWork, said: Mapping[str, object], now: datetime) -> None:
        changed(work, said, now)

    def do(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
        party, approvals = changed(work, proposal.said, now)
        for approval in approvals:
            work.parties.approve(party.id, replace(approval, proposal=proposal.id))
        kinds = [approval.kind.value for approval in approvals]
        facts = {"party": party.label, "kinds": kinds, "proposal": proposal.id}
        work.audit.append(AuditEvent(act, decider(proposal).label, now, facts))
        return {"party": party.label}

    return JointAct(f"verifier-{word}", title_en, title_ja, check, do)


def _suspended(approval: Approval, now: datetime) -> Approval:
    if approval.suspended_at is not None:
        raise Refusal(Code.ALREADY_APPLIED, "the approval is suspended already")
    return replace(approval, suspended_at=now)


def _resumed(approval: Approval, _now: datetime) -> Approval:
    if approval.suspended_at is None:
        raise Refusal(Code.OUT_OF_ORDER, "the approval is not suspended")
    return replace(approval, suspended_at=None)


def _withdrawn(approval: Approval, now: datetime) -> Approval:
    return replace(approval, withdrawn_at=now)


def _approvals(party: Party, said: Mapping[str, object]) -> list[Approval]:
    """The approvals of the kinds that are named, none of them withdrawn."""
    kinds = said.get("kinds")
    known = {kind.value: kind for kind in Kind}
    if not isinstance(kinds, list) or not kinds or not all(word in known for word in kinds):
        raise Refusal(Code.MALFORMED, f"want a list of kinds: {', '.join(known)}", pointer="kinds")
    found = []
    for word in sorted(set(kinds)):
        approval = party.approval(known[word])
        if approval is None or approval.withdrawn_at is not None:
            raise Refusal(Code.OUT_OF_ORDER, f"the verifier has no approval for {word} certificates")
        found.append(approval)
    return found


def _check_credential(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    require_members(said, "verifier", "usage", "certificate", "purpose")
    find_verifier(work, said)
    certificate_of(said)
    _usage(said)


def _add_credential(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    said = proposal.said
    party = find_verifier(work, said)
    purpose = text_of(said, "purpose") if said.get("purpose") else None
    actor = decider(proposal)
    added = registry.add_credential(work, party, certificate_of(said), _usage(said), now, actor, proposal, purpose)
    return {"party": party.label, "fingerprint": added.fingerprint.hex()}


def _usage(said: Mapping[str, object]) -> Usage:
    try:
        return Usage(text_of(said, "usage"))
    except ValueError:
        words = ", ".join(usage.value for usage in Usage)
        raise Refusal(Code.MALFORMED, f"want one of: {words}", pointer="usage") from None


def find_verifier(work: UnitOfWork, said: Mapping[str, object]) -> Party:
    """The verifier that the content names. Raises Refusal(NOT_FOUND)."""
    return registry.find_party(work, Role.VERIFIER, text_of(said, "verifier"))


def _moment(said: Mapping[str, object], key: str) -> datetime:
    """An aware time in whole seconds in the content. Raises Refusal(MALFORMED)."""
    try:
        moment = datetime.fromisoformat(text_of(said, key))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.microsecond:
        raise Refusal(Code.MALFORMED, "want an RFC 3339 time in whole seconds", pointer=key)
    return moment.astimezone(UTC)
