"""Tracers in tests: people who do not exist, agreed on by two officers, planted at a verifier."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec

from ca.authority import Authority
from domain.applications import IssuedPair
from domain.birth import BirthDate
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party
from domain.people import BasicAttributes, Sex
from domain.proposals import Proposal
from domain.tracers import TracerName
from tests.support.authority import KIYOSE
from tests.support.officers import AOI, KEN, agreed, make_board, register
from tests.support.people import serial_of
from tests.support.requests import make_request
from tracers.planting import KIND, Persona, content_of, plant, tracer_act
from tracers.register import Register

KEY = b"the key of the register: tracers"


def make_register(authority: Authority, key: bytes = KEY) -> Register:
    return Register(key, authority.random)


def make_personas(count: int) -> list[Persona]:
    """As many people as that, none of whom exists, of all ages above fifteen."""
    return [
        Persona(
            BasicAttributes(
                f"追跡　{'一二三四五六七八九十'[number % 10]}郎",
                f"東京都清瀬市霞野３－{chr(0xFF11 + number % 9)}",
                BirthDate(1950 + number % 50, 1 + number % 12, 1 + number % 28),
                Sex.MALE,
            ),
            KIYOSE.code,
            date(2036, 1 + number % 12, 1 + number % 28),
        )
        for number in range(count)
    ]


def file_of(personas: Sequence[Persona]) -> bytes:
    """The personas as JSON Lines."""
    rows = [
        {
            "name": one.attributes.name,
            "address": one.attributes.address,
            "birth_date": one.attributes.birth_date.text,
            "sex": one.attributes.sex.value,
            "municipality_code": one.municipality.value,
            "card_expires_on": one.card_expires_on.isoformat(),
        }
        for one in personas
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def requests_of(name: TracerName) -> Mapping[Kind, bytes]:
    """The same requests each time: P-384, which costs little."""
    return {
        kind: make_request(key=ec.derive_private_key(serial_of(f"{name} {kind}").value, ec.SECP384R1()))
        for kind in Kind
    }


def agree(
    authority: Authority, verifier: Party, personas: Sequence[Persona], provider: Party | None = None
) -> Proposal:
    """Two officers agree on tracers with these personas."""
    with authority.begin(write=False) as work:
        known = work.parties.credential(AOI.fingerprint) is not None
    if not known:
        register(authority.begin, AOI, KEN)
    board = make_board(authority.begin, tracer_act(), now=authority.clock())
    board.random.drawn = len(personas) + 100 * verifier.id  # type: ignore[attr-defined]
    content = content_of(verifier.name, provider.name if provider else None, file_of(personas), len(personas))
    return agreed(board, KIND, content)


def planted(authority: Authority, verifier: Party, count: int = 1, provider: Party | None = None) -> list[IssuedPair]:
    """The certificates of new tracers at a verifier."""
    personas = make_personas(count)
    proposal = agree(authority, verifier, personas, provider)
    own = make_register(authority)
    return plant(authority, own, proposal, personas, file_of(personas), requests_of, LOCAL_OPERATOR)
