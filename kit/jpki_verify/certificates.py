"""Holders' certificates: who issued them, of which kind they are, and whether they are as their profile says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from jpki_verify.anchors import Anchor, find_anchor, fingerprint, read_certificate, within
from jpki_verify.extensions import extension
from jpki_verify.rejection import Code, Rejected
from jpki_verify.settings import Kind, Trust
from jpki_verify.signatures import PublicKey, key_of

# What is looked at below, or says nothing that could forbid a use. Anything else that is critical is refused
# (RFC 5280 §4.2), whatever the library may know about it.
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
_WORDS = {Kind.SIGNATURE: "signing", Kind.AUTHENTICATION: "authentication"}


@dataclass(frozen=True, slots=True, repr=False)
class Holder:
    """A certificate that one of the anchors issued, that is valid now and as its profile says. It prints nothing of
    itself, and lives no longer than the question that it belongs to."""

    certificate: x509.Certificate
    anchor: Anchor
    key: PublicKey

    @property
    def kind(self) -> Kind:
        """The kind of its authority, which its policies agree with."""
        return self.anchor.kind

    @property
    def der(self) -> bytes:
        """Its octets, for the authority alone."""
        return self.certificate.public_bytes(Encoding.DER)


def accept(octets: bytes, kind: Kind, anchors: tuple[Anchor, ...], trust: Trust, now: datetime) -> Holder:
    """The certificate (DER or PEM) of a holder, of that kind.

    Raises Rejected: NO_CERTIFICATE, UNKNOWN_ISSUER, WRONG_KIND, WRONG_PROFILE, NOT_YET_VALID or EXPIRED, in this order.
    """
    certificate = read_certificate(octets)
    anchor = find_anchor(anchors, certificate)
    if anchor is None or fingerprint(certificate) in trust.distrusted:
        raise Rejected(Code.UNKNOWN_ISSUER, "none of the trusted authorities issued this certificate")
    if not within(anchor.certificate, now):
        raise Rejected(Code.UNKNOWN_ISSUER, "the authority that issued this certificate is not valid any more")
    policies = _policies(certificate)
    if anchor.kind is not kind or policies & trust.policies[_other(kind)]:
        raise Rejected(
            Code.WRONG_KIND, f"this is not a certificate for {_WORDS[kind]}; ask for the {_WORDS[kind]} certificate"
        )
    key = key_of(certificate)
    faults = list(_faults(certificate, kind, key, policies & trust.policies[kind]))
    if faults or key is None:
        raise Rejected(Code.WRONG_PROFILE, "the certificate is not as its profile says: " + "; ".join(faults))
    if now < certificate.not_valid_before_utc:
        raise Rejected(Code.NOT_YET_VALID, "the certificate is not valid yet; is the clock right?")
    if now > certificate.not_valid_after_utc:
        raise Rejected(Code.EXPIRED, "the certificate has expired; ask for the new one")
    return Holder(certificate, anchor, key)


def _other(kind: Kind) -> Kind:
    return Kind.AUTHENTICATION if kind is Kind.SIGNATURE else Kind.SIGNATURE


def _faults(
    certificate: x509.Certificate, kind: Kind, key: PublicKey | None, policies: frozenset[str]
) -> Iterator[str]:
    if certificate.version is not x509.Version.v3:
        yield "it is not of version 3"
    match key:
        case rsa.RSAPublicKey():
            pass
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            pass
        case _:
            yield "its key is neither RSA of 2048 to 4096 bits nor P-384"
    usage = extension(certificate, x509.KeyUsage)
    if usage is None or not _usage_fits(usage, kind):
        yield "its key usage is another"
    extended = extension(certificate, x509.ExtendedKeyUsage)
    wanted = [ExtendedKeyUsageOID.CLIENT_AUTH] if kind is Kind.AUTHENTICATION else []
    if extended is not None and list(extended) != wanted:
        yield "its extended key usage is another"
    if not policies:
        yield "it was not issued under a policy that you trust"
    basic = extension(certificate, x509.BasicConstraints)
    if basic is not None and basic.ca:
        yield "it belongs to an authority"
    if any(extension.critical and extension.oid not in _UNDERSTOOD for extension in certificate.extensions):
        yield "it has a critical extension that is not known here"


def _usage_fits(usage: x509.KeyUsage, kind: Kind) -> bool:
    """digitalSignature, and contentCommitment in signing certificates alone; nothing else."""
    others = (usage.key_encipherment, usage.data_encipherment, usage.key_agreement, usage.key_cert_sign, usage.crl_sign)
    return usage.digital_signature and usage.content_commitment is (kind is Kind.SIGNATURE) and not any(others)


def _policies(certificate: x509.Certificate) -> frozenset[str]:
    found = extension(certificate, x509.CertificatePolicies)
    return frozenset(policy.policy_identifier.dotted_string for policy in found or ())
