"""Signed documents in CMS (RFC 5652), with the content inside or apart. pyHanko verifies; this says what is accepted.

pyHanko is an extra: pip install 'jpki-verify[cms]'.
"""

from __future__ import annotations

import hashlib
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1

from jpki_verify.rejection import Code, Rejected

LARGEST = 64 << 20
_MOST_CERTIFICATES = 16
_STRONG = ("sha256", "sha384", "sha512")


class SignedDocument:
    """A CMS SignedData by one signer, whose certificate is inside. Nothing is verified until `content` is called."""

    def __init__(self, octets: bytes) -> None:
        """Raises Rejected(BAD_DOCUMENT), and Rejected(MISSING_PART) without the library."""
        _library()
        if len(octets) > LARGEST:
            raise Rejected(Code.BAD_DOCUMENT, f"a signed document has at most {LARGEST >> 20} MiB")
        try:
            self._signed = _signed_data(octets)
            (self._signer,) = self._signed["signer_infos"]
            self._attached = self._signed["encap_content_info"]["content"].native
            self.certificate, self._certificate = self._find_certificate()
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise Rejected(
                Code.BAD_DOCUMENT, "want CMS SignedData in DER with one signer, its certificate and signed attributes"
            ) from None

    def content(self, document: bytes | None) -> bytes:
        """What was signed: the content inside, or the `document` beside it, never one of two.

        Raises Rejected(BAD_DOCUMENT) when there is none or two, Rejected(BAD_SIGNATURE).
        """
        inside = self._attached
        if (inside is None) is (document is None):
            want = "give the document that was signed" if inside is None else "the content is inside; give no document"
            raise Rejected(Code.BAD_DOCUMENT, want)
        content: bytes = document if inside is None else inside  # type: ignore[assignment]
        algorithm = self._signer["digest_algorithm"]["algorithm"].native
        if algorithm not in _STRONG or not self._intact(hashlib.new(algorithm, content).digest()):
            raise Rejected(Code.BAD_SIGNATURE, "the signature does not belong to this document")
        return content

    def _find_certificate(self) -> tuple[bytes, asn1.Certificate]:
        """The one certificate that the signer is named by."""
        found = [choice.chosen for choice in self._signed["certificates"] if choice.name == "certificate"]
        # Without signed attributes nothing binds the signature to what kind of content it is about.
        if len(found) > _MOST_CERTIFICATES or not isinstance(self._signer["signed_attrs"], cms.CMSAttributes):
            raise ValueError("many certificates, or no attributes")
        sid = self._signer["sid"]
        for certificate in found:
            if sid.name == "subject_key_identifier":
                named = certificate.key_identifier == sid.native
            else:
                by = sid.chosen
                named = certificate.issuer == by["issuer"] and certificate.serial_number == by["serial_number"].native
            if named:
                return certificate.dump(), certificate
        raise ValueError("no certificate")

    def _intact(self, digest: bytes) -> bool:
        library = _library()
        try:
            intact, valid = library.validate_sig_integrity(
                self._signer,
                self._certificate,
                expected_content_type=self._signed["encap_content_info"]["content_type"].native,
                actual_digest=digest,
            )
            named = library.get_signing_cert_attr(self._signer["signed_attrs"])
            own = named is None or library.check_ess_certid(self._certificate, named["certs"][0])
        except Exception:
            return False
        return bool(intact and valid and own)


def _signed_data(octets: bytes) -> Any:
    outer = cms.ContentInfo.load(octets, strict=True)
    if outer["content_type"].native != "signed_data":
        raise ValueError("other content")
    return outer["content"]


def _library() -> Any:
    try:
        from pyhanko.sign.validation import generic_cms
    except ImportError:
        raise Rejected(Code.MISSING_PART, "signed documents need an extra: pip install 'jpki-verify[cms]'") from None
    return generic_cms
