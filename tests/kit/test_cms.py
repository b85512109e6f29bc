"""Signed documents in CMS, made by OpenSSL, pyca and by hand; and what is refused of them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7

from jpki_verify import Code, Rejected, Verifier
from tests.support.judges import run
from tests.support.operator import card_signs
from tests.support.requests import holder_key
from tests.support.specimens import holder_certificate, open_verifier

DOCUMENT = "契約書\r\n".encode() * 20


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    return open_verifier(tmp_path_factory.mktemp("cms"))


def code_of(verifier: Verifier, signed: bytes, document: bytes | None = None) -> Code | None:
    try:
        verifier.check_cms(signed, document)
    except Rejected as rejected:
        return rejected.code
    return None


def certificate_and_key(profile: str) -> tuple[bytes, Any]:
    return holder_certificate(profile), holder_key("ec" if profile.endswith("p384") else "rsa")


def by_pyca(profile: str, *, attached: bool) -> bytes:
    certificate, key = certificate_and_key(profile)
    hasher = hashes.SHA384() if profile.endswith("p384") else hashes.SHA256()
    options = [pkcs7.PKCS7Options.Binary, *([] if attached else [pkcs7.PKCS7Options.DetachedSignature])]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(DOCUMENT)
    built = builder.add_signer(x509.load_der_x509_certificate(certificate), key, hasher)
    return built.sign(Encoding.DER, options)


def by_openssl(folder: Path, profile: str, *options: str) -> bytes:
    certificate, key = certificate_and_key(profile)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "cert.pem").write_bytes(x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM))
    (folder / "document").write_bytes(DOCUMENT)
    run(
        "openssl", "cms", "-sign", "-binary", "-in", folder / "document", "-outform", "DER", "-out", folder / "signed",
        "-signer", folder / "cert.pem", "-inkey", folder / "key.pem", *options,
    )  # fmt: skip
    return (folder / "signed").read_bytes()


@pytest.mark.parametrize("profile", ["signature-rsa2048", "signature-p384"])
@pytest.mark.parametrize("attached", [True, False], ids=["inside", "beside"])
def test_a_document_signed_by_pyca(verifier: Verifier, profile: str, attached: bool) -> None:
    found = verifier.check_cms(by_pyca(profile, attached=attached), None if attached else DOCUMENT)
    assert found.items
    assert found.items.name == "霧島　透子"


@pytest.mark.parametrize("profile", ["signature-rsa2048", "signature-p384"])
@pytest.mark.parametrize(
    ("options", "inside"),
    [
        pytest.param(("-md", "sha256", "-nodetach"), True, id="inside"),
        pytest.param(("-md", "sha384", "-cades"), False, id="beside-with-the-signer-s-certificate-named"),
        pytest.param(("-md", "sha512", "-keyid", "-nosmimecap"), False, id="named-by-key"),
    ],
)
def test_a_document_signed_by_openssl(
    verifier: Verifier, tmp_path: Path, profile: str, options: tuple[str, ...], inside: bool
) -> None:
    assert code_of(verifier, by_openssl(tmp_path, profile, *options), None if inside else DOCUMENT) is None


def test_a_document_belongs_to_its_signature(verifier: Verifier) -> None:
    beside, inside = (by_pyca("signature-rsa2048", attached=attached) for attached in (False, True))
    assert code_of(verifier, beside, DOCUMENT + b"x") is Code.BAD_SIGNATURE
    assert code_of(verifier, inside.replace(DOCUMENT, DOCUMENT[:-1] + b"x")) is Code.BAD_SIGNATURE
    assert code_of(verifier, beside) is Code.BAD_DOCUMENT, "nothing was signed that can be seen"
    assert code_of(verifier, inside, DOCUMENT) is Code.BAD_DOCUMENT, "which of the two?"


@pytest.mark.parametrize("options", [("-md", "sha1"), ("-noattr", "-md", "sha256"), ("-nocerts", "-md", "sha256")])
def test_openssl_can_sign_what_is_not_taken(verifier: Verifier, tmp_path: Path, options: tuple[str, ...]) -> None:
    signed = by_openssl(tmp_path, "signature-rsa2048", *options)
    wanted = Code.BAD_SIGNATURE if "sha1" in options else Code.BAD_DOCUMENT
    assert code_of(verifier, signed, DOCUMENT) is wanted


def test_an_authentication_certificate_signs_no_documents(verifier: Verifier) -> None:
    assert code_of(verifier, by_pyca("authentication-rsa2048", attached=True)) is Code.WRONG_KIND


def changed(change: Callable[[Any], None]) -> bytes:
    """A document signed beside its content, with something changed and the signature made anew."""
    outer = cms.ContentInfo.load(by_pyca("signature-rsa2048", attached=False))
    signed = outer["content"]
    signer = signed["signer_infos"][0]
    change(signed)
    attributes = signer["signed_attrs"]
    if isinstance(attributes, cms.CMSAttributes):
        octets = attributes.untag().dump(force=True)
        signer["signature"] = card_signs(holder_key("rsa"), octets)
    return bytes(outer.dump(force=True))


def attribute(name: str, *values: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": name, "values": list(values)})


def set_attributes(*attributes: cms.CMSAttribute) -> Callable[[Any], None]:
    def change(signed: Any) -> None:
        signed["signer_infos"][0]["signed_attrs"] = cms.CMSAttributes(list(attributes))

    return change


DIGEST = attribute("message_digest", hashlib.sha256(DOCUMENT).digest())
CONTENT = attribute("content_type", "data")


def signing_certificate(number: int) -> cms.CMSAttribute:
    """The attribute that binds a signature to a certificate (RFC 5035)."""
    digest = hashlib.sha256(holder_certificate("signature-rsa2048", number)).digest()
    return attribute("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [{"cert_hash": digest}]}))


def twice(signed: Any) -> None:
    signed["signer_infos"].append(signed["signer_infos"][0].copy())


def nobody(signed: Any) -> None:
    signed["signer_infos"] = cms.SignerInfos([])


def weak(signed: Any) -> None:
    signed["signer_infos"][0]["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "md5"})


def another_certificate(signed: Any) -> None:
    signed["certificates"] = [asn1.Certificate.load(holder_certificate("signature-rsa2048", 4))]


def test_what_is_made_by_hand_passes_while_nothing_is_wrong(verifier: Verifier) -> None:
    assert code_of(verifier, changed(set_attributes(CONTENT, DIGEST)), DOCUMENT) is None, (
        "so those below have one fault"
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(set_attributes(CONTENT), Code.BAD_SIGNATURE, id="no-digest"),
        pytest.param(set_attributes(DIGEST), Code.BAD_SIGNATURE, id="no-content-type"),
        pytest.param(set_attributes(CONTENT, DIGEST, DIGEST), Code.BAD_SIGNATURE, id="two-digests"),
        pytest.param(
            set_attributes(attribute("content_type", "enveloped_data"), DIGEST),
            Code.BAD_SIGNATURE,
            id="another-content-type",
        ),
        pytest.param(
            set_attributes(CONTENT, attribute("message_digest", bytes(32))), Code.BAD_SIGNATURE, id="another-digest"
        ),
        pytest.param(
            set_attributes(CONTENT, DIGEST, signing_certificate(4)),
            Code.BAD_SIGNATURE,
            id="signed-for-another-certificate",
        ),
        pytest.param(weak, Code.BAD_SIGNATURE, id="a-weak-hash"),
        pytest.param(twice, Code.BAD_DOCUMENT, id="two-signers"),
        pytest.param(nobody, Code.BAD_DOCUMENT, id="no-signer"),
        pytest.param(another_certificate, Code.BAD_DOCUMENT, id="somebody-else-s-certificate"),
    ],
)
def test_what_is_signed_and_still_wrong(verifier: Verifier, change: Callable[[Any], None], code: Code) -> None:
    assert code_of(verifier, changed(change), DOCUMENT) is code


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"%PDF-1.7", id="another-format"),
        pytest.param(b"\x30\x80" * 5000, id="nested-without-end"),
        pytest.param(b"\x30\x84\xff\xff\xff\xff", id="a-length-that-is-not-there"),
        pytest.param(by_pyca("signature-rsa2048", attached=True)[:-5], id="cut-short"),
        pytest.param(by_pyca("signature-rsa2048", attached=True) + b"\x00", id="octets-behind"),
        pytest.param(cms.ContentInfo({"content_type": "data", "content": b"x"}).dump(), id="not-signed"),
        pytest.param(b"\x30" * ((64 << 20) + 1), id="huge"),
    ],
)
def test_what_is_no_signed_document(verifier: Verifier, octets: bytes) -> None:
    assert code_of(verifier, octets, DOCUMENT) is Code.BAD_DOCUMENT


def test_without_the_extra_it_is_said_what_to_install(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyhanko.sign.validation", None)
    with pytest.raises(Rejected) as caught:
        verifier.check_cms(by_pyca("signature-rsa2048", attached=True))
    assert caught.value.code is Code.MISSING_PART
    assert "pip install 'jpki-verify[cms]'" in caught.value.detail
