"""pkilint, the linter for RFC 5280 and RFC 6960: the codes of what it finds.

The same parts in the same order as its programs lint_pkix_cert, lint_crl -p PKIX, lint_ocsp_response and
lint_pkix_signer_signee_cert_chain, without the start of a program for each look.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pkilint import loader, pkix
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain
from pkilint.pkix import certificate, crl, extension, name, ocsp


def lint_certificate(octets: bytes) -> set[str]:
    """The codes of what the linter of certificates by RFC 5280 finds."""
    return _codes(_certificate_linter().validate(loader.load_certificate(octets, "certificate").root))


def lint_list(octets: bytes) -> set[str]:
    """The codes of what the linter of revocation lists finds."""
    document = loader.RFC5280CertificateListDocumentLoader().load_document(octets, "list")
    return _codes(_list_linter().validate(document.root))


def lint_answer(octets: bytes) -> set[str]:
    """The codes of what the linter of OCSP answers finds."""
    return _codes(_answer_linter().validate(loader.load_ocsp_response(octets, "answer").root))


def lint_chain(issuer: bytes, subject: bytes) -> set[str]:
    """The codes of what the linter of an issuer's certificate with one that it issued finds."""
    documents: dict[str, Any] = {}
    for role, octets in (("issuer", issuer), ("subject", subject)):
        documents[role] = loader.RFC5280CertificateDocumentLoader().load_document(octets, role, role, documents)
    above, below = documents["issuer"].root, documents["subject"].root
    decoding = chain.create_decoder_validation_container()
    return _codes(
        (
            *decoding.validate(above),
            *decoding.validate(below),
            *chain.create_issuer_validation_container().validate(above),
            *chain.create_subject_validation_container().validate(below),
        )
    )


@cache
def _certificate_linter() -> Any:
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


@cache
def _list_linter() -> Any:
    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


@cache
def _answer_linter() -> Any:
    return ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )


def _codes(results: Iterable[Any]) -> set[str]:
    return {finding.finding.code for result in results for finding in result.finding_descriptions}
