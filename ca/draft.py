"""Drafts: the certificates an application asks for, planned, built and linted before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ca.authority import Authority, Generation
from ca.csr import read_csr
from ca.entitlement import Basis
from ca.lint import lint_tbs
from ca.tbs import build_tbs
from domain.applications import IssuanceApplication
from domain.certificates import Carrier, Kind, Validity
from domain.errors import Code, Refusal
from domain.serial import OCTETS, SerialNumber
from domain.signing import LintedTbs
from domain.substitution import Substitution
from policies.characters import Substituted, substitute
from policies.keys import SubjectKey, accept_key
from policies.plan import plan_leaf
from policies.subject import IDENTIFIER_OCTETS, certificate_identifier, four_items
from policies.validity import ValidityCaps, leaf_validity
from policies.variants import Variants


@dataclass(frozen=True, slots=True)
class RequestedKey:
    """A key whose possession was proved, and the generation that will certify it."""

    key: SubjectKey
    generation: Generation


@dataclass(frozen=True, slots=True)
class Draft:
    """A certificate that is ready to be reserved: its octets, the right to have them signed once, and the substitute
    characters in it."""

    generation: Generation
    serial: SerialNumber
    validity: Validity
    spki_digest: bytes
    tbs: bytes = field(repr=False)
    linted: LintedTbs
    substitutions: tuple[Substitution, ...] = ()


def read_keys(
    authority: Authority, requests: Mapping[Kind, bytes], carrier: Carrier = Carrier.CARD
) -> dict[Kind, RequestedKey]:
    """The keys of an application's requests for a carrier, the signing one first.

    Raises, with `pointer` at the request, what `read_csr` and `accept_key` raise; Refusal(SAME_KEY) when both kinds
    bring one key, and Refusal(BAD_KEY) when their types belong to different generations.
    """
    found: dict[Kind, RequestedKey] = {}
    for kind in (kind for kind in Kind if kind in requests):
        try:
            key = read_csr(requests[kind])
            generation = authority.issuing(kind, key.name).on(carrier)
            accept_key(key, generation.profile.keys, authority.known_weak)
        except Refusal as refusal:
            refusal.pointer = f"/requests/{kind.value}"
            raise
        found[kind] = RequestedKey(key, generation)
    if len({requested.key.digest for requested in found.values()}) < len(found):
        raise Refusal(Code.SAME_KEY, "both requests are for one key; make a key pair for each certificate")
    if len({requested.generation.label for requested in found.values()}) > 1:
        raise Refusal(Code.BAD_KEY, "the keys of a pair must be of one type; make both anew for the same card")
    return found


def draft_certificates(
    authority: Authority,
    application: IssuanceApplication,
    keys: Mapping[Kind, RequestedKey],
    basis: Basis,
    now: datetime,
) -> dict[Kind, Draft]:
    """The drafts by kind.

    When the signing certificate comes alone, `basis` has the authentication certificate that it must not outlive; in a
    pair the one drafted here takes its part. On a phone nothing outlives the card's signing certificate (official pages
    on スマホ用電子証明書). What is replaced in its last months gives its successor a later end.
    Raises what `substitute` and `leaf_validity` raise, Refusal(BAD_PLAN) and
    Refusal(LINT).
    """
    municipality = authority.municipalities.get(application.municipality)
    if municipality is None:
        raise Refusal(Code.BAD_CONFIGURATION, "the municipality is not in the table of municipalities")
    authentication = basis.authentication.validity if basis.authentication else None
    texts = _texts(application, authority.variants) if Kind.SIGNATURE in keys else {}
    items = four_items(application.attributes, **texts) if texts else None
    drafts: dict[Kind, Draft] = {}
    # The authentication certificate first: the signing one must not outlive it.
    for kind in (kind for kind in (Kind.AUTHENTICATION, Kind.SIGNATURE) if kind in keys):
        key, generation = keys[kind].key, keys[kind].generation
        renewed = basis.replaced.get(kind)
        validity = leaf_validity(
            generation.profile.validity,
            application.attributes.birth_date,
            now,
            ValidityCaps(application.card.expires_on, authentication, renewed.validity if renewed else None),
            kind,
        )
        if basis.card is not None:
            validity = Validity(now, min(validity.not_after, basis.card.validity.not_after))
        if kind is Kind.AUTHENTICATION:
            authentication = validity
        plan = plan_leaf(
            generation.profile,
            generation.issuer,
            authority.names[kind],
            authority.locations,
            municipality=municipality,
            serial=SerialNumber.drawn_from(authority.random(OCTETS)),
            identifier=certificate_identifier(authority.random(IDENTIFIER_OCTETS), municipality.code),
            key=key,
            validity=validity,
            four_items=items if kind is Kind.SIGNATURE else None,
        )
        algorithm = generation.signer.algorithm
        tbs = build_tbs(plan, algorithm)
        linted = lint_tbs(tbs, plan.profile, plan.issuer, algorithm)
        substitutions = tuple(s for text in texts.values() for s in text.substitutions) if plan.four_items else ()
        drafts[kind] = Draft(generation, plan.serial, validity, key.digest, tbs, linted, substitutions)
    return drafts


def _texts(application: IssuanceApplication, variants: Variants) -> dict[str, Substituted]:
    attributes, confirmed = application.attributes, application.text
    return {
        "name": substitute(variants, "name", attributes.name, confirmed.name),
        "address": substitute(variants, "address", attributes.address, confirmed.address),
    }
