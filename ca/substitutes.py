"""Substitute characters in an issued pair: where the signing certificate says they stand, and what chose each."""

from __future__ import annotations

from collections.abc import Mapping

from domain import der, oids
from domain.applications import IssuanceApplication
from domain.certificates import Kind
from domain.substitution import Substitution
from policies.characters import list_substitutions
from policies.variants import Variants

_TAGGED = 0xA0
_TEXTS = {
    "name": (der.oid(oids.JPKI_COMMON_NAME), der.oid(oids.JPKI_SUBSTITUTE_CHARACTER_OF_COMMON_NAME)),
    "address": (der.oid(oids.JPKI_ADDRESS), der.oid(oids.JPKI_SUBSTITUTE_CHARACTER_OF_ADDRESS)),
}


def positions_in(certificates: Mapping[Kind, bytes]) -> dict[str, tuple[int, ...]]:
    """Where substitutes stand, by item, from 0; nothing when there is no signing certificate."""
    if Kind.SIGNATURE not in certificates:
        return {}
    certificate = certificates[Kind.SIGNATURE]
    return {
        item: tuple(i for i, flag in enumerate(_other_name(certificate, flags)) if flag == ord("1"))
        for item, (_, flags) in _TEXTS.items()
    }


def substitutions_in(
    certificates: Mapping[Kind, bytes],
    positions: Mapping[str, tuple[int, ...]],
    application: IssuanceApplication,
    variants: Variants,
) -> tuple[Substitution, ...]:
    """Every substitute of the certificate, beside the character of the application it stands for."""
    return tuple(
        substitution
        for item, flagged in positions.items()
        if flagged
        for substitution in list_substitutions(
            variants,
            item,
            getattr(application.attributes, item),
            _other_name(certificates[Kind.SIGNATURE], _TEXTS[item][0]).decode(),
            flagged,
            confirmed=getattr(application.text, item) is not None,
        )
    )


def substitution_facts(substitution: Substitution) -> dict[str, object]:
    """What audit rows say of a substitute: where it stands, by which rule, who answers for it; never the character."""
    return {
        "item": substitution.item,
        "position": substitution.position,
        "rule": substitution.rule.rule.value,
        "confirmed": substitution.confirmed,
    }


def _other_name(certificate: bytes, kind: bytes) -> bytes:
    """The octets of the UTF8String in the otherName of this type."""
    start, end = der.expect(certificate, _TAGGED, certificate.index(kind) + len(kind))
    start, end = der.expect(certificate, der.UTF8_STRING, start, end)
    return certificate[start:end]
