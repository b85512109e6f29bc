"""Distribution points: the octets that a certificate and the list it points to must share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from domain.certificates import IssuerId
from domain.lists import Scope
from domain.names import Name, distribution_point_name, municipal_directory
from domain.people import Municipality


@dataclass(frozen=True, slots=True)
class Locations:
    """Where ordinary clients find status and issuers; None leaves the location out of certificates.

    `crl` is a base: a list lies at `<crl>/<issuer id>/<area>.crl`. `issuers` likewise: `<issuers>/<issuer id>.cer`.
    """

    crl: str | None = None
    ocsp: str | None = None
    issuers: str | None = None


@lru_cache(maxsize=8192)
def municipal_point(
    authority_subject: Name, municipality: Municipality, issuer: IssuerId, locations: Locations
) -> bytes:
    """DistributionPointName of a municipality's list: its directory entry, then its URL if lists have locations.

    RFC 5280 §6.3.3 (b)(2) matches any one name, so the directory entry keeps old certificates and new lists
    together when the locations are configured anew. Cached: every holder of a municipality gets it.
    """
    directory = municipal_directory(authority_subject, municipality.prefecture_romanised, municipality.name_romanised)
    return distribution_point_name(directory, list_url(Scope(issuer, municipality.code), locations))


def authority_point(authority_subject: Name, issuer: IssuerId, locations: Locations) -> bytes:
    """DistributionPointName of a generation's list of CA certificates: the authority's own DN, as in the real CA
    certificates, then its URL if lists have locations (generations share the DN; the URL tells them apart)."""
    return distribution_point_name(authority_subject, list_url(Scope(issuer, None), locations))


def list_url(scope: Scope, locations: Locations) -> str | None:
    """URL of a scope's list, or None when lists have no location."""
    return f"{locations.crl.rstrip('/')}/{scope.path}" if locations.crl else None
