"""Planting: two officers agree on people who do not exist, and these get certificates as everybody does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ca.authority import Authority
from ca.issue import issue
from domain.applications import Card, IssuanceApplication, IssuedPair
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.handles import Recipient
from domain.parties import Party, Role
from domain.people import BasicAttributes, MunicipalityCode, NoCode, ResidentState
from domain.ports import UnitOfWork
from domain.proposals import JointAct, Proposal, ProposalState
from domain.tracers import TracerName, TracerRow
from tracers.register import Register, Tracer

KIND = "tracers"
MOST = 1000
"""Tracers in one proposal."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Requests = Callable[[TracerName], Mapping[Kind, bytes]]
"""PKCS#10 requests for the keys of a tracer; the same ones when it is asked again."""


@dataclass(frozen=True, slots=True, repr=False)
class Persona:
    """Somebody made up, who stands up at the verifier where the certificates are shown."""

    attributes: BasicAttributes
    municipality: MunicipalityCode
    card_expires_on: date


def tracer_act() -> JointAct:
    """Tracers at a verifier: the content names it, how many there are, and the SHA-256 of the file of personas."""
    return JointAct(KIND, "Tracer certificates at a verifier", "検証者に置く追跡用電子証明書", _check, _agreed)


def content_of(verifier: str, provider: str | None, personas: bytes, count: int) -> dict[str, object]:
    """What is proposed. The personas themselves stand in no table."""
    said: dict[str, object] = {"verifier": verifier, "count": count, "personas": hashlib.sha256(personas).hexdigest()}
    return said | ({"provider": provider} if provider else {})


def _check(work: UnitOfWork, said: Mapping[str, object], now: datetime) -> None:
    if said.keys() - {"provider"} != {"verifier", "count", "personas"}:
        raise Refusal(Code.MALFORMED, "the content has verifier, count, personas, and provider if there is one")
    count, personas = said["count"], said["personas"]
    if not isinstance(count, int) or not 1 <= count <= MOST:
        raise Refusal(Code.MALFORMED, f"want 1 to {MOST} tracers", pointer="count")
    if not isinstance(personas, str) or len(personas) != 64:
        raise Refusal(Code.MALFORMED, "want the SHA-256 of the file of personas in hex", pointer="personas")
    for party in _planted_at(work, said):
        if party is not None and not party.in_force(now):
            raise Refusal(Code.NOT_ADMITTED, "this verifier is not in force; nobody would look there")


def _agreed(_work: UnitOfWork, proposal: Proposal, _now: datetime) -> Mapping[str, object]:
    """Nothing happens before the personas are at hand: they get certificates by `plant`."""
    return {"count": proposal.said["count"]}


def _planted_at(work: UnitOfWork, said: Mapping[str, object]) -> tuple[Party, Party | None]:
    """The verifier, and the service provider behind it. Raises Refusal(NOT_FOUND)."""
    found = []
    for key in ("verifier", "provider"):
        party = work.parties.find(Role.VERIFIER.value, str(said[key])) if key in said else None
        if party is None and key in said:
            raise Refusal(Code.NOT_FOUND, f"there is no {key} of this name; see the list of verifiers", pointer=key)
        found.append(party)
    verifier, provider = found
    if verifier is None:
        raise Refusal(Code.NOT_FOUND, "there is no verifier of this name; see the list of verifiers")
    return verifier, provider


def plant(
    authority: Authority,
    register: Register,
    proposal: Proposal,
    personas: Sequence[Persona],
    file: bytes,
    requests: Requests,
    actor: Party,
) -> list[IssuedPair]:
    """Certificates for the personas that two officers agreed on, in their order, by the same steps as for residents.
    Interrupted, it is repeated and goes on: nobody gets a second pair.

    Raises Refusal(NOT_ADMITTED) for a proposal that is not confirmed, Refusal(IDEMPOTENCY_MISMATCH) for other personas
    than were agreed on, and what `ca.issue.issue` refuses.
    """
    if proposal.kind != KIND or proposal.state is not ProposalState.CONFIRMED:
        raise Refusal(Code.NOT_ADMITTED, "tracers are planted when two officers agreed on them; have it confirmed")
    said = proposal.said
    if said["personas"] != hashlib.sha256(file).hexdigest() or said["count"] != len(personas):
        raise Refusal(Code.IDEMPOTENCY_MISMATCH, "these are not the personas that the officers agreed on")
    pairs = []
    for place, persona in enumerate(personas):
        tracer = _registered(authority, register, proposal, TracerName(proposal.id, place), persona)
        applicant = _applicant(authority, tracer, actor)
        application = _application(tracer, persona, register.chance(tracer.name), requests(tracer.name), applicant)
        pairs.append(issue(authority, application))
    return pairs


def _registered(
    authority: Authority, register: Register, proposal: Proposal, name: TracerName, persona: Persona
) -> Tracer:
    """The tracer of that name, put on the register first: nothing of it may exist that the register does not know.

    What stands in the open there is of the time of the agreement, and no row of the trail is written here: who reads
    the database finds nothing that was made together with a resident.
    """
    with authority.begin() as work:
        if row := work.tracers.find(name):
            return register.open(row)
        verifier, provider = _planted_at(work, proposal.said)
        code, now = NoCode.drawn_from(authority.random(NoCode.OCTETS)), authority.clock()
        index, sealed = authority.sealer.seal(code)
        state = ResidentState.PRESENT
        resident_id, _ = work.residents.put(index, sealed, persona.municipality, persona.attributes, state, now)
        applicant = next((party for party in work.parties.all() if _administers(party, persona, now)), None)
        planted = Recipient.of(verifier, provider)
        tracer = Tracer(name, planted, resident_id, code, applicant.id if applicant else None)
        agreed_at = proposal.decision.at if proposal.decision else proposal.proposed_at
        work.tracers.put(TracerRow(name, register.seal(tracer), agreed_at))
        work.commit()
    return tracer


def _administers(party: Party, persona: Persona, now: datetime) -> bool:
    """Whether applications for people of that place come from this party, which was told of it (docs/tracers.md)."""
    return party.role is Role.MUNICIPALITY and party.municipality == persona.municipality and party.in_force(now)


def _applicant(authority: Authority, tracer: Tracer, actor: Party) -> Party:
    """In whose name it is applied for: the municipality's, as for everybody there, or the operator's."""
    with authority.begin(write=False) as work:
        party = work.parties.of(tracer.applicant) if tracer.applicant is not None else None
    return party or actor


def _application(
    tracer: Tracer, persona: Persona, chance: bytes, requests: Mapping[Kind, bytes], applicant: Party
) -> IssuanceApplication:
    """`chance` makes the idempotency key and the card's number, which therefore lead to no row of the register."""
    number = int.from_bytes(chance[16:])
    return IssuanceApplication(
        caller=applicant,
        key=f"{chance[:4].hex()}-{chance[4:8].hex()}-{chance[8:16].hex()}",
        municipality=persona.municipality,
        resident_code=tracer.code,
        attributes=persona.attributes,
        card=Card(f"{_LETTERS[number % 26]}{_LETTERS[number // 26 % 26]}{number % 10**8:08d}", persona.card_expires_on),
        requests=requests,
    )
