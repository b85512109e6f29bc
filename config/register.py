"""The register of verifiers and the board of officers, made from the parts of a state directory."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from config.admission import AdmissionInForce
from config.law import law_acts
from config.transport import open_transport, requested_key
from detection.judging import Restraints, alarm_acts
from domain.parties import Party
from provisions.unlocking import unlock_act
from tracers.planting import tracer_act
from verifiers.approvals import approval_acts
from verifiers.desk import VerifierDesk
from verifiers.gate import Gate
from verifiers.handle_rotation import handle_acts
from verifiers.officers import officer_acts
from verifiers.proposals import Board
from verifiers.register import Register

if TYPE_CHECKING:
    from config.assemble import Services


CREDENTIAL_LIFE = timedelta(days=365)
"""Of a certificate that a verifier gets by itself."""


def make_board(services: Services) -> Board:
    """Where officers propose and confirm: every act that takes two is named here."""
    acts = (
        *officer_acts(),
        *approval_acts(services.law.verifiers),
        unlock_act(),
        tracer_act(),
        *alarm_acts(),
        *handle_acts(lambda: services.handles.ring),
        *law_acts(),
    )
    return Board(services.begin, services.clock, services.random, {act.kind: act for act in acts})


def make_desk(services: Services) -> VerifierDesk:
    """Where verifiers apply, and look after their credentials."""

    def certify(party: Party, request: bytes) -> bytes:
        authority, now = open_transport(services.settings), services.clock()
        key = requested_key(request)
        made = authority.certify_caller(key, party.label, now, CREDENTIAL_LIFE, services.random)
        return made.public_bytes(Encoding.DER)

    return VerifierDesk(services.begin, services.clock, services.law.verifiers, certify)


def make_gate(services: Services) -> Gate:
    """The one way in to status, handles, news and validation."""
    return Gate(services.admission, services.record, Restraints(services.begin).require)


def make_admission(services: Services) -> AdmissionInForce:
    """The rows that decide who may ask, as of each moment."""
    return AdmissionInForce(services.begin, services.register_mark.read)


def make_register(services: Services) -> Register:
    """What the doors of this node look up, and when they must look anew."""
    return Register(services.begin, services.register_mark.read, services.clock)
