"""The to-be-signed octets of a revocation list."""

from __future__ import annotations

from crl.octets import ListOctets
from crl.plan import ListPlan
from crl.scope import issuing_distribution_point
from domain import der, oids

_V2 = 1


def build_tbs_crl(plan: ListPlan, octets: ListOctets) -> None:
    """Complete entries to a TBSCertList (RFC 5280 §5.1): version 2, the plan's fields, the entries in their order, and
    the extensions authorityKeyIdentifier, cRLNumber and (critical) issuingDistributionPoint.

    A list without entries has no revokedCertificates at all (§5.1.2.6).
    """
    put_fields(plan, octets)
    octets.put_behind(der.explicit(0, der.sequence(*_extensions(plan))))
    octets.enclose()


def put_fields(plan: ListPlan, octets: ListOctets) -> None:
    """Put what stands before the extensions around the entries."""
    if octets.entries:
        octets.enclose()
    octets.put_before(
        b"".join(
            (
                der.integer(_V2),
                plan.algorithm,
                plan.issuer.subject,
                der.time(plan.this_update),
                der.time(plan.next_update),
            )
        )
    )


def _extensions(plan: ListPlan) -> tuple[bytes, ...]:
    found = (
        extension(oids.AUTHORITY_KEY_IDENTIFIER, der.sequence(der.implicit(0, plan.issuer.key_identifier))),
        extension(oids.CRL_NUMBER, der.integer(plan.number)),
        extension(oids.ISSUING_DISTRIBUTION_POINT, issuing_distribution_point(plan.scope, plan.point), critical=True),
    )
    return (*found, extension(oids.FRESHEST_CRL, plan.freshest)) if plan.freshest else found


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """One Extension (DER). `critical` FALSE is the DEFAULT and so absent."""
    return der.sequence(der.oid(oid), der.boolean(True) if critical else b"", der.octet_string(value))
