"""XML signatures (XMLDSig, XAdES): one signature over the whole document. Runs in the sandbox."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from domain.validations import Reason
from validation.cms_signature import whole
from validation.finding import Examination, Finding, SigningTime, unread

_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_CANONICAL = frozenset(
    (
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    )
)
_METHODS = frozenset(
    getattr(SignatureMethod, f"{kind}_SHA{size}") for kind in ("RSA", "ECDSA") for size in (256, 384, 512)
)
_DIGESTS = frozenset(getattr(DigestAlgorithm, f"SHA{size}") for size in (256, 384, 512))
_SPACES = frozenset(
    (
        "http://www.w3.org/2000/09/xmldsig#",
        "http://www.w3.org/2009/xmldsig11#",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://uri.etsi.org/01903/v1.3.2#",
        "http://uri.etsi.org/01903/v1.4.1#",
    )
)
_IDS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")


def find_xml(examination: Examination, _authorities: Sequence[bytes]) -> Finding:
    """What is to be said of the one signature in an XML document. Raises Refusal(BAD_DOCUMENT), and what the parser
    raises.

    Accepted is a signature directly below the root over the whole document, or one that is the root over its only
    object, and besides over its own properties (XAdES) and key. So nothing is in the document that the signature does
    not cover, wherever a reader may look (signature wrapping), but for parts of the signature in their own namespaces.
    """
    root = _parse(examination.document)
    signature = _signature(root)
    references = _require_shape(root, signature)
    certificate = x509.load_der_x509_certificate(examination.certificate)
    if not _names(signature, examination.certificate):
        return Finding((Reason.OTHER_CERTIFICATE,))
    if _weak(signature):
        return Finding((Reason.WEAK_ALGORITHM,))
    expected = SignatureConfiguration(
        location="./",
        expect_references=references,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=certificate.not_valid_before_utc,  # its validity is judged elsewhere
    )
    try:
        XMLVerifier().verify(examination.document, x509_cert=certificate, expect_config=expected, parser=_parser())
    except InvalidInput:
        raise unread("the XML signature is not in a form that is read here") from None
    except InvalidSignature:
        return Finding((Reason.SIGNATURE_WRONG,))
    return Finding((), _claimed(signature))


def load_schemas() -> None:
    """Open the files that verification wants now, and not later."""
    XMLVerifier.schemas()  # type: ignore[no-untyped-call]


def _parser() -> etree.XMLParser:
    """Loads nothing, resolves nothing, and refuses trees of unreasonable depth."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _parse(octets: bytes) -> Any:
    try:
        root = etree.fromstring(octets, _parser())
    except etree.XMLSyntaxError:
        raise unread("the document is not well-formed XML") from None
    described = root.getroottree().docinfo
    if described.internalDTD is not None or described.externalDTD is not None:
        raise unread("XML with a document type is not read: it could name entities")
    if next(root.iter(etree.Comment), None) is not None:
        raise unread("the XML has comments, which signatures do not cover")
    ids = Counter(value for element in root.iter(etree.Element) for name in _IDS if (value := element.get(name)))
    if any(count > 1 for count in ids.values()):
        raise unread("two elements of the XML have the same id")
    return root


def _signature(root: Any) -> Any:
    signatures = [*root.iter(f"{_DS}Signature")]
    if len(signatures) != 1:
        raise unread("the XML must have exactly one signature")
    (signature,) = signatures
    if signature is not root and signature.getparent() is not root:
        raise unread("the XML signature must stand directly below the root, or be the root")
    return signature


def _require_shape(root: Any, signature: Any) -> int:
    """How many references there are: one to the whole content, and at most one each to parts of the signature itself,
    the signed properties and the key."""
    content = root
    if signature is root:
        every = signature.findall(f"{_DS}Object")
        objects = [one for one in every if one.find(f"{_XADES}QualifyingProperties") is None]
        if len(objects) != 1:
            raise unread("the XML signature must have exactly one object that it is over")
        (content,) = objects
    inside = set(content.iter()) if signature is root else ()
    if any(one not in inside and etree.QName(one).namespace not in _SPACES for one in signature.iter(etree.Element)):
        raise unread("there is something in the XML signature that is no part of one")
    of_signature = [
        *signature.findall(f"{_DS}Object/{_XADES}QualifyingProperties/{_XADES}SignedProperties"),
        *signature.findall(f"{_DS}KeyInfo"),
    ]
    references = signature.findall(f"{_DS}SignedInfo/{_DS}Reference")
    over = [one for one in references if _means(one, content, whole_document=signature is not root)]
    if len(over) != 1:
        raise unread("the XML signature is not over the whole document, once")
    for reference in references:
        if reference not in over and not any(_means(reference, part, whole_document=False) for part in of_signature):
            raise unread("the XML signature refers to something beside the document and itself")
        transforms = [one.get("Algorithm") for one in reference.findall(f"{_DS}Transforms/{_DS}Transform")]
        enveloped = transforms.count(_ENVELOPED)
        if enveloped != (reference in over and signature is not root) or not _CANONICAL.issuperset(
            transform for transform in transforms if transform != _ENVELOPED
        ):
            raise unread("the XML signature changes the document before it signs it, in ways that are not read here")
    return len(references)


def _means(reference: Any, element: Any, *, whole_document: bool) -> bool:
    uri = reference.get("URI")
    if uri == "":
        return whole_document
    return uri is not None and uri[:1] == "#" and any(element.get(name) == uri[1:] for name in _IDS)


def _names(signature: Any, certificate: bytes) -> bool:
    """Whether the certificate is among those that the signature brings along, if it does."""
    brought = signature.findall(f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate")
    return not brought or certificate in [base64.b64decode(one.text or "") for one in brought]


def _weak(signature: Any) -> bool:
    method = signature.find(f"{_DS}SignedInfo/{_DS}SignatureMethod")
    digests = signature.findall(f"{_DS}SignedInfo/{_DS}Reference/{_DS}DigestMethod")
    named = [method, *digests]
    accepted = {one.value for one in (*_METHODS, *_DIGESTS)}
    return any(one is None or one.get("Algorithm") not in accepted for one in named)


def _claimed(signature: Any) -> SigningTime | None:
    path = f"{_DS}Object/{_XADES}QualifyingProperties/{_XADES}SignedProperties//{_XADES}SigningTime"
    said = signature.findtext(path)
    try:
        return SigningTime(whole(datetime.fromisoformat(said.strip())), proven=False) if said else None
    except ValueError:
        return None
