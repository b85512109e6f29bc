"""Documents damaged in any way: valid only if what was signed is untouched; no parser's trouble gets any further."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.validations import Format
from tests.support.authority import NOW
from tests.support.certificates import certificate_over
from tests.support.consents import SoftwareCard
from tests.support.requests import holder_key
from tests.support.signed import CONTENT, openssl_cms, signed_pdf, signed_xml
from validation.finding import Examination
from validation.reader import answer, readers

MAKERS: dict[Format, Callable[[SoftwareCard], bytes]] = {
    Format.CMS: lambda card: openssl_cms(card, "-nodetach"),
    Format.XML: signed_xml,
    Format.PDF: signed_pdf,
}
EVERY_FORMAT = pytest.mark.parametrize("format_", MAKERS, ids=lambda format_: format_.value)
# A parser says of damaged numbers what it thinks of them.
pytestmark = pytest.mark.filterwarnings("ignore")


@cache
def card() -> SoftwareCard:
    key = holder_key()
    return SoftwareCard(certificate_over(key), key)


@cache
def document(format_: Format) -> bytes:
    return MAKERS[format_](card())


def read(format_: Format, octets: bytes, signature: bytes | None = None) -> dict[str, object]:
    return answer(readers(), Examination(format_, octets, signature, card().certificate, NOW), ())


def accepted(said: dict[str, object]) -> bool:
    assert said.keys() in ({"refused"}, {"refused", "error"}, {"reasons", "time"})
    return said.get("reasons") == []


@EVERY_FORMAT
def test_the_documents_are_valid_as_they_are(format_: Format) -> None:
    assert accepted(read(format_, document(format_)))


@EVERY_FORMAT
@settings(max_examples=60)
@given(data=st.data())
def test_octets_changed_anywhere(format_: Format, data: st.DataObject) -> None:
    octets = bytearray(document(format_))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    said = read(format_, bytes(octets))
    if accepted(said):
        signed = b"1000" if format_ is not Format.CMS else CONTENT
        assert signed in octets


@EVERY_FORMAT
@settings(max_examples=30)
@given(data=st.data())
def test_parts_cut_out_doubled_or_put_in(format_: Format, data: st.DataObject) -> None:
    octets = document(format_)
    start, end = sorted(data.draw(st.integers(0, len(octets))) for _ in range(2))
    way = data.draw(st.sampled_from(("cut", "double", "insert", "end")))
    changed = {
        "cut": octets[:start] + octets[end:],
        "double": octets[:end] + octets[start:],
        "insert": octets[:start] + data.draw(st.binary(min_size=1, max_size=20)) + octets[start:],
        "end": octets[:start],
    }[way]
    if accepted(read(format_, changed)):
        assert (b"1000" if format_ is not Format.CMS else CONTENT) in changed


@EVERY_FORMAT
@settings(max_examples=30)
@given(octets=st.binary(max_size=300))
def test_octets_of_chance(format_: Format, octets: bytes) -> None:
    assert not accepted(read(format_, octets))


@settings(max_examples=80)
@given(data=st.data())
def test_a_signature_that_is_changed_beside_its_content(data: st.DataObject) -> None:
    """Octets of the signer's part; the certificates that come along are nobody's business."""
    octets = bytearray(signature_beside())
    start = octets.index(bytes(signer_part()))
    place = start + data.draw(st.integers(0, len(signer_part()) - 1))
    before, octets[place] = octets[place], data.draw(st.integers(0, 255))
    said = read(Format.CMS, CONTENT, bytes(octets))
    if accepted(said):
        # The tags and parameters of an algorithm can be written in several ways.
        assert octets[place] == before or not signed_part(place - start)


@cache
def signature_beside() -> bytes:
    return openssl_cms(card())


@cache
def signer() -> cms.SignerInfo:
    return cms.ContentInfo.load(signature_beside())["content"]["signer_infos"][0]


@cache
def signer_part() -> bytes:
    return bytes(signer().dump())


def signed_part(place: int) -> bool:
    """Whether the place lies in the contents of the signed attributes or of the signature."""
    return any(
        signer_part().index(part) <= place < signer_part().index(part) + len(part)
        for part in (signer()["signed_attrs"].contents, signer()["signature"].contents)
    )


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_deep_structure(depth: int) -> None:
    octets = b"\x30\x80" * depth + b"\x00\x00" * depth
    assert not accepted(read(Format.CMS, octets))
    assert not accepted(read(Format.PDF, b"%PDF-1.7\n1 0 obj\n" + b"[" * depth + b"]" * depth))


def test_lengths_that_lie() -> None:
    octets = document(Format.CMS)
    assert not accepted(read(Format.CMS, octets[:1] + b"\x84\xff\xff\xff\xff" + octets[4:]))
    assert not accepted(read(Format.CMS, octets[:1] + b"\x80" + octets[4:]))
