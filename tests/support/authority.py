"""The two authorities in two generations, over keys on file, as the tests of every room need them."""

from __future__ import annotations

import hashlib
import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from ca.csr import read_csr
from ca.generation import certify_authority, certify_responder, issuer_of
from config.municipalities import load_municipalities
from domain import oids
from domain.certificates import Issuer, IssuerId, Kind, Validity
from domain.people import MunicipalityCode
from domain.serial import SerialNumber
from policies.plan import (
    AuthorityNames,
    CertificatePlan,
    FourItems,
    Locations,
    plan_authority,
    plan_leaf,
    plan_responder,
)
from policies.profile import Profile, load_profile
from policies.subject import certificate_identifier
from policies.validity import authority_validity, responder_validity
from tests.support.requests import make_request
from tests.support.signers import KeySigner, authority_signer, responder_signer

PROFILES = Path(__file__).parents[2] / "config" / "profiles"

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


@cache
def stored_profile(name: str) -> Profile:
    """A profile of `config/profiles/`."""
    return load_profile(name, tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8")))


def serial_of(label: str) -> SerialNumber:
    """The same serial for the same label."""
    return SerialNumber.drawn_from(hashlib.sha256(label.encode()).digest()[:16])


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
