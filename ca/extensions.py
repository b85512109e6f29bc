"""Certificate extensions: one function per name a profile may use, each giving the DER of the extension's value.

A function takes the plan and the profile row's value; None leaves the extension out. Checked in tests against
cryptography and asn1crypto.
"""

# ruff: noqa: ARG001  every encoder is given the plan and the value, whichever of the two it needs

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import cast

from domain import der, oids
from domain.errors import Code, Refusal
from domain.names import directory_name, uri
from policies.extension_rules import KEY_USAGES
from policies.plan import CertificatePlan
from policies.profile import ExtensionRow

_PURPOSES = {"client-auth": oids.CLIENT_AUTH, "ocsp-signing": oids.OCSP_SIGNING}

FOUR_ITEMS = (
    (oids.JPKI_COMMON_NAME, "name"),
    (oids.JPKI_DATE_OF_BIRTH, "birth_date"),
    (oids.JPKI_GENDER, "sex"),
    (oids.JPKI_ADDRESS, "address"),
    (oids.JPKI_SUBSTITUTE_CHARACTER_OF_COMMON_NAME, "name_substitutes"),
    (oids.JPKI_SUBSTITUTE_CHARACTER_OF_ADDRESS, "address_substitutes"),
)
"""otherName type and field of `FourItems`, in the order of the real card (1, 4, 3, 5, 2, 6)."""

_ITEM_TYPES = tuple(der.oid(kind) for kind, _ in FOUR_ITEMS)
_ITEMS = attrgetter(*(field for _, field in FOUR_ITEMS))
_CPS_QUALIFIER = der.oid("1.3.6.1.5.5.7.2.1")
_AD_OCSP, _AD_CA_ISSUERS = der.oid(oids.AD_OCSP), der.oid(oids.AD_CA_ISSUERS)
_TRUE = der.boolean(True)


def key_usage(plan: CertificatePlan, value: object) -> bytes:
    """Bit names. RFC 5280 §4.2.1.3; trailing zero bits go (X.690 §11.2.2)."""
    names = cast(Sequence[str], value)
    bits = sum(0x8000 >> KEY_USAGES.index(name) for name in names)
    octets = bits.to_bytes(2).rstrip(b"\x00")
    unused = (octets[-1] & -octets[-1]).bit_length() - 1
    return der.tlv(der.BIT_STRING, bytes((unused,)), octets)


def extended_key_usage(plan: CertificatePlan, value: object) -> bytes:
    """Purpose names. RFC 5280 §4.2.1.12."""
    return der.sequence(*(der.oid(_PURPOSES[name]) for name in cast(Sequence[str], value)))


def subject_alt_name(plan: CertificatePlan, value: object) -> bytes:
    """`four-items`: six otherNames of UTF8String; `authority-alternative`: the authority's Japanese directory name.

    RFC 5280 §4.2.1.6. Raises Refusal(BAD_PLAN) when the four items are wanted and the plan has none.
    """
    if value == "authority-alternative":
        return issuer_alt_name(plan, value)
    if value != "four-items" or plan.four_items is None:
        raise Refusal(Code.BAD_PLAN, "the profile puts the four items into the certificate and the plan has none")
    texts = _ITEMS(plan.four_items)
    return der.sequence(*[_other_name(kind, text.encode()) for kind, text in zip(_ITEM_TYPES, texts, strict=True)])


def _other_name(kind: bytes, text: bytes) -> bytes:
    """GeneralName [0]: an otherName whose value is a UTF8String."""
    size = len(text)
    if size + len(kind) > 0x7B:
        return der.explicit(0, kind, der.explicit(0, der.tlv(der.UTF8_STRING, text)))
    # All lengths are of one octet, as in nearly all.
    return b"%c%c%b%c%c%c%c%b" % (0xA0, size + len(kind) + 4, kind, 0xA0, size + 2, der.UTF8_STRING, size, text)


def issuer_alt_name(plan: CertificatePlan, value: object) -> bytes:
    """`authority-alternative`: the authority's Japanese directory name. RFC 5280 §4.2.1.7."""
    return der.sequence(directory_name(plan.names.alternative))


def certificate_policies(plan: CertificatePlan, value: object) -> bytes:
    """A table of `oid` and `cps`, the practice statement's URL. RFC 5280 §4.2.1.4."""
    policy = cast(Mapping[str, str], value)
    statement = der.sequence(_CPS_QUALIFIER, der.tlv(der.IA5_STRING, policy["cps"].encode("ascii")))
    return der.sequence(der.sequence(der.oid(policy["oid"]), der.sequence(statement)))


def basic_constraints(plan: CertificatePlan, value: object) -> bytes:
    """`{ ca = true }`, no path length, as the real service's own certificates. RFC 5280 §4.2.1.9."""
    return der.sequence(_TRUE if cast(Mapping[str, bool], value)["ca"] else b"")


def crl_distribution_points(plan: CertificatePlan, value: object) -> bytes:
    """One distribution point with the plan's name, which the list repeats octet for octet. RFC 5280 §4.2.1.13.

    Raises Refusal(BAD_PLAN) when the plan names none.
    """
    if plan.distribution_point is None:
        raise Refusal(Code.BAD_PLAN, "the profile wants a distribution point and the plan has none")
    return der.sequence(der.sequence(plan.distribution_point))


def authority_info_access(plan: CertificatePlan, value: object) -> bytes | None:
    """`locations`: OCSP and caIssuers URLs as far as they are configured, nothing without any. RFC 5280 §4.2.2.1."""
    locations, issuer = plan.locations, plan.issuer
    accesses = (
        der.sequence(_AD_OCSP, uri(locations.ocsp)) if locations.ocsp else b"",
        der.sequence(_AD_CA_ISSUERS, uri(f"{locations.issuers}/{issuer.id}.cer"))
        if locations.issuers and issuer
        else b"",
    )
    return der.sequence(*accesses) if any(accesses) else None


def authority_key_identifier(plan: CertificatePlan, value: object) -> bytes:
    """`key-id`: the key identifier alone, since generations share a name. RFC 5280 §4.2.1.1."""
    return der.sequence(der.implicit(0, plan.issuer.key_identifier if plan.issuer else plan.key_identifier))


def subject_key_identifier(plan: CertificatePlan, value: object) -> bytes:
    """`sha1`: SHA-1 of the public key's bits, as the plan computed it. RFC 5280 §4.2.1.2 method 1."""
    return der.octet_string(plan.key_identifier)


def ocsp_nocheck(plan: CertificatePlan, value: object) -> bytes:
    """`null`: status of this responder certificate need not be asked. RFC 6960 §4.2.2.2.1."""
    return der.tlv(der.NULL, b"")


_Encoder = Callable[[CertificatePlan, object], bytes | None]

EXTENSIONS: Mapping[str, tuple[str, _Encoder]] = {
    "key-usage": (oids.KEY_USAGE, key_usage),
    "extended-key-usage": (oids.EXTENDED_KEY_USAGE, extended_key_usage),
    "subject-alt-name": (oids.SUBJECT_ALT_NAME, subject_alt_name),
    "issuer-alt-name": (oids.ISSUER_ALT_NAME, issuer_alt_name),
    "certificate-policies": (oids.CERTIFICATE_POLICIES, certificate_policies),
    "basic-constraints": (oids.BASIC_CONSTRAINTS, basic_constraints),
    "crl-distribution-points": (oids.CRL_DISTRIBUTION_POINTS, crl_distribution_points),
    "authority-info-access": (oids.AUTHORITY_INFO_ACCESS, authority_info_access),
    "authority-key-identifier": (oids.AUTHORITY_KEY_IDENTIFIER, authority_key_identifier),
    "subject-key-identifier": (oids.SUBJECT_KEY_IDENTIFIER, subject_key_identifier),
    "ocsp-nocheck": (oids.OCSP_NOCHECK, ocsp_nocheck),
}
"""Object identifier and encoder of each extension name that profiles may use."""

EXTENSION_OIDS: Mapping[str, bytes] = {name: der.oid(dotted) for name, (dotted, _) in EXTENSIONS.items()}
"""The same names with the identifier in DER."""


_OF_HOLDER = (subject_alt_name, subject_key_identifier)
"""What differs from holder to holder; all else is the same octets for everybody in a municipality."""

_Part = bytes | ExtensionRow
_Place = tuple[int, int, int, int, bytes | None]
_shared: dict[_Place, tuple[tuple[object, ...], tuple[_Part, ...]]] = {}
"""Extensions of certificates for one place, written already, and the rows that are a holder's own between them.
Profile, issuer, names and locations go by identity; they are kept here, so that no other can take their place."""

_MOST_SHARED = 16_384  # some for each of 1,741 municipalities


def encode_extensions(plan: CertificatePlan) -> bytes:
    """Extensions ::= SEQUENCE OF Extension, in the order of the profile's rows. RFC 5280 §4.1.

    `critical` FALSE is the default and therefore absent. Raises Refusal(BAD_PLAN).
    """
    parts = _parts(plan)
    return der.sequence(*[part if isinstance(part, bytes) else _extension(plan, part) for part in parts])


def _parts(plan: CertificatePlan) -> tuple[_Part, ...]:
    sources = profile, issuer, names, locations = plan.profile, plan.issuer, plan.names, plan.locations
    place = id(profile), id(issuer), id(names), id(locations), plan.distribution_point
    if found := _shared.get(place):
        return found[1]
    if issuer is None:
        return profile.extensions
    parts: list[_Part] = []
    for row in profile.extensions:
        if EXTENSIONS[row.name][1] in _OF_HOLDER:
            parts.append(row)
        elif parts and isinstance(parts[-1], bytes):
            parts[-1] += _extension(plan, row)
        else:
            parts.append(_extension(plan, row))
    if len(_shared) > _MOST_SHARED:
        _shared.clear()
    _shared[place] = sources, tuple(parts)
    return tuple(parts)


def _extension(plan: CertificatePlan, row: ExtensionRow) -> bytes:
    """Extension (DER); nothing when the plan has nothing to say."""
    value = EXTENSIONS[row.name][1](plan, row.value)
    if value is None:
        return b""
    return der.sequence(EXTENSION_OIDS[row.name], _TRUE if row.critical else b"", der.octet_string(value))
