"""DER: our octets are those of asn1crypto and cryptography, and our reader takes nothing but DER."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from asn1crypto import cms, core, parser, x509
from cryptography import x509 as pyca
from hypothesis import given
from hypothesis import strategies as st

from domain import der

octets = st.binary(max_size=300)
seconds = st.integers(0, int((datetime(9998, 12, 31, tzinfo=UTC) - datetime(1950, 1, 1, tzinfo=UTC)).total_seconds()))
moments = seconds.map(lambda second: datetime(1950, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
arcs = st.integers(0, 1 << 70)
oids = st.one_of(
    st.builds(
        lambda first, second, rest: (first, second, *rest), st.integers(0, 1), st.integers(0, 39), st.lists(arcs)
    ),
    st.builds(lambda second, rest: (2, second, *rest), arcs, st.lists(arcs)),
).map(lambda parts: ".".join(map(str, parts)))


@given(st.integers(-(1 << 200), 1 << 200))
def test_integers_are_asn1cryptos_and_lead_back(value: int) -> None:
    encoded = der.integer(value)
    assert encoded == core.Integer(value).dump()
    assert der.read_integer(encoded, *der.only(encoded, der.INTEGER)) == value


@pytest.mark.parametrize("value", [0, 127, 128, 255, 256, -1, -128, -129], ids=str)
def test_integers_at_the_edge_of_an_octet_have_the_fewest_octets(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@given(st.booleans())
def test_booleans(value: bool) -> None:
    assert der.boolean(value) == core.Boolean(value).dump()


@given(octets)
def test_octet_strings_and_bit_strings(content: bytes) -> None:
    assert der.octet_string(content) == core.OctetString(content).dump()
    assert der.bit_string(content) == core.OctetBitString(content).dump()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 24])
def test_lengths_take_their_shortest_form_and_are_read_back(size: int) -> None:
    content = bytes(size)
    encoded = der.octet_string(content)
    assert encoded == core.OctetString(content).dump()
    assert der.only(encoded, der.OCTET_STRING) == (len(encoded) - size, len(encoded))


@given(oids)
def test_object_identifiers_are_asn1cryptos(dotted: str) -> None:
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


@pytest.mark.parametrize("dotted", ["2.999", "2.5.4.3", "1.2.392.200149.8.5.5.1", "0.0", "1.39", "2.47", "2.48"])
def test_object_identifiers_are_cryptographys(dotted: str) -> None:
    name = pyca.Name([pyca.NameAttribute(pyca.ObjectIdentifier(dotted), "x")])
    assert der.oid(dotted) in name.public_bytes()


@given(st.lists(octets, max_size=4))
def test_sequences_join_what_they_hold(contents: list[bytes]) -> None:
    parts = [der.octet_string(content) for content in contents]
    assert der.sequence(*parts) == core.SequenceOf(contents, spec=core.OctetString).dump()


@given(octets, st.integers(0, 30))
def test_tags_explicit_and_implicit(content: bytes, number: int) -> None:
    inner = der.octet_string(content)
    assert der.explicit(number, inner) == core.OctetString(content, explicit=number).dump()
    assert der.implicit(number, content) == core.OctetString(content, implicit=number).dump()


@given(moments)
def test_generalized_times_are_asn1cryptos(moment: datetime) -> None:
    assert der.generalized_time(moment) == core.GeneralizedTime(moment).dump()


@given(moments)
def test_times_of_certificates_change_their_type_in_2050(moment: datetime) -> None:
    name = "utc_time" if moment.year < 2050 else "general_time"
    assert der.time(moment) == x509.Time({name: moment}).dump()


@given(moments, st.integers(-14, 14))
def test_times_are_written_in_utc_wherever_they_were_read(moment: datetime, hours: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert der.generalized_time(elsewhere) == der.generalized_time(moment)


@pytest.mark.parametrize("write", [der.time, der.generalized_time])
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2027, 4, 1, tzinfo=UTC).replace(tzinfo=None), id="a naive time"),
        pytest.param(datetime(2027, 4, 1, 0, 0, 0, 1, tzinfo=UTC), id="a fraction of a second"),
    ],
)
def test_times_that_would_have_to_be_guessed_or_rounded_are_refused(
    write: Callable[[datetime], bytes], moment: datetime
) -> None:
    with pytest.raises(ValueError, match="aware time in whole seconds"):
        write(moment)


@given(
    st.recursive(
        octets.map(der.octet_string),
        lambda inner: st.lists(inner, max_size=4).map(lambda parts: der.sequence(*parts)),
        max_leaves=8,
    )
)
def test_what_was_written_is_read_element_by_element(encoded: bytes) -> None:
    assert _rewritten(encoded) == encoded


@given(octets)
def test_any_octets_are_read_as_asn1crypto_reads_them_or_refused(content: bytes) -> None:
    try:
        tag, start, end = der.read(content)
    except der.DerError:
        return
    number_class, method, number, header, contents, trailer = parser.parse(content[:end], strict=True)
    assert (header + contents, contents, trailer) == (content[:end], content[start:end], b"")
    assert tag == number_class << 6 | method << 5 | number


@given(st.binary(max_size=20), st.integers(0, 25))
def test_reading_never_goes_beyond_the_end_that_it_is_given(content: bytes, end: int) -> None:
    try:
        _, start, stop = der.read(content, 0, min(end, len(content)))
    except der.DerError:
        return
    assert start <= stop <= end


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "end too early", id="nothing at all"),
        pytest.param(b"\x04", "end too early", id="a tag alone"),
        pytest.param(b"\x04\x02\x00", "end too early", id="contents cut off"),
        pytest.param(b"\x04\x82\x01", "end too early", id="a length cut off"),
        pytest.param(b"\x30\x80\x00\x00", "indefinite", id="an indefinite length"),
        pytest.param(b"\x04\x85\x00\x00\x00\x00\x01\x00", "absurd", id="a length of five octets"),
        pytest.param(b"\x04\x81\x01\x00", "shortest form", id="a long form where a short one would do"),
        pytest.param(b"\x04\x82\x00\x80" + bytes(128), "shortest form", id="a length with a leading zero"),
        pytest.param(b"\x1f\x81\x01\x00", "long tags", id="a tag of several octets"),
    ],
)
def test_what_is_not_der_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(der.DerError, match=why):
        der.read(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"\x02\x00", "no octets", id="empty"),
        pytest.param(b"\x02\x02\x00\x7f", "shortest form", id="padded with zero"),
        pytest.param(b"\x02\x02\xff\x80", "shortest form", id="padded with ones"),
    ],
)
def test_integers_that_are_not_der_are_refused(content: bytes, why: str) -> None:
    with pytest.raises(der.DerError, match=why):
        der.read_integer(content, *der.only(content, der.INTEGER))


def test_another_tag_and_trailing_octets_are_refused() -> None:
    with pytest.raises(der.DerError, match="want tag 0x30, got 0x04"):
        der.expect(der.octet_string(b""), der.SEQUENCE)
    with pytest.raises(der.DerError, match="octets after the end"):
        der.only(der.octet_string(b"") + b"\x00", der.OCTET_STRING)


def test_tag_numbers_are_those_of_the_standard() -> None:
    kinds: dict[int, Any] = {
        der.BOOLEAN: core.Boolean,
        der.INTEGER: core.Integer,
        der.BIT_STRING: core.BitString,
        der.OCTET_STRING: core.OctetString,
        der.NULL: core.Null,
        der.OID: core.ObjectIdentifier,
        der.ENUMERATED: core.Enumerated,
        der.UTF8_STRING: core.UTF8String,
        der.PRINTABLE_STRING: core.PrintableString,
        der.IA5_STRING: core.IA5String,
        der.UTC_TIME: core.UTCTime,
        der.GENERALIZED_TIME: core.GeneralizedTime,
    }
    assert all(kind.tag == tag for tag, kind in kinds.items())
    assert core.SequenceOf([], spec=core.Null).dump()[0] == der.SEQUENCE
    assert cms.SetOfOctetString([b"x"]).dump()[0] == der.SET


def _rewritten(encoded: bytes) -> bytes:
    tag, start, end = der.read(encoded)
    if tag != der.SEQUENCE:
        return der.tlv(tag, encoded[start:end])
    inner = [_rewritten(encoded[offset:stop]) for _, offset, _, stop in der.elements(encoded, start, end)]
    return der.sequence(*inner)
