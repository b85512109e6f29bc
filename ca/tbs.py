"""TBSCertificate octets of a plan, written without any key."""

from __future__ import annotations

from ca.extensions import encode_extensions
from domain import der
from domain.names import encode_name
from policies.plan import CertificatePlan

_VERSION_3 = der.explicit(0, der.integer(2))


def build_tbs(plan: CertificatePlan, algorithm: bytes) -> bytes:
    """TBSCertificate (DER), RFC 5280 §4.1. `algorithm` is the issuing signer's AlgorithmIdentifier.

    The issuer name is the issuer's subject octet for octet, never a name built anew (§4.1.2.4, §7.1).
    Raises Refusal(BAD_PLAN) when the plan lacks something that its profile writes.
    """
    subject = encode_name(plan.subject)
    return der.sequence(
        _VERSION_3,
        der.integer(plan.serial.value),
        algorithm,
        plan.issuer.subject if plan.issuer else subject,
        der.sequence(der.time(plan.validity.not_before), der.time(plan.validity.not_after)),
        subject,
        plan.spki,
        der.explicit(3, encode_extensions(plan)),
    )
