"""The scope of a list on the wire: its distribution point and its issuingDistributionPoint."""

from __future__ import annotations

from collections.abc import Mapping

from domain import der
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.names import Name, uri
from domain.people import Municipality, MunicipalityCode
from policies.distribution import authority_point, list_url, municipal_point
from policies.plan import Locations


def distribution_point(
    scope: Scope,
    authority_subject: Name,
    municipalities: Mapping[MunicipalityCode, Municipality],
    locations: Locations,
) -> bytes:
    """DistributionPointName of the scope, the octets its certificates carry.

    Raises Refusal(BAD_CONFIGURATION) when the municipality is not in the table.
    """
    if scope.municipality is None:
        return authority_point(authority_subject, scope.issuer, locations)
    if scope.municipality not in municipalities:
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"municipality {scope.municipality} has certificates but is not in the table of municipalities; add it",
        )
    return municipal_point(authority_subject, municipalities[scope.municipality], scope.issuer, locations)


def freshest_points(scope: Scope, locations: Locations) -> bytes:
    """CRLDistributionPoints (DER) of the scope's delta list, or nothing when lists have no location."""
    url = list_url(scope, locations)
    if url is None:
        return b""
    name = uri(f"{url.removesuffix('.crl')}.delta.crl")
    return der.sequence(der.sequence(der.explicit(0, der.explicit(0, name))))


def issuing_distribution_point(scope: Scope, point: bytes) -> bytes:
    """IssuingDistributionPoint: the name, and onlyContainsUserCerts [1] for a municipality or onlyContainsCACerts [2]
    for the authority's own list. The other flags are DEFAULT FALSE and so absent (RFC 5280 §5.2.5)."""
    return der.sequence(point, der.implicit(2 if scope.municipality is None else 1, b"\xff"))
