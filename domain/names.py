"""Distinguished names and the distribution point name that certificates and lists must share octet for octet."""

from __future__ import annotations

from functools import lru_cache

from domain import der, oids

Name = tuple[tuple[str, str], ...]
"""Attribute type OID and value, one RDN each, in the order of encoding."""

SHORT_NAMES = {
    "C": oids.COUNTRY,
    "L": oids.LOCALITY,
    "O": oids.ORGANIZATION,
    "OU": oids.ORGANIZATIONAL_UNIT,
    "CN": oids.COMMON_NAME,
}


def encode_name(name: Name) -> bytes:
    """DER Name (RFC 5280 §4.1.2.4): C as PrintableString, all else as UTF8String, as the real service writes it."""
    return der.sequence(_relative_names(name[:-1]), *[_relative_name(kind, value) for kind, value in name[-1:]])


@lru_cache(maxsize=4096)
def _relative_names(name: Name) -> bytes:
    """All but the last. Cached: authorities and municipalities come back all the time, what is below them does not."""
    return b"".join(_relative_name(kind, value) for kind, value in name)


def _relative_name(kind: str, value: str) -> bytes:
    """RelativeDistinguishedName of one attribute."""
    tag = der.PRINTABLE_STRING if kind == oids.COUNTRY else der.UTF8_STRING
    return der.tlv(der.SET, der.sequence(der.oid(kind), der.tlv(tag, value.encode())))


def directory_name(name: Name) -> bytes:
    """GeneralName [4]: directoryName is a CHOICE, so the tag is explicit (X.680 §31.2.7)."""
    return der.explicit(4, encode_name(name))


def uri(text: str) -> bytes:
    """GeneralName [6] uniformResourceIdentifier (IA5String)."""
    return der.implicit(6, text.encode("ascii"))


def distribution_point_name(directory: Name, location: str | None) -> bytes:
    """`[0] DistributionPointName { fullName }` as both the certificate's DistributionPoint and the list's
    issuingDistributionPoint carry it: the directory name first, then the URI if there is one.

    RFC 5280 §5.2.5 asks for equal names; they are equal because both come from here.
    """
    names = directory_name(directory) + (uri(location) if location else b"")
    return der.explicit(0, der.explicit(0, names))


def municipal_directory(authority: Name, prefecture: str, municipality: str) -> Name:
    """The directory entry of a municipality's list under an authority, by its romanised names:
    the authority's C, O and first OU, then `CRL Distribution Points`, the prefecture, and `<municipality> CRLDP`.
    """
    return (
        *authority[:3],
        (oids.ORGANIZATIONAL_UNIT, "CRL Distribution Points"),
        (oids.ORGANIZATIONAL_UNIT, prefecture),
        (oids.COMMON_NAME, f"{municipality} CRLDP"),
    )
