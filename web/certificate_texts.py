"""The door that shows how a certificate would write a name or an address, before anybody applies for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from domain.applications import CertificateText
from domain.parties import Role
from domain.substitution import Substitution
from policies.characters import Proposal
from web.answers import json_answer
from web.bodies import receive_json
from web.callers import Callers
from web.people import ADDRESS_LIMIT, NAME_LIMIT, TEXTS
from web.shapes import Shape, record, text

PATH = "/v1/certificate-texts"
ROLES = (Role.MUNICIPALITY,)

CERTIFICATE_TEXT: Shape[CertificateText] = record(
    CertificateText,
    {},
    {"name": text(str, 1, NAME_LIMIT), "address": text(str, 1, ADDRESS_LIMIT)},
    description="Name and address as the certificate shall write them, with substitute characters (代替文字) that the "
    "holder confirmed",
)


def _texts(certificate_text: CertificateText | None = None, **texts: str) -> list[tuple[str, str, str | None]]:
    if not texts:
        raise ValueError("must hold a name or an address")
    confirmed = certificate_text or CertificateText()
    return [(item, value, getattr(confirmed, item)) for item, value in texts.items()]


REGISTER_TEXTS: Shape[list[tuple[str, str, str | None]]] = record(
    _texts, {}, {**TEXTS, "certificate_text": CERTIFICATE_TEXT}, description="Texts as the resident register has them"
)


def certificate_texts_blueprint(propose: Callable[[str, str, str | None], Proposal], callers: Callers) -> Blueprint:
    """POST a name, an address or both, get every substitute listed. Nothing is stored."""
    door = Blueprint("certificate_texts", __name__)

    @door.post(PATH)
    def post_texts() -> Response:
        callers.party(*ROLES)
        return json_answer(preview_json(REGISTER_TEXTS.read(receive_json(), ""), propose))

    return door


def preview_json(
    texts: list[tuple[str, str, str | None]], propose: Callable[[str, str, str | None], Proposal]
) -> dict[str, Any]:
    """What would be written for each (item, register's text, confirmed text). `ready`: an application with these texts
    would not be refused for its characters."""
    proposals = {item: propose(item, value, confirmed) for item, value, confirmed in texts}
    return {
        "texts": {item: _proposal(proposal) for item, proposal in proposals.items()},
        "ready": not any(proposal.gaps or proposal.unconfirmed for proposal in proposals.values()),
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "text": proposal.text,
        "substitutions": [substitution_json(substitution) for substitution in proposal.substitutions],
        "to_confirm": list(proposal.unconfirmed),
        "to_choose": [
            {"position": gap.position, "register": gap.register, "choices": list(gap.choices)} for gap in proposal.gaps
        ],
    }


def substitution_json(substitution: Substitution) -> dict[str, Any]:
    """One substitute, with what chose it in words."""
    rule = substitution.rule
    return {
        "item": substitution.item,
        "position": substitution.position,
        "register": substitution.register,
        "certificate": substitution.certificate,
        "rule": rule.rule.value,
        "title": rule.title_en,
        "title_ja": rule.title_ja,
        "table": rule.table,
        "confirmed": substitution.confirmed,
    }
