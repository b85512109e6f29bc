"""What the octets of a signing certificate say of substitutes, by another reader than ours."""

from __future__ import annotations

from asn1crypto import x509 as asn1
from hypothesis import given, settings
from hypothesis import strategies as st

from ca.draft import draft_certificates, read_keys
from ca.entitlement import Basis
from ca.substitutes import positions_in, substitution_facts
from domain import oids
from domain.applications import CertificateText
from domain.certificates import Kind
from domain.errors import Refusal
from policies.repertoire import REPERTOIRE, characters_of
from tests.support.authority import NOW, make_application, make_authority
from tests.support.memory import MemoryStore
from tests.support.residents import attributes
from tests.support.variants import make_substitution

AUTHORITY = make_authority(MemoryStore())
CHARACTERS = [*"山田花子　樹邊高崎－２\u9ad9\ufa11\ufa19\U00020bb7\u9fcb\ue000", "渡\U000e0101", "か\u3099"]
texts = st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=8).map("".join)


def other_names(tbs: bytes) -> dict[str, str]:
    """The texts in the subjectAltName, by type, as asn1crypto reads them."""
    (san,) = (
        extension["extn_value"].parsed
        for extension in asn1.TbsCertificate.load(tbs, strict=True)["extensions"]
        if extension["extn_id"].native == "subject_alt_name"
    )
    return {name.chosen["type_id"].dotted: name.chosen["value"].native for name in san}


@settings(max_examples=40, deadline=None)
@given(texts, texts, st.booleans())
def test_every_position_that_differs_is_flagged_in_the_octets(name: str, address: str, confirm: bool) -> None:
    items = attributes(name=name, address=address)
    confirmed = ["".join(c if c in REPERTOIRE else "花" for c in characters_of(text)) for text in (name, address)]
    application = make_application(attributes=items, text=CertificateText(*confirmed) if confirm else CertificateText())
    try:
        drafts = draft_certificates(AUTHORITY, application, read_keys(AUTHORITY, application.requests), Basis(), NOW)
    except Refusal:
        assert not name.strip() or not address.strip() or not confirm
        return
    draft = drafts[Kind.SIGNATURE]
    written = other_names(draft.tbs)
    differing = {}
    for item, text, flags, register in (
        ("name", oids.JPKI_COMMON_NAME, oids.JPKI_SUBSTITUTE_CHARACTER_OF_COMMON_NAME, name),
        ("address", oids.JPKI_ADDRESS, oids.JPKI_SUBSTITUTE_CHARACTER_OF_ADDRESS, address),
    ):
        characters = characters_of(register)
        assert len(written[text]) == len(written[flags]) == len(characters)
        assert REPERTOIRE.issuperset(written[text])
        differing[item] = tuple(at for at, character in enumerate(characters) if character != written[text][at])
        assert differing[item] == tuple(at for at, flag in enumerate(written[flags]) if flag == "1")
    assert positions_in({Kind.SIGNATURE: draft.tbs}) == differing
    assert {item: tuple(s.position for s in draft.substitutions if s.item == item) for item in differing} == differing
    assert drafts[Kind.AUTHENTICATION].substitutions == ()


def test_the_trail_hears_of_place_and_rule_alone() -> None:
    assert substitution_facts(make_substitution(position=3)) == {
        "item": "name",
        "position": 3,
        "rule": "mj-unification",
        "confirmed": False,
    }
