"""XML made to deceive: wrapped, doubled, commented, transformed, or with entities; none of it is found valid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from domain.errors import Code, Refusal
from domain.validations import Format, Reason
from tests.support.consents import SoftwareCard
from tests.support.signed import signed_xml
from validation.answer import validate
from validation.parts import Validation

DS = "{http://www.w3.org/2000/09/xmldsig#}"


def outcome(validation: Validation, card: SoftwareCard, document: bytes) -> str:
    """The reasons, or why it was refused."""
    try:
        answer = validate(validation, card.request(format=Format.XML, document=document, signature=None))
    except Refusal as refusal:
        if refusal.code is not Code.BAD_DOCUMENT:
            raise
        return refusal.detail
    return " ".join(reason.value for reason in answer.content.reasons)


def moved(signed: bytes, build: Callable[[etree._Element, etree._Element], etree._Element]) -> bytes:
    """Another document around the signature: `build` gets root and signature, and gives the new root."""
    root = etree.fromstring(signed)
    (signature,) = root.iter(f"{DS}Signature")
    return bytes(etree.tostring(build(root, signature)))


def around(root: etree._Element, signature: etree._Element) -> etree._Element:
    outer = etree.Element("{urn:example}contract")
    etree.SubElement(outer, "{urn:example}price").text = "9000"
    outer.append(root)
    return outer


def beside(root: etree._Element, signature: etree._Element) -> etree._Element:
    outer = etree.Element("{urn:example}contract")
    etree.SubElement(outer, "{urn:example}price").text = "9000"
    outer.append(signature)
    root.tail = None
    outer.append(root)
    return outer


def into_object(root: etree._Element, signature: etree._Element) -> etree._Element:
    outer = etree.Element("{urn:example}contract")
    etree.SubElement(outer, "{urn:example}price").text = "9000"
    outer.append(signature)
    holder = etree.SubElement(signature, f"{DS}Object")
    holder.append(root)
    return outer


def deeper(root: etree._Element, signature: etree._Element) -> etree._Element:
    etree.SubElement(root, "{urn:example}annex").append(signature)
    return root


@pytest.mark.parametrize("build", [around, beside, into_object, deeper], ids=lambda build: build.__name__)
def test_a_signature_that_is_moved_is_not_valid(
    validation: Validation, card: SoftwareCard, build: Callable[..., etree._Element]
) -> None:
    assert outcome(validation, card, moved(signed_xml(card), build))


@pytest.mark.parametrize("place", ["Object", "KeyInfo"])
def test_content_inside_the_signature_is_refused(validation: Validation, card: SoftwareCard, place: str) -> None:
    """What the signature covers leaves out the signature itself."""

    def hide(root: etree._Element, signature: etree._Element) -> etree._Element:
        holder = signature.find(f"{DS}KeyInfo") if place == "KeyInfo" else etree.SubElement(signature, f"{DS}Object")
        assert holder is not None
        etree.SubElement(holder, "{urn:example}price").text = "9000"
        return root

    assert "no part of one" in outcome(validation, card, moved(signed_xml(card), hide))


def test_an_enveloping_signature_has_one_content(validation: Validation, card: SoftwareCard) -> None:
    def add(root: etree._Element, signature: etree._Element) -> etree._Element:
        etree.SubElement(etree.SubElement(signature, f"{DS}Object"), "{urn:example}price").text = "9000"
        return root

    assert "exactly one object" in outcome(validation, card, moved(signed_xml(card, enveloping=True), add))


def with_id(card: SoftwareCard) -> bytes:
    """Signed by the id of its root."""
    xml = b"<contract xmlns='urn:example' Id='all'><price>1000</price></contract>"
    return signed_xml(card, xml, reference_uri="#all")


def test_a_reference_to_the_root_by_its_id_is_valid(validation: Validation, card: SoftwareCard) -> None:
    assert outcome(validation, card, with_id(card)) == ""


def test_a_signature_over_a_part_is_refused(validation: Validation, card: SoftwareCard) -> None:
    xml = b"<contract xmlns='urn:example'><price Id='part'>1000</price><annex/></contract>"
    assert "whole document" in outcome(validation, card, signed_xml(card, xml, reference_uri="#part"))


@pytest.mark.parametrize("name", ["Id", "ID", "id", "xml:id"])
def test_an_id_stands_once(validation: Validation, card: SoftwareCard, name: str) -> None:
    document = with_id(card).replace(b"<price>", f'<annex {name}="all">9000</annex><price>'.encode())
    assert "same id" in outcome(validation, card, document)


def test_comments_are_refused(validation: Validation, card: SoftwareCard) -> None:
    document = signed_xml(card).replace(b"1000", b"10<!-- -->00")
    assert "comments" in outcome(validation, card, document)


def test_processing_instructions_are_signed(validation: Validation, card: SoftwareCard) -> None:
    document = signed_xml(card).replace(b"1000", b"10<?x y?>00")
    assert outcome(validation, card, document) == Reason.SIGNATURE_WRONG.value


def test_two_signatures_are_refused(validation: Validation, card: SoftwareCard) -> None:
    assert "exactly one" in outcome(validation, card, signed_xml(card, signed_xml(card)))


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        pytest.param(b'URI=""', b'URI="http://other.example/x"', "whole document", id="a reference to elsewhere"),
        pytest.param(b'URI=""', b'URI="file:///etc/passwd"', "whole document", id="a reference to a file"),
        pytest.param(b'URI=""', b'URI="#xpointer(/)"', "whole document", id="a pointer"),
        pytest.param(
            b"2000/09/xmldsig#enveloped-signature", b"TR/1999/REC-xslt-19991116", "changes the document", id="XSLT"
        ),
        pytest.param(
            b"http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            b"http://www.w3.org/TR/1999/REC-xpath-19991116",
            "changes the document",
            id="XPath",
        ),
        pytest.param(
            b"2001/04/xmldsig-more#rsa-sha256", b"2000/09/xmldsig#rsa-sha1", "weak-algorithm", id="a weak algorithm"
        ),
        pytest.param(
            b"2001/04/xmldsig-more#rsa-sha256", b"2000/09/xmldsig#hmac-sha1", "weak-algorithm", id="a shared secret"
        ),
        pytest.param(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1", "weak-algorithm", id="a weak digest"),
    ],
)
def test_what_the_signature_says_of_itself_is_limited(
    validation: Validation, card: SoftwareCard, before: bytes, after: bytes, why: str
) -> None:
    document = signed_xml(card)
    assert before in document
    assert why in outcome(validation, card, document.replace(before, after, 1))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("secret of this machine")
    return path


ENTITIES = [
    pytest.param('<!DOCTYPE c [<!ENTITY e SYSTEM "file://{path}">]>', id="a file"),
    pytest.param('<!DOCTYPE c SYSTEM "file://{path}">', id="a document type in a file"),
    pytest.param('<!DOCTYPE c [<!ENTITY % e SYSTEM "http://127.0.0.1:9/x"> %e;]>', id="a parameter of the network"),
    pytest.param('<!DOCTYPE c [<!ENTITY e "x">]>', id="a text"),
    pytest.param("<!DOCTYPE c>", id="no entity at all"),
]


@pytest.mark.parametrize("declared", ENTITIES)
def test_documents_with_a_type_are_refused(
    validation: Validation, card: SoftwareCard, declared: str, secret: Path
) -> None:
    document = declared.format(path=secret).encode() + signed_xml(card).replace(b"1000", b"&e;")
    told = outcome(validation, card, document)
    assert "document type" in told or "well-formed" in told
    assert "secret" not in told


def test_a_bomb_of_entities_is_refused(validation: Validation, card: SoftwareCard) -> None:
    """A thousand million laughs."""
    declared = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    document = f'<!DOCTYPE c [<!ENTITY e0 "ha">{declared}]><c>&e9;</c>'.encode()
    assert outcome(validation, card, document)


def test_a_deep_tree_is_refused(validation: Validation, card: SoftwareCard) -> None:
    document = b"<a>" * 100_000 + b"</a>" * 100_000
    assert "well-formed" in outcome(validation, card, document)


@pytest.mark.parametrize("price", ["1000", "9000"])
def test_another_encoding_is_read_as_such(validation: Validation, card: SoftwareCard, price: str) -> None:
    document = signed_xml(card).decode().replace("1000", price).encode("utf-16")
    assert (outcome(validation, card, document) == "") == (price == "1000")
