"""Requests recognised without reading."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import der
from domain.certificates import Issuer, Kind
from ocsp.issuers import IssuerTable
from ocsp.request import plain_request, read_request
from ocsp.shapes import Shapes
from tests.support.authority import make_issuer
from tests.support.people import serial_of
from tests.support.responder import (
    GENERATIONS,
    HASH_OIDS,
    NULL,
    make_cert_id,
    make_extension,
    make_ocsp_request,
    make_tbs_request,
)

ISSUERS = [make_issuer(kind, generation) for kind, generation in GENERATIONS]
TABLE = IssuerTable(ISSUERS)
SERIAL = serial_of("asked about")
NONCES = (None, *(bytes(length) for length in (1, 16, 23, 32, 100, 128)))


def learnt(*requests: bytes) -> Shapes:
    shapes = Shapes()
    for octets in requests:
        query = read_request(octets, 4)
        shapes.learn(octets, query, TABLE.issuer_for_all(query.cert_ids))
    return shapes


PLAIN = [
    (issuer, plain_request(make_cert_id(SERIAL, issuer, algorithm, parameters), nonce))
    for issuer in ISSUERS
    for algorithm in HASH_OIDS
    for parameters in (NULL, b"")
    for nonce in NONCES
]
ALL = learnt(*[octets for _, octets in PLAIN])


@settings(deadline=None)
@given(plain=st.sampled_from(PLAIN), serial=st.integers(2**126, 2**127 - 1), data=st.data())
def test_what_is_recalled_is_what_would_be_read(plain: tuple[Issuer, bytes], serial: int, data: st.DataObject) -> None:
    issuer, like = plain
    query = read_request(like, 1)
    nonce = query.nonce and data.draw(st.binary(min_size=len(query.nonce), max_size=len(query.nonce)))
    cert_id = query.cert_ids[0].octets[:-16] + serial.to_bytes(16)
    octets = plain_request(cert_id, nonce)
    again = read_request(octets, 1)
    shape = learnt(like).recall(octets)
    assert shape is not None
    assert shape.issuer == issuer.id == TABLE.issuer_for(again.cert_ids[0])
    assert octets[shape.cert_id_at : shape.serial_end] == again.cert_ids[0].octets
    assert int.from_bytes(octets[shape.serial_at : shape.serial_end]) == again.cert_ids[0].serial
    assert (octets[shape.nonce_at :] or None) == again.nonce


def test_mutants_of_known_requests_are_recalled_only_where_they_are_well_formed() -> None:
    chance = random.Random(1)
    recalled = 0
    for _, seed in PLAIN:
        for _ in range(100):
            octets = bytearray(seed)
            for _ in range(chance.choice((1, 2))):
                octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
            shape = ALL.recall(bytes(octets))
            if shape is not None:
                recalled += 1
                (cert_id,) = read_request(bytes(octets), 1).cert_ids
                assert TABLE.issuer_for(cert_id) == shape.issuer
                assert cert_id.octets == octets[shape.cert_id_at : shape.serial_end]
    assert recalled > 1000


@pytest.mark.parametrize("first", [0x00, 0x3F, 0x80, 0xBF, 0xC0, 0xFF], ids=hex)
def test_a_serial_that_cannot_be_ours_is_not_recalled(first: int) -> None:
    octets = plain_request(make_cert_id(SERIAL), None)
    assert learnt(octets).recall(octets[:-16] + bytes((first,)) + octets[-15:]) is None


def other_requests() -> dict[str, bytes]:
    cert_id = make_cert_id(SERIAL)
    return {
        "several certificates": make_ocsp_request(cert_id, cert_id),
        "a requestor name": der.sequence(make_tbs_request(cert_id, name=der.implicit(1, b"a@b.example"))),
        "another extension": der.sequence(make_tbs_request(cert_id, extensions=(make_extension("2.999.7", b""),))),
        "a foreign serial": make_ocsp_request(make_cert_id(5)),
    }


@pytest.mark.parametrize("case", other_requests())
def test_only_plain_requests_about_our_serials_are_learnt(case: str) -> None:
    octets = other_requests()[case]
    assert learnt(octets).recall(octets) is None


def test_shapes_of_one_length_take_turns() -> None:
    """Two layouts of one length: the last one learnt is recalled, the other is read again, neither wrongly."""
    short = plain_request(make_cert_id(SERIAL, algorithm="sha1"), b"n" * 8)
    long = plain_request(make_cert_id(SERIAL, algorithm="sha1", parameters=b""), b"n" * 10)
    assert len(short) == len(long)
    shapes = learnt(short, long)
    assert shapes.recall(short) is None
    assert shapes.recall(long) is not None
    assert learnt(long, short).recall(short) is not None


def test_nothing_is_recalled_that_was_not_learnt() -> None:
    assert Shapes().recall(make_ocsp_request(make_cert_id(SERIAL))) is None
    known = learnt(make_ocsp_request(make_cert_id(SERIAL)))
    assert known.recall(make_ocsp_request(make_cert_id(SERIAL, make_issuer(Kind.AUTHENTICATION)))) is None
