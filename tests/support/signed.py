"""Documents signed with a software card: CMS by OpenSSL, PDF by pyHanko, XML by signxml."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore
from signxml.algorithms import SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.xades.xades import XAdESSigner

from tests.support.consents import SoftwareCard

CONTENT = "契約書\nThe parties agree.\n".encode()
XML = "<contract xmlns='urn:example'><price unit='円'>1000</price></contract>".encode()


def pem_of(card: SoftwareCard) -> bytes:
    return card.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def openssl_cms(
    card: SoftwareCard, *options: str, content: bytes = CONTENT, also: Sequence[SoftwareCard] = ()
) -> bytes:
    """What `openssl cms -sign` makes of the content, in DER: detached unless `-nodetach` is among the options."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        signing: list[str] = []
        for number, one in enumerate((card, *also)):
            certificate = x509.load_der_x509_certificate(one.certificate).public_bytes(Encoding.PEM)
            (folder / f"{number}.cer").write_bytes(certificate)
            (folder / f"{number}.key").write_bytes(pem_of(one))
            signing += ["-signer", f"{number}.cer", "-inkey", f"{number}.key"]
        (folder / "content").write_bytes(content)
        command = ["openssl", "cms", "-sign", "-binary", "-in", "content", "-outform", "DER", *signing, *options]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


@lru_cache(maxsize=1)
def plain_pdf() -> bytes:
    """One page with a price on it."""
    writer = PdfFileWriter()  # type: ignore[no-untyped-call]
    content = writer.add_object(generic.StreamObject(stream_data=b"BT /F1 12 Tf 72 720 Td (1000) Tj ET"))
    page = PageObject(contents=content, media_box=(0, 0, 595, 842))  # type: ignore[no-untyped-call]
    writer.insert_page(page)  # type: ignore[no-untyped-call]
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def signer_of(card: SoftwareCard) -> signers.SimpleSigner:
    return signers.SimpleSigner(
        asn1_x509.Certificate.load(card.certificate),
        keys.PrivateKeyInfo.load(card.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        SimpleCertificateStore(),  # type: ignore[no-untyped-call]
    )


def signed_pdf(card: SoftwareCard, pdf: bytes | None = None, field: str = "Signature1", **options: Any) -> bytes:
    """The PDF with one more signature, as PAdES has it."""
    values: dict[str, Any] = {"field_name": field, "subfilter": SigSeedSubFilter.PADES, "md_algorithm": "sha256"}
    stamper = options.pop("timestamper", None)
    meta = signers.PdfSignatureMetadata(**values | options)
    writer = IncrementalPdfFileWriter(BytesIO(pdf or plain_pdf()))
    out: BytesIO = signers.sign_pdf(writer, meta, signer_of(card), timestamper=stamper)
    return out.getvalue()


def changed_pdf(pdf: bytes) -> bytes:
    """Another price written over the page, in an update behind what was signed."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=RawContent(b"(9000) Tj").render()))
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def dressed_pdf(card: SoftwareCard, pdf: bytes) -> bytes:
    """The PDF with material for long-term validation behind what was signed."""
    stream = BytesIO(pdf)
    certificate = asn1_x509.Certificate.load(card.certificate)
    DocumentSecurityStore.add_dss(stream, None, certs=[certificate])
    return stream.getvalue()


def xades_xml(card: SoftwareCard, xml: bytes = XML) -> bytes:
    """The XML with a XAdES signature inside."""
    certificate = x509.load_der_x509_certificate(card.certificate).public_bytes(Encoding.PEM).decode()
    assert isinstance(card.key, rsa.RSAPrivateKey)
    signed = XAdESSigner().sign(etree.fromstring(xml), key=card.key, cert=certificate)
    return bytes(etree.tostring(signed))


def signed_xml(
    card: SoftwareCard, xml: bytes = XML, *, enveloping: bool = False, reference_uri: str | None = None
) -> bytes:
    """The XML with a signature inside, or inside a signature; over all of it or the element with an id."""
    options: dict[str, Any] = {}
    method = SignatureConstructionMethod.enveloping if enveloping else SignatureConstructionMethod.enveloped
    assert not isinstance(card.key, ed25519.Ed25519PrivateKey)
    if isinstance(card.key, ec.EllipticCurvePrivateKey):
        options["signature_algorithm"] = SignatureMethod.ECDSA_SHA384
    signer = XMLSigner(method=method, **options)
    certificate = x509.load_der_x509_certificate(card.certificate).public_bytes(Encoding.PEM).decode()
    signed = signer.sign(etree.fromstring(xml), key=card.key, cert=certificate, reference_uri=reference_uri)
    return bytes(etree.tostring(signed))
