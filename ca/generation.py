"""Key generations of an authority: their self-signed certificates, and their OCSP responders' certificates."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from ca.lint import lint_tbs
from ca.octets import PARSING_FAULTS, key_bits, tbs_fields, tbs_of
from ca.signature import sign_certificate
from ca.tbs import build_tbs
from domain.certificates import Issuer, IssuerId, Kind, Validity
from domain.errors import Code, Refusal
from domain.ports import Signer
from policies.keys import key_identifier
from policies.plan import CertificatePlan


def certify_authority(plan: CertificatePlan, signer: Signer) -> bytes:
    """The self-signed certificate (DER) of a key generation; `signer` holds the key that the plan certifies.

    Raises Refusal(LINT), Refusal(BAD_PLAN), and Refusal(SIGNER_UNAVAILABLE) when the signer holds another key.
    """
    return _certify(plan, signer)


def certify_responder(plan: CertificatePlan, signer: Signer) -> bytes:
    """The certificate (DER) of an OCSP responder, signed by the key it answers for (RFC 6960 §4.2.2.2).

    Raises as `certify_authority` does.
    """
    return _certify(plan, signer)


def _certify(plan: CertificatePlan, signer: Signer) -> bytes:
    tbs = build_tbs(plan, signer.algorithm)
    return sign_certificate(lint_tbs(tbs, plan.profile, plan.issuer, signer.algorithm), signer, plan.issuer)


def issuer_of(certificate: bytes, issuer: IssuerId, kind: Kind) -> Issuer:
    """The public face of the key generation whose self-signed certificate (DER) this is.

    The names are kept octet for octet. Raises Refusal(BAD_CONFIGURATION) when it is not the certificate of an
    authority that signs certificates and lists, or not signed by itself.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        parsed.verify_directly_issued_by(parsed)
        constraints = parsed.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        fields = tbs_fields(tbs_of(certificate))
    except (InvalidSignature, x509.ExtensionNotFound, *PARSING_FAULTS):
        raise _no_authority(issuer) from None
    if not (constraints.ca and usage.key_cert_sign and usage.crl_sign):
        raise _no_authority(issuer)
    bits = key_bits(fields.spki)
    return Issuer(
        id=issuer,
        kind=kind,
        certificate=certificate,
        subject=fields.subject,
        spki=fields.spki,
        public_key=bits,
        key_identifier=key_identifier(bits),
        validity=Validity(parsed.not_valid_before_utc, parsed.not_valid_after_utc),
    )


def _no_authority(issuer: IssuerId) -> Refusal:
    return Refusal(
        Code.BAD_CONFIGURATION,
        f"the certificate of issuer {issuer} is not the self-signed certificate of an authority; check the file",
    )
