"""What the values of extensions say, compared with what a profile's row promises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from ca.extensions import FOUR_ITEMS
from ca.octets import name_parts
from domain import der, oids
from domain.birth import BirthDate
from domain.certificates import Issuer
from domain.people import Sex
from policies.extension_rules import KEY_USAGES
from policies.profile import ExtensionRow

_LOCALITY, _UNIT, _COMMON_NAME = map(der.oid, (oids.LOCALITY, oids.ORGANIZATIONAL_UNIT, oids.COMMON_NAME))
_LISTS, _SUFFIX = (_UNIT, b"CRL Distribution Points"), b" CRLDP"
_SEXES = {sex.value for sex in Sex}
_URL = re.compile(r"https?://[!-~]+")
_PURPOSES = {"client-auth": ExtendedKeyUsageOID.CLIENT_AUTH, "ocsp-signing": ExtendedKeyUsageOID.OCSP_SIGNING}
_ACCESS = [AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS]


class _Extension(NamedTuple):
    """One extension as it stands, and what surrounds it. `key_id` is the SHA-1 of the certified key's bits."""

    promise: object
    value: x509.ExtensionType
    octets: bytes
    subject: bytes
    key_id: bytes
    issuer: Issuer | None


def keeps_promise(
    row: ExtensionRow,
    value: x509.ExtensionType,
    octets: bytes,
    subject: bytes,
    key_id: bytes,
    issuer: Issuer | None,
) -> bool:
    """Whether an extension says what the profile's row promises of a certificate with this subject, key and issuer.

    `value` is the extension as cryptography reads it, `octets` its DER. Raises one of `PARSING_FAULTS` when something
    inside cannot be read.
    """
    return _PROMISES[row.name](_Extension(row.value, value, octets, subject, key_id, issuer))


def _key_usage(extension: _Extension) -> bool:
    promised = cast(Sequence[str], extension.promise)
    return extension.value == x509.KeyUsage(*(name in promised for name in KEY_USAGES))


def _extended_key_usage(extension: _Extension) -> bool:
    promised = cast(Sequence[str], extension.promise)
    return extension.value == x509.ExtendedKeyUsage([_PURPOSES[name] for name in promised])


def _certificate_policies(extension: _Extension) -> bool:
    promised = cast(Mapping[str, str], extension.promise)
    policy = x509.PolicyInformation(x509.ObjectIdentifier(promised["oid"]), [promised["cps"]])
    return extension.value == x509.CertificatePolicies([policy])


def _subject_alt_name(extension: _Extension) -> bool:
    names = list(cast(x509.SubjectAlternativeName, extension.value))
    if extension.promise == "authority-alternative":
        return len(names) == 1 and isinstance(names[0], x509.DirectoryName)
    others = [name for name in names if isinstance(name, x509.OtherName)]
    if [name.type_id.dotted_string for name in others] != [kind for kind, _ in FOUR_ITEMS] or len(others) != len(names):
        return False
    return items_fit(*(_text(other.value) for other in others))


def items_fit(name: str, birth_date: str, sex: str, address: str, name_flags: str, address_flags: str) -> bool:
    """Whether the texts of the six otherNames, in their order, are such as a holder can have."""
    return (
        bool(name and address and _is_birth_date(birth_date))
        and sex in _SEXES
        and _flags_fit(name_flags, name)
        and _flags_fit(address_flags, address)
    )


def _text(octets: bytes) -> str:
    start, end = der.only(octets, der.UTF8_STRING)
    return octets[start:end].decode()


def _is_birth_date(text: str) -> bool:
    try:
        BirthDate.read_certificate(text)
    except ValueError:
        return False
    return True


def _flags_fit(flags: str, text: str) -> bool:
    return len(flags) == len(text) and set(flags) <= {"0", "1"}


def _issuer_alt_name(extension: _Extension) -> bool:
    """The issuer's subjectAltName and its issued certificates' issuerAltName are the same octets."""
    return extension.issuer is not None and extension.octets in extension.issuer.certificate


def _basic_constraints(extension: _Extension) -> bool:
    return extension.value == x509.BasicConstraints(cast(Mapping[str, bool], extension.promise)["ca"], None)


def _crl_distribution_points(extension: _Extension) -> bool:
    points = list(cast(x509.CRLDistributionPoints, extension.value))
    if len(points) != 1 or points[0].reasons or points[0].crl_issuer or not points[0].full_name:
        return False
    directory, *urls = points[0].full_name
    if not isinstance(directory, x509.DirectoryName) or len(urls) > 1:
        return False
    entry = directory.value.public_bytes()
    if extension.promise == "authority":
        fits, place = entry == extension.subject, "/"
    else:
        fits, place = _is_municipal(entry, extension), f"/{extension.issuer.id}/" if extension.issuer else "/"
    return fits and all(_is_url(url) and place in str(url.value) and str(url.value).endswith(".crl") for url in urls)


def _is_municipal(entry: bytes, extension: _Extension) -> bool:
    """A municipality's entry under the issuer; where the subject names a municipality, that very one."""
    parts = name_parts(entry)
    authority = name_parts(extension.issuer.subject)[:3] if extension.issuer else ()
    places = [value for kind, value in name_parts(extension.subject) if kind == _LOCALITY]
    if len(parts) != 6 or parts[:4] != (*authority, _LISTS):
        return False
    (prefecture_kind, prefecture), (name_kind, name) = parts[4:]
    return (
        (prefecture_kind, name_kind) == (_UNIT, _COMMON_NAME)
        and name.endswith(_SUFFIX)
        and places in ([], [prefecture, name.removesuffix(_SUFFIX)])
    )


def _is_url(name: x509.GeneralName) -> bool:
    return isinstance(name, x509.UniformResourceIdentifier) and bool(_URL.fullmatch(name.value))


def _authority_info_access(extension: _Extension) -> bool:
    accesses = list(cast(x509.AuthorityInformationAccess, extension.value))
    methods = [access.access_method for access in accesses]
    return (
        bool(methods)
        and methods == [method for method in _ACCESS if method in methods]
        and all(_is_url(access.access_location) for access in accesses)
    )


def _authority_key_identifier(extension: _Extension) -> bool:
    key_id = extension.issuer.key_identifier if extension.issuer else extension.key_id
    return extension.value == x509.AuthorityKeyIdentifier(key_id, None, None)


def _subject_key_identifier(extension: _Extension) -> bool:
    return extension.value == x509.SubjectKeyIdentifier(extension.key_id)


def _ocsp_nocheck(extension: _Extension) -> bool:
    return extension.value == x509.OCSPNoCheck()


_PROMISES: Mapping[str, Callable[[_Extension], bool]] = {
    "key-usage": _key_usage,
    "extended-key-usage": _extended_key_usage,
    "subject-alt-name": _subject_alt_name,
    "issuer-alt-name": _issuer_alt_name,
    "certificate-policies": _certificate_policies,
    "basic-constraints": _basic_constraints,
    "crl-distribution-points": _crl_distribution_points,
    "authority-info-access": _authority_info_access,
    "authority-key-identifier": _authority_key_identifier,
    "subject-key-identifier": _subject_key_identifier,
    "ocsp-nocheck": _ocsp_nocheck,
}
