"""The two authorities in two generations, over keys on file, as the tests of every room need them."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from ca.authority import Authority, Generation
from ca.csr import read_csr
from ca.generation import certify_authority, certify_responder, issuer_of
from ca.revoke import RevocationRequest
from config.municipalities import load_municipalities
from config.rules import load_causes, load_holds, load_issuance, load_variants
from domain import oids
from domain.applications import Card, IssuanceApplication
from domain.certificates import Carrier, Issuer, IssuerId, Kind, Validity
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import BasicAttributes, Municipality, MunicipalityCode, ResidentCode, ResidentState
from domain.revocation import RevocationCause
from policies.plan import (
    AuthorityNames,
    CertificatePlan,
    FourItems,
    Locations,
    plan_authority,
    plan_leaf,
    plan_responder,
)
from policies.subject import certificate_identifier
from policies.validity import authority_validity, responder_validity
from tests.support.memory import MemoryStore
from tests.support.people import serial_of
from tests.support.profiles import make_profile
from tests.support.proofs import proven
from tests.support.requests import holder_key, make_pair, make_request
from tests.support.residents import attributes, resident_code
from tests.support.sealers import make_sealer
from tests.support.signers import KeySigner, authority_signer, responder_signer

NOW = datetime(2027, 4, 1, tzinfo=UTC)
FOUNDED = datetime(2026, 3, 31, 15, 0, 0, tzinfo=UTC)
"""When the authorities' certificates begin: 1 April 2026 in Japan."""

KIYOSE = load_municipalities()[MunicipalityCode("132217")]
SAPPORO = load_municipalities()[MunicipalityCode("011002")]

LOCATIONS = Locations("http://pki.example/crl", "http://pki.example/ocsp", "http://pki.example/ca")


def _names(english: str, japanese: str) -> AuthorityNames:
    return AuthorityNames(
        subject=(
            (oids.COUNTRY, "JP"),
            (oids.ORGANIZATION, "JPKI-DEMO"),
            (oids.ORGANIZATIONAL_UNIT, f"JPKI for {english}"),
            (oids.ORGANIZATIONAL_UNIT, "JPKI Demonstration Organization"),
        ),
        alternative=(
            (oids.COUNTRY, "JP"),
            (oids.ORGANIZATION, "公的個人認証サービス（デモ）"),
            (oids.ORGANIZATIONAL_UNIT, f"公的個人認証サービス{japanese}（デモ）"),
            (oids.ORGANIZATIONAL_UNIT, "デモ認証機構"),
        ),
    )


NAMES = {
    Kind.SIGNATURE: _names("digital signature", "署名用"),
    Kind.AUTHENTICATION: _names("user authentication", "利用者証明用"),
}


stored_profile = cache(make_profile)


def authority_plan(
    kind: Kind = Kind.SIGNATURE, generation: str = "g1", locations: Locations = LOCATIONS
) -> CertificatePlan:
    """The plan of an authority's self-signed certificate."""
    issuer = IssuerId(f"{kind.value}-{generation}")
    profile = stored_profile("ca-rsa2048" if generation == "g1" else "ca-p384")
    return plan_authority(
        profile,
        NAMES[kind],
        locations,
        issuer=issuer,
        serial=serial_of(issuer),
        key=read_csr(make_request(key=authority_signer(kind.value, generation).key)),
        validity=authority_validity(profile.validity, FOUNDED),
    )


@cache
def make_issuer(kind: Kind = Kind.SIGNATURE, generation: str = "g1", locations: Locations = LOCATIONS) -> Issuer:
    """The key generation `g1` (RSA-2048) or `g2` (P-384) of an authority, with its self-signed certificate."""
    certificate = certify_authority(
        authority_plan(kind, generation, locations), authority_signer(kind.value, generation)
    )
    return issuer_of(certificate, IssuerId(f"{kind.value}-{generation}"), kind)


def responder_plan(kind: Kind = Kind.SIGNATURE, generation: str = "g1") -> CertificatePlan:
    """The plan of the certificate of an issuer's OCSP responder, from `NOW` on."""
    issuer = make_issuer(kind, generation)
    profile = stored_profile("ocsp-responder" if generation == "g1" else "ocsp-responder-p384")
    return plan_responder(
        profile,
        issuer,
        NAMES[kind],
        LOCATIONS,
        serial=serial_of(f"responder of {issuer.id}"),
        key=read_csr(make_request(key=responder_signer(kind.value, generation).key)),
        validity=responder_validity(profile.validity, NOW, issuer.validity),
    )


@cache
def make_responder_certificate(kind: Kind = Kind.SIGNATURE, generation: str = "g1") -> bytes:
    """The certificate (DER) of that responder."""
    return certify_responder(responder_plan(kind, generation), authority_signer(kind.value, generation))


ITEMS = FourItems(
    name="霧島　透子",
    name_substitutes="00000",
    sex="2",
    birth_date="319881103",
    address="東京都清瀬市霞野２－１４－３０５",
    address_substitutes="0000000000000100",
)


def leaf_plan(
    profile: str = "signature-rsa2048", locations: Locations = LOCATIONS, items: FourItems = ITEMS, number: int = 0
) -> CertificatePlan:
    """The plan of a holder's certificate under a profile of `config/profiles/`, through 3 November 2031 in Japan."""
    kind = Kind.SIGNATURE if profile.startswith("signature") else Kind.AUTHENTICATION
    generation = "g2" if profile.endswith("p384") else "g1"
    return plan_leaf(
        stored_profile(profile),
        make_issuer(kind, generation, locations),
        NAMES[kind],
        locations,
        municipality=KIYOSE,
        serial=serial_of(f"{profile} {number}"),
        identifier=certificate_identifier(serial_of(f"holder {number}").octets[4:], KIYOSE.code),
        key=read_csr(make_request("ec" if generation == "g2" else "rsa", number)),
        validity=Validity(NOW, datetime(2031, 11, 3, 14, 59, 59, tzinfo=UTC)),
        four_items=items if kind is Kind.SIGNATURE else None,
    )


def signer_of(plan: CertificatePlan) -> KeySigner:
    """The signer of a plan's issuer, or of the authority that the plan is about."""
    kind = plan.issuer.kind if plan.issuer else next(kind for kind in Kind if NAMES[kind] == plan.names)
    return authority_signer(kind.value, "g2" if plan.profile.name.endswith("p384") else "g1")


class TurnedClock:
    """A clock that stands at `now` until a test turns it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


class CountedChance:
    """Random octets that are the same in every run: each call gives others."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return hashlib.sha256(self.calls.to_bytes(8)).digest()[:size]


LEAF_PROFILES = {
    (Kind.SIGNATURE, "g1"): "signature-rsa2048",
    (Kind.AUTHENTICATION, "g1"): "authentication-rsa2048",
    (Kind.SIGNATURE, "g2"): "signature-p384",
    (Kind.AUTHENTICATION, "g2"): "authentication-p384",
}


def make_generation(kind: Kind = Kind.SIGNATURE, label: str = "g1", **overrides: Any) -> Generation:
    """One generation over the keys on file."""
    values: dict[str, Any] = {
        "label": label,
        "issuer": make_issuer(kind, label),
        "signer": authority_signer(kind.value, label),
        "profile": stored_profile(LEAF_PROFILES[kind, label]),
        "mobile_profile": stored_profile(LEAF_PROFILES[kind, label].replace("-", "-mobile-")),
    }
    return Generation(**values | overrides)


def make_authority(store: MemoryStore | None = None, **overrides: Any) -> Authority:
    """Both authorities in both generations over a store in memory; any field of `Authority` can be overridden."""
    values: dict[str, Any] = {
        "generations": tuple(make_generation(kind, label) for kind, label in LEAF_PROFILES),
        "names": NAMES,
        "municipalities": load_municipalities(),
        "locations": LOCATIONS,
        "variants": load_variants(),
        "causes": load_causes(),
        "issuance": load_issuance(),
        "holds": load_holds(),
        "known_weak": frozenset(),
        "sealer": make_sealer(),
        "begin": (store or MemoryStore()).begin,
        "clock": TurnedClock(),
        "random": CountedChance(),
    }
    return Authority(**values | overrides)


KIYOSE_CITY = Party(1, Role.MUNICIPALITY, "kiyose", KIYOSE.code)
SAPPORO_CITY = Party(2, Role.MUNICIPALITY, "sapporo", SAPPORO.code)
OPERATOR = LOCAL_OPERATOR

RESIDENT, ITEMS_ON_RECORD = resident_code(1), attributes()
CARD = Card("card 1", date(2035, 11, 3))


def add_resident(
    authority: Authority,
    code: ResidentCode = RESIDENT,
    items: BasicAttributes = ITEMS_ON_RECORD,
    municipality: Municipality = KIYOSE,
    state: ResidentState = ResidentState.PRESENT,
) -> int:
    """Put a resident on record, or change the record; the row id."""
    index, sealed = authority.sealer.seal(code)
    with authority.begin() as work:
        resident_id, _ = work.residents.put(index, sealed, municipality.code, items, state, authority.clock())
        work.commit()
    return resident_id


def make_application(**overrides: Any) -> IssuanceApplication:
    """清瀬市 applies for a pair of RSA certificates for resident 1. For a phone it is signed with the first holder key,
    unless `proof` says otherwise."""
    values: dict[str, Any] = {
        "caller": KIYOSE_CITY,
        "key": "application 1",
        "municipality": KIYOSE.code,
        "resident_code": RESIDENT,
        "attributes": ITEMS_ON_RECORD,
        "card": CARD,
        "requests": make_pair(),
        "carrier": Carrier.CARD,
    }
    application = IssuanceApplication(**values | overrides)
    if application.carrier is Carrier.MOBILE_DEVICE and "proof" not in overrides:
        return proven(application, holder_key())
    return application


def make_revocation(**overrides: Any) -> RevocationRequest:
    """清瀬市 hands on the wish of resident 1 to have both certificates revoked."""
    values: dict[str, Any] = {
        "caller": KIYOSE_CITY,
        "key": "revocation 1",
        "resident_code": RESIDENT,
        "cause": RevocationCause.HOLDER_REQUEST,
    }
    return RevocationRequest(**values | overrides)
