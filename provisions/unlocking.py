"""Unlocking: two officers agree for a reason, and two shares of the key open the segments that they agreed on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Role
from domain.ports import UnitOfWork
from domain.proposals import JointAct, Proposal, ProposalState
from domain.provisions import Channel, Segment
from domain.serial import SerialNumber
from provisions.filing import Filing
from provisions.segment import NOBODY, Content, Sealed, open_key, read_content, read_header
from provisions.shares import Share, join

KIND = "provisions-unlock"
OPENED_WITHIN = timedelta(days=3)
"""From the confirmation to the last opening."""
LONGEST = timedelta(days=366)

_ONE_DAY = timedelta(days=1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Opened:
    """A record as officers read it: the certificate by application and kind, as everywhere."""

    at: datetime
    party: str
    provider: str
    purpose: str
    channel: Channel
    about: str
    answered: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was agreed on: days (UTC), a verifier or an application, or all."""

    first: datetime
    end: datetime
    verifier: str | None
    application: int | None


def unlock_act() -> JointAct:
    """The act that takes two: content with `from` and `until` (days, UTC), and `verifier` or `application` if not all
    is meant."""
    return JointAct(KIND, "Open provision records", "提供記録の開封", _check, lambda *_: {})


def open_records(
    filing: Filing, proposal: Proposal, one: Share, other: Share, now: datetime, actor: str
) -> Iterator[Opened]:
    """The records that two officers agreed to open, with the shares of two officers; told in the audit trail first.

    Only segments that are filed, on this node. Raises Refusal(NOT_ADMITTED) for a proposal that is not confirmed, not
    of this kind or too old, Refusal(MALFORMED) for two copies of one share, and Refusal(BAD_CONFIGURATION) when the
    shares are not of the key that the segments were sealed to.
    """
    decision = proposal.decision
    if proposal.kind != KIND or proposal.state is not ProposalState.CONFIRMED or decision is None:
        raise Refusal(Code.NOT_ADMITTED, f"want a confirmed proposal of the kind {KIND}; see: jpki proposals list")
    if now - decision.at > OPENED_WITHIN:
        raise Refusal(Code.NOT_ADMITTED, "the confirmation is too old; propose it anew")
    private, wanted = join(one, other), _read(proposal.said)
    with filing.begin() as work:
        segments = [row for row in work.provisions.segments() if _holds(row, wanted, filing.node)]
        if segments:
            _content(filing, segments[0], private)  # so that wrong shares leave no row that says they opened anything
        facts = {"proposal": proposal.id, "segments": len(segments), "confirmed_by": decision.officer}
        work.audit.append(AuditEvent(Act.PROVISIONS_UNLOCKED, actor, now, facts))
        work.commit()
    for segment in segments:
        content = _content(filing, segment, private)
        with filing.begin(write=False) as work:
            names = {party.id: party.name for party in work.parties.all()}
            for row in content.records:
                found = _opened(work, content, row, names, wanted)
                if found is not None:
                    yield found


def _content(filing: Filing, segment: Segment, private: bytes) -> Content:
    try:
        octets = filing.path(segment).read_bytes()
    except FileNotFoundError:
        octets = b""
    header = read_header(octets)
    if header is None:
        raise Refusal(Code.NOT_FOUND, f"segment {segment.name} is missing; run: jpki check")
    return read_content(octets, open_key(header.unlocking, private, header.id))


def _opened(
    work: UnitOfWork, content: Content, row: Sealed, names: Mapping[int, str], wanted: _Wanted
) -> Opened | None:
    at = datetime.fromtimestamp(row.seconds, UTC)
    party = names.get(row.party, "")
    if not wanted.first <= at < wanted.end or wanted.verifier not in (None, party):
        return None
    issuer, channel = content.names.get(row.issuer, "?"), Channel(row.channel)
    if channel is Channel.CRL:
        application, about = None, f"list {issuer}/{row.asked.rstrip(bytes(1)).decode('ascii', 'replace')}"
    else:
        known = SerialNumber.known(int.from_bytes(row.asked))
        record = work.certificates.find(IssuerId(issuer), known) if known else None
        application = record.application_id if record else None
        about = f"{record.kind.value} certificate of application {application}" if record else "no certificate of ours"
    if wanted.application not in (None, application):
        return None
    provider = "" if row.provider == NOBODY else names.get(row.provider, f"party {row.provider}")
    purpose, answered = content.names.get(row.purpose, "?"), content.names.get(row.answer, "?")
    return Opened(at, party or "anybody", provider, purpose, channel, about, answered)


def _holds(segment: Segment, wanted: _Wanted, node: str) -> bool:
    there = segment.digest is not None and segment.erased_at is None and segment.node == node
    return there and segment.begun_at < wanted.end and segment.last_at >= wanted.first


def _check(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    wanted = _read(said)
    if wanted.verifier is not None and work.parties.find(Role.VERIFIER.value, wanted.verifier) is None:
        raise Refusal(Code.NOT_FOUND, "there is no verifier of this name; see the list of parties", pointer="verifier")


def _read(said: Mapping[str, object]) -> _Wanted:
    match said:
        case {"from": str(first), "until": str(last), **rest} if _DAY.fullmatch(first) and _DAY.fullmatch(last):
            try:
                begin, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
            except ValueError:
                begin, end = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
            if begin <= end <= begin + LONGEST:
                match rest:
                    case {"verifier": str(verifier), **more} if not more:
                        return _Wanted(begin, end + _ONE_DAY, verifier, None)
                    case {"application": int(number), **more} if not more and type(number) is int:
                        return _Wanted(begin, end + _ONE_DAY, None, number)
                    case {**more} if not more:
                        return _Wanted(begin, end + _ONE_DAY, None, None)
    raise Refusal(
        Code.MALFORMED,
        'want {"from": day, "until": day}, within a year, and with "verifier": name or "application": number where not '
        "all is meant",
    )
