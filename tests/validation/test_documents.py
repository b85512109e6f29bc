"""Signed documents by other hands: found valid, and not valid when the content or the signer is another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.validations import Format, Reason
from tests.support.consents import SoftwareCard
from tests.support.house import House
from tests.support.signed import (
    CONTENT,
    changed_pdf,
    dressed_pdf,
    openssl_cms,
    plain_pdf,
    signed_pdf,
    signed_xml,
    xades_xml,
)
from tests.support.validation import issue_card
from validation.answer import validate
from validation.parts import Validation
from validation.receipt import Receipt

Make = Callable[[SoftwareCard], bytes]


def found(
    validation: Validation, card: SoftwareCard, format_: Format, document: bytes, signature: bytes | None = None
) -> Receipt:
    return validate(validation, card.request(format=format_, document=document, signature=signature)).content


def refused(
    validation: Validation, card: SoftwareCard, format_: Format, document: bytes, signature: bytes | None = None
) -> str:
    with pytest.raises(Refusal) as told:
        found(validation, card, format_, document, signature)
    assert told.value.code is Code.BAD_DOCUMENT
    return told.value.detail


@pytest.fixture
def other(house: House) -> SoftwareCard:
    """Somebody else's."""
    return issue_card(house, 2)[Kind.SIGNATURE]


@pytest.fixture
def next_card(house: House) -> SoftwareCard:
    """Of the next kind, with a key on an elliptic curve."""
    certificate = house.issue(3, house.requests("ec")).certificates[Kind.SIGNATURE]
    return SoftwareCard(certificate, [*house.signing_keys()][-1])


MAKERS = {
    Format.CMS: lambda card: openssl_cms(card, "-nodetach"),
    Format.XML: signed_xml,
    Format.PDF: signed_pdf,
}


@pytest.mark.parametrize("format_", MAKERS, ids=lambda format_: format_.value)
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_signed_document_is_valid(
    validation: Validation, card: SoftwareCard, next_card: SoftwareCard, format_: Format, kind: str
) -> None:
    signer = card if kind == "rsa" else next_card
    receipt = found(validation, signer, format_, MAKERS[format_](signer))
    assert (receipt.valid, receipt.format) == (True, format_)


@pytest.mark.parametrize("format_", MAKERS, ids=lambda format_: format_.value)
def test_a_document_that_another_person_signed_is_not(
    validation: Validation, card: SoftwareCard, other: SoftwareCard, format_: Format
) -> None:
    assert found(validation, card, format_, MAKERS[format_](other)).reasons == (Reason.OTHER_CERTIFICATE,)


@pytest.mark.parametrize("format_", MAKERS, ids=lambda format_: format_.value)
def test_the_authentication_certificate_signs_no_documents(
    validation: Validation, cards: dict[Kind, SoftwareCard], format_: Format
) -> None:
    card = cards[Kind.AUTHENTICATION]
    assert found(validation, card, format_, MAKERS[format_](card)).reasons == (Reason.NOT_FOR_DOCUMENTS,)


@pytest.mark.parametrize(
    "options",
    [(), ("-nocerts",), ("-keyid",), ("-cades",), ("-md", "sha512"), ("-keyopt", "rsa_padding_mode:pss")],
    ids=lambda options: " ".join(options) or "plain",
)
def test_a_cms_signature_beside_its_content_is_valid(
    validation: Validation, card: SoftwareCard, options: tuple[str, ...]
) -> None:
    receipt = found(validation, card, Format.CMS, CONTENT, openssl_cms(card, *options))
    assert receipt.valid
    assert receipt.signing_time is not None
    assert not receipt.signing_time.proven


def test_a_cms_signature_beside_another_content_is_wrong(validation: Validation, card: SoftwareCard) -> None:
    assert found(validation, card, Format.CMS, b"other", openssl_cms(card)).reasons == (Reason.SIGNATURE_WRONG,)


@pytest.mark.parametrize("md", ["sha1", "md5", "sha224"])
def test_weak_digests_are_told(validation: Validation, card: SoftwareCard, md: str) -> None:
    document = openssl_cms(card, "-nodetach", "-md", md)
    assert found(validation, card, Format.CMS, document).reasons == (Reason.WEAK_ALGORITHM,)


def test_changed_content_is_found(validation: Validation, card: SoftwareCard) -> None:
    document = openssl_cms(card, "-nodetach").replace(b"agree", b"never")
    assert found(validation, card, Format.CMS, document).reasons == (Reason.SIGNATURE_WRONG,)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param(("-noattr", "-nodetach"), "no signed attributes", id="bare"),
        pytest.param(("-nodetach", "-econtent_type", "1.2.840.113549.1.9.16.1.4"), "plain data", id="a time stamp"),
        pytest.param((), "the content is not in", id="detached and alone"),
    ],
)
def test_cms_in_other_forms_is_refused(
    validation: Validation, card: SoftwareCard, options: tuple[str, ...], why: str
) -> None:
    assert why in refused(validation, card, Format.CMS, openssl_cms(card, *options))


def test_content_beside_and_inside_is_refused(validation: Validation, card: SoftwareCard) -> None:
    assert "of its own" in refused(validation, card, Format.CMS, CONTENT, openssl_cms(card, "-nodetach"))


def test_two_signers_are_refused(validation: Validation, card: SoftwareCard, other: SoftwareCard) -> None:
    document = openssl_cms(card, "-nodetach", also=[other])
    assert "exactly one signer" in refused(validation, card, Format.CMS, document)


@pytest.mark.parametrize("format_", [Format.CMS, Format.PDF, Format.XML], ids=lambda format_: format_.value)
@pytest.mark.parametrize("octets", [b"\x00", b"%PDF-1.7\n", b"<x/>", b"\x30\x80", CONTENT, plain_pdf()], ids=len)
def test_what_is_no_signed_document_is_refused(
    validation: Validation, card: SoftwareCard, format_: Format, octets: bytes
) -> None:
    assert refused(validation, card, format_, octets)


@pytest.mark.parametrize("format_", [Format.PDF, Format.XML], ids=lambda format_: format_.value)
def test_a_signature_beside_is_for_cms_and_raw(validation: Validation, card: SoftwareCard, format_: Format) -> None:
    with pytest.raises(Refusal) as told:
        found(validation, card, format_, b"document", b"signature")
    assert (told.value.code, told.value.pointer) == (Code.MALFORMED, "/signature")


def test_an_enveloping_xml_signature_is_valid(validation: Validation, card: SoftwareCard) -> None:
    assert found(validation, card, Format.XML, signed_xml(card, enveloping=True)).valid


def test_a_xades_signature_is_valid_and_says_when_it_was_made(validation: Validation, card: SoftwareCard) -> None:
    receipt = found(validation, card, Format.XML, xades_xml(card))
    assert receipt.valid
    assert receipt.signing_time is not None
    assert not receipt.signing_time.proven


def test_changed_properties_of_a_xades_signature_are_found(validation: Validation, card: SoftwareCard) -> None:
    year = str(datetime.now(UTC).year).encode()
    document = xades_xml(card)
    assert year in document
    changed = document.replace(b"SigningTime>" + year, b"SigningTime>1999")
    assert found(validation, card, Format.XML, changed).reasons == (Reason.SIGNATURE_WRONG,)


def test_material_for_long_term_validation_may_be_added_to_a_pdf(validation: Validation, card: SoftwareCard) -> None:
    signed = signed_pdf(card)
    dressed = dressed_pdf(card, signed)
    assert len(dressed) > len(signed)
    assert found(validation, card, Format.PDF, dressed).valid


def test_changed_xml_is_found(validation: Validation, card: SoftwareCard) -> None:
    document = signed_xml(card).replace(b"1000", b"9000")
    assert found(validation, card, Format.XML, document).reasons == (Reason.SIGNATURE_WRONG,)


def test_an_altered_octet_of_a_pdf_is_found(validation: Validation, card: SoftwareCard) -> None:
    document = signed_pdf(card).replace(b"(1000) Tj", b"(9000) Tj")
    assert found(validation, card, Format.PDF, document).reasons == (Reason.SIGNATURE_WRONG,)


def test_a_pdf_says_when_its_signer_signed(validation: Validation, card: SoftwareCard) -> None:
    time = found(validation, card, Format.PDF, signed_pdf(card)).signing_time
    assert time is not None
    assert not time.proven
    assert abs((time.at - datetime.now(UTC)).total_seconds()) < 600


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(lambda card, other: changed_pdf(signed_pdf(card)), "changed after", id="a price written over"),
        pytest.param(
            lambda card, other: signed_pdf(other, signed_pdf(card), "Signature2"), "exactly one", id="two signatures"
        ),
        pytest.param(lambda card, other: signed_pdf(card) + b"\n% more", "behind the end", id="octets behind the end"),
        pytest.param(lambda card, other: plain_pdf(), "exactly one signature", id="no signature"),
    ],
)
def test_a_pdf_that_shows_more_than_was_signed_is_refused(
    validation: Validation, card: SoftwareCard, other: SoftwareCard, make: Callable[..., bytes], why: str
) -> None:
    assert why in refused(validation, card, Format.PDF, make(card, other))


def test_a_hole_that_is_wider_than_the_signature_is_refused(validation: Validation, card: SoftwareCard) -> None:
    """Room that the ranges leave out, behind the signature's digits."""
    document = signed_pdf(card)
    start = document.index(b"/ByteRange [") + len(b"/ByteRange [")
    end = document.index(b"]", start)
    ranges = [int(word) for word in document[start:end].split()]
    wider = b" ".join(b"%d" % number for number in (0, ranges[1], ranges[2] + 9, ranges[3] - 9)).ljust(end - start)
    assert refused(validation, card, Format.PDF, document[:start] + wider + document[end:])
