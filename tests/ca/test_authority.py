"""An authority is checked for contradictions once, and says all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ca.authority import Authority
from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.revocation import RevocationCause
from tests.support.authority import (
    NAMES,
    make_authority,
    make_generation,
    make_issuer,
    stored_profile,
)
from tests.support.signers import authority_signer

SIGNING, AUTHENTICATION = make_generation(), make_generation(Kind.AUTHENTICATION)
PAIR = (SIGNING, AUTHENTICATION)
SECOND = (make_generation(Kind.SIGNATURE, "g2"), make_generation(Kind.AUTHENTICATION, "g2"))


def test_a_sound_authority_finds_its_generations() -> None:
    authority = make_authority()
    assert authority.generation(IssuerId("authentication-g2")).issuer == make_issuer(Kind.AUTHENTICATION, "g2")
    assert authority.issuing(Kind.SIGNATURE, "rsa-2048").issuer.id == "signature-g1"
    assert authority.issuing(Kind.SIGNATURE, "ec-p384").issuer.id == "signature-g2"


def test_a_retired_generation_is_known_and_issues_no_more() -> None:
    retired = tuple(replace(generation, issuing=False) for generation in PAIR)
    authority = make_authority(generations=(*retired, *SECOND))
    assert authority.generation(IssuerId("signature-g1")) == retired[0]
    with pytest.raises(Refusal, match="want a key of type ec-p384, got rsa-2048") as refusal:
        authority.issuing(Kind.SIGNATURE, "rsa-2048")
    assert refusal.value.code is Code.BAD_KEY


def test_an_issuer_that_is_not_configured_is_said() -> None:
    with pytest.raises(Refusal, match="signature-g7") as refusal:
        make_authority().generation(IssuerId("signature-g7"))
    assert refusal.value.code is Code.BAD_CONFIGURATION


@pytest.mark.parametrize(
    ("overrides", "word"),
    [
        pytest.param({"names": {Kind.SIGNATURE: NAMES[Kind.SIGNATURE]}}, "has no names", id="names-are-missing"),
        pytest.param(
            {"names": {Kind.SIGNATURE: NAMES[Kind.AUTHENTICATION], Kind.AUTHENTICATION: NAMES[Kind.SIGNATURE]}},
            "bears another name",
            id="names-are-swapped",
        ),
        pytest.param({"municipalities": {}}, "no municipalities", id="no-municipalities"),
        pytest.param({"generations": ()}, "no signature generation is issuing", id="no-generations"),
        pytest.param({"generations": (SIGNING,)}, "no issuing peer", id="half-a-pair"),
        pytest.param(
            {"generations": (SIGNING, replace(AUTHENTICATION, label="g3"))}, "no issuing peer", id="labels-do-not-meet"
        ),
        pytest.param({"generations": (*PAIR, SIGNING)}, "taken twice", id="an-issuer-twice"),
        pytest.param(
            {"generations": (*PAIR, replace(SIGNING, issuer=replace(SIGNING.issuer, id=IssuerId("signature-g9"))))},
            "taken twice",
            id="a-label-twice",
        ),
        pytest.param(
            {
                "generations": (
                    *PAIR,
                    *(replace(g, label="g2", profile=p.profile) for g, p in zip(SECOND, PAIR, strict=True)),
                )
            },
            "both certify keys of type rsa-2048",
            id="a-key-type-twice",
        ),
        pytest.param(
            {"generations": (replace(SIGNING, signer=authority_signer("authentication", "g1")), AUTHENTICATION)},
            "holds another key",
            id="the-signer-of-another-issuer",
        ),
        pytest.param(
            {"generations": (replace(SIGNING, profile=stored_profile("authentication-rsa2048")), AUTHENTICATION)},
            "which is for authentication certificates",
            id="the-profile-of-another-kind",
        ),
        pytest.param(
            {"generations": (replace(SIGNING, profile=stored_profile("signature-p384")), AUTHENTICATION)},
            "does not sign with ecdsa-with-sha384",
            id="the-profile-of-another-algorithm",
        ),
        pytest.param({"causes": {}}, "the cause card-lost has no rule", id="no-causes"),
    ],
)
def test_a_contradiction_is_refused(overrides: dict[str, Any], word: str) -> None:
    with pytest.raises(Refusal, match=word) as refusal:
        make_authority(**overrides)
    assert refusal.value.code is Code.BAD_CONFIGURATION


def test_all_contradictions_are_said_at_once() -> None:
    with pytest.raises(Refusal) as refusal:
        make_authority(municipalities={}, causes={}, generations=(SIGNING,))
    said = refusal.value.detail.split("; ")
    assert len(said) == len(RevocationCause) + 3


def test_an_authority_cannot_be_changed() -> None:
    authority: Authority = make_authority()
    with pytest.raises(AttributeError):
        authority.generations = ()  # type: ignore[misc]
