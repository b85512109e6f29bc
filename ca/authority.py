"""The authority as issuing and revoking need it: key generations, names, tables, storage, time and chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from ca.joint import JointWork
from domain import der, oids
from domain.applications import IssuanceApplication, IssuedPair
from domain.certificates import Carrier, Issuer, IssuerId, Kind
from domain.code_keys import CodeSealer
from domain.errors import Code, Refusal
from domain.holds import HoldRules
from domain.names import encode_name
from domain.people import Municipality, MunicipalityCode
from domain.ports import Begin, Clock, RandomSource, Signer
from domain.revocation import CauseRule, RevocationCause
from policies.issuance import IssuanceRules
from policies.plan import AuthorityNames, Locations
from policies.profile import Profile
from policies.variants import Variants

ALGORITHMS = {
    "sha256-with-rsa": der.oid(oids.SHA256_WITH_RSA),
    "ecdsa-with-sha256": der.oid(oids.ECDSA_WITH_SHA256),
    "ecdsa-with-sha384": der.oid(oids.ECDSA_WITH_SHA384),
}
"""Signatures as profiles name them, by the identifier that stands in the signer's AlgorithmIdentifier."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One key of one authority: its public face, its signer, and the profiles of what it issues to holders, on cards
    and, if it does, on phones.

    The two authorities' keys with one `label` issue pairs together. A generation that is no longer `issuing` finishes
    what it began, and takes no new applications.
    """

    label: str
    issuer: Issuer
    signer: Signer
    profile: Profile
    issuing: bool = True
    mobile_profile: Profile | None = None

    def on(self, carrier: Carrier) -> Generation:
        """The same generation, as it issues for this carrier. Raises Refusal(MALFORMED) where it does not."""
        if carrier is Carrier.CARD:
            return self
        if self.mobile_profile is None:
            raise Refusal(
                Code.MALFORMED, "keys of this type get no certificates for mobile devices here", pointer="/carrier"
            )
        return replace(self, profile=self.mobile_profile)


@dataclass(frozen=True, slots=True)
class Authority:
    """Both authorities with all their key generations. `known_weak` are digests of keys that must not be certified.

    `issuing_jointly` has concurrent applications issued together.
    """

    generations: tuple[Generation, ...]
    names: Mapping[Kind, AuthorityNames]
    municipalities: Mapping[MunicipalityCode, Municipality]
    locations: Locations
    variants: Variants
    causes: Mapping[RevocationCause, CauseRule]
    issuance: IssuanceRules
    holds: HoldRules
    known_weak: Set[bytes]
    sealer: CodeSealer
    begin: Begin
    clock: Clock
    random: RandomSource
    issuing_jointly: JointWork[IssuanceApplication, IssuedPair] = field(
        default_factory=JointWork, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Raises Refusal(BAD_CONFIGURATION) with every contradiction found."""
        if faults := (*_faults_of_tables(self), *_faults_of_generations(self)):
            raise Refusal(Code.BAD_CONFIGURATION, "; ".join(faults))

    def generation(self, issuer: IssuerId) -> Generation:
        """The generation of that issuer. Raises Refusal(BAD_CONFIGURATION) for one that is no longer configured."""
        for generation in self.generations:
            if generation.issuer.id == issuer:
                return generation
        raise Refusal(Code.BAD_CONFIGURATION, f"issuer {issuer} has certificates on record and is not configured")

    def issuing(self, kind: Kind, key: str) -> Generation:
        """The generation that certifies keys of this name (`rsa-2048`). Raises Refusal(BAD_KEY) when none does."""
        candidates = [g for g in self.generations if g.issuing and g.issuer.kind is kind]
        for generation in candidates:
            if key in generation.profile.keys:
                return generation
        wanted = " or ".join(dict.fromkeys(name for g in candidates for name in g.profile.keys))
        raise Refusal(Code.BAD_KEY, f"want a key of type {wanted}, got {key}")


def _faults_of_tables(authority: Authority) -> Iterator[str]:
    for kind in Kind:
        if kind not in authority.names:
            yield f"the {kind.value} authority has no names"
        if not any(g.issuing and g.issuer.kind is kind for g in authority.generations):
            yield f"no {kind.value} generation is issuing"
    if not authority.municipalities:
        yield "there are no municipalities"
    for cause in RevocationCause:
        if cause not in authority.causes:
            yield f"the cause {cause.value} has no rule"
    yield from _faults_of_holds(authority)


def _faults_of_holds(authority: Authority) -> Iterator[str]:
    """Holds may only end by causes that end every certificate they stand on."""
    ends = [(kind, carrier, rule.cause) for (kind, carrier), rule in authority.holds.releases.items()]
    ends += [(kind, carrier, rule.cause) for carrier, rule in authority.holds.ages.items() for kind in Kind]
    for kind, carrier, cause in ends:
        if (
            cause is not None
            and cause in authority.causes
            and authority.causes[cause].effects[kind, carrier].word != "revoked"
        ):
            place = f"{kind.value} on {carrier.value}"
            yield f"holds of {place} are to end for the cause {cause.value}, which does not revoke them"


def _faults_of_generations(authority: Authority) -> Iterator[str]:
    issuers: set[IssuerId] = set()
    labels: set[tuple[Kind, str]] = set()
    keys: dict[tuple[Kind, str], IssuerId] = {}
    for generation in authority.generations:
        issuer, profile, kind = generation.issuer, generation.profile, generation.issuer.kind
        mobile = generation.mobile_profile
        if mobile and (mobile.purpose, mobile.signature, mobile.keys) != (kind.value, profile.signature, profile.keys):
            yield f"issuer {issuer.id}: profile {mobile.name} is of another purpose or key than {profile.name}"
        if issuer.id in issuers or (kind, generation.label) in labels:
            yield f"issuer {issuer.id} or its place in generation {generation.label} is taken twice"
        issuers.add(issuer.id)
        labels.add((kind, generation.label))
        if kind in authority.names and encode_name(authority.names[kind].subject) != issuer.subject:
            yield f"issuer {issuer.id} bears another name in its certificate than is configured"
        if generation.signer.key_id != issuer.key_identifier.hex():
            yield f"the signer of issuer {issuer.id} holds another key than its certificate"
        if profile.purpose != kind.value:
            yield f"issuer {issuer.id} issues by profile {profile.name}, which is for {profile.purpose} certificates"
        if ALGORITHMS[profile.signature] not in generation.signer.algorithm:
            yield f"issuer {issuer.id} does not sign with {profile.signature} as profile {profile.name} says"
        if not generation.issuing:
            continue
        for key in profile.keys:
            other = keys.setdefault((kind, key), issuer.id)
            if other != issuer.id:
                yield f"issuers {other} and {issuer.id} both certify keys of type {key}; stop one of them from issuing"
        if not any(
            peer.issuing and peer.label == generation.label and peer.issuer.kind is not kind
            for peer in authority.generations
        ):
            yield f"issuer {issuer.id} has no issuing peer in generation {generation.label}"
