"""Certificates taken apart: strictly, and as another parser takes them apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import x509 as asn1
from hypothesis import given
from hypothesis import strategies as st

from ca.octets import extension_parts, key_bits, moment_of, name_parts, place_of, subject_parts, tbs_fields, tbs_of
from domain import der, oids
from domain.der import DerError
from domain.names import Name, encode_name
from tests.support.authority import make_issuer, make_responder_certificate

CERTIFICATE = make_responder_certificate()
TBS = tbs_of(CERTIFICATE)


def test_the_fields_are_those_another_parser_finds() -> None:
    theirs = asn1.Certificate.load(CERTIFICATE, strict=True)["tbs_certificate"]
    ours = tbs_fields(TBS)
    assert theirs.dump() == TBS
    assert ours.version == theirs["version"].dump()
    assert ours.serial == theirs["serial_number"].dump()
    assert ours.algorithm == theirs["signature"].dump()
    assert ours.issuer == theirs["issuer"].dump()
    assert ours.not_before == theirs["validity"]["not_before"].dump()
    assert ours.not_after == theirs["validity"]["not_after"].dump()
    assert ours.subject == theirs["subject"].dump()
    assert ours.spki == theirs["subject_public_key_info"].dump()
    assert tuple(map(extension_parts, ours.extensions)) == tuple(
        (row["extn_id"].dump(), row["critical"].native, row["extn_value"].contents) for row in theirs["extensions"]
    )


def test_the_bits_of_a_key_are_what_identifiers_are_made_over() -> None:
    issuer = make_issuer()
    assert key_bits(issuer.spki) == issuer.public_key


@given(st.lists(st.tuples(st.sampled_from([oids.COUNTRY, oids.LOCALITY, oids.COMMON_NAME]), st.text()), max_size=6))
def test_a_name_comes_back_in_its_parts(name: list[tuple[str, str]]) -> None:
    assert name_parts(encode_name(tuple(name))) == tuple((der.oid(kind), value.encode()) for kind, value in name)


def attribute(tag: int, kind: str = oids.COMMON_NAME) -> bytes:
    return der.sequence(der.oid(kind), der.tlv(tag, b"JP"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(der.sequence(der.tlv(der.SET, attribute(der.PRINTABLE_STRING))), id="a-printable-common-name"),
        pytest.param(der.sequence(der.tlv(der.SET, attribute(der.UTF8_STRING, oids.COUNTRY))), id="a-country-in-utf-8"),
        pytest.param(der.sequence(der.tlv(der.SET, *[attribute(der.UTF8_STRING)] * 2)), id="two-in-one-set"),
        pytest.param(der.sequence(der.sequence(attribute(der.UTF8_STRING))), id="no-set"),
        pytest.param(der.sequence(der.tlv(der.SET)), id="an-empty-set"),
        pytest.param(der.tlv(der.SET), id="no-sequence"),
        pytest.param(
            der.sequence(
                der.tlv(der.SET, der.sequence(der.tlv(der.UTF8_STRING, b"x"), der.tlv(der.UTF8_STRING, b"y")))
            ),
            id="no-type",
        ),
    ],
)
def test_other_names_are_refused(name: bytes) -> None:
    with pytest.raises(DerError):
        name_parts(name)


USAGE = der.oid(oids.KEY_USAGE)


@pytest.mark.parametrize(
    "extension",
    [
        pytest.param(der.sequence(USAGE), id="without-value"),
        pytest.param(der.sequence(USAGE, der.octet_string(b""), der.octet_string(b"")), id="with-two-values"),
        pytest.param(der.sequence(USAGE, der.octet_string(b""), der.boolean(True)), id="with-the-flag-at-the-end"),
        pytest.param(der.sequence(der.boolean(True), der.octet_string(b"")), id="without-name"),
        pytest.param(der.tlv(der.SET, USAGE, der.octet_string(b"")), id="as-a-set"),
        pytest.param(der.sequence(USAGE, der.boolean(False), der.octet_string(b"")), id="with-the-default-written-out"),
    ],
)
def test_an_extension_of_another_shape_is_refused(extension: bytes) -> None:
    with pytest.raises(DerError):
        extension_parts(extension)


@given(st.integers(0, len(TBS) - 1), st.integers(1, 255))
def test_a_changed_octet_is_refused_or_seen_in_one_field(place: int, change: int) -> None:
    altered = bytearray(TBS)
    altered[place] ^= change
    try:
        fields = tbs_fields(bytes(altered))
    except DerError:
        return
    assert fields != tbs_fields(TBS)


@given(st.binary(max_size=100))
def test_random_octets_are_refused(octets: bytes) -> None:
    for read in (tbs_fields, tbs_of, key_bits):
        with pytest.raises(DerError):
            read(octets)


HOLDER = ((oids.COUNTRY, "JP"), (oids.LOCALITY, "Tokyo-to"), (oids.COMMON_NAME, "997794E9AGCIEG13221003A"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(HOLDER, id="a-holder"),
        pytest.param(((oids.COMMON_NAME, "997794E9AGCIEG13221003A"),), id="an-identifier-alone"),
        pytest.param(((*HOLDER[:2], (oids.COMMON_NAME, "x" * 22))), id="a-shorter-identifier"),
        pytest.param(((*HOLDER, (oids.LOCALITY, "Tokyo-to"))), id="an-identifier-that-is-not-the-end"),
    ],
)
def test_the_parts_of_a_subject_are_those_of_any_name(name: Name) -> None:
    assert subject_parts(encode_name(name)) == name_parts(encode_name(name))


def test_neighbours_share_what_stands_before_their_identifiers() -> None:
    other = encode_name((*HOLDER[:2], (oids.COMMON_NAME, "A" * 23)))
    assert place_of(encode_name(HOLDER)) == place_of(other)
    assert place_of(encode_name(HOLDER[:2])) == encode_name(HOLDER[:2])


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(1950, 1, 1, tzinfo=UTC), id="the-first-of-utctime"),
        pytest.param(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), id="the-last-of-utctime"),
        pytest.param(datetime(2050, 1, 1, tzinfo=UTC), id="the-first-of-generalizedtime"),
    ],
)
def test_a_time_is_read_as_it_was_written(moment: datetime) -> None:
    assert moment_of(der.time(moment)) == moment


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(b"\x17\x0b2704010000Z", id="without-seconds"),
        pytest.param(b"\x17\x11270401000000+0900", id="with-an-offset"),
        pytest.param(b"\x18\x1120270401000000.5Z", id="with-a-fraction"),
        pytest.param(b"\x17\x0d27 401000000Z", id="with-a-blank"),
        pytest.param(b"\x17\x0d271301000000Z", id="in-a-thirteenth-month"),
        pytest.param(b"\x17\x0d270401000060Z", id="with-a-leap-second"),
        pytest.param(b"\x04\x0d270401000000Z", id="of-another-type"),
    ],
)
def test_another_time_is_refused(time: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        moment_of(time)
