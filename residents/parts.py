"""The parts that notices and loads of records work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.code_keys import CodeSealer
from domain.events import EventType
from domain.people import Municipality, MunicipalityCode
from domain.ports import Begin, Clock, RandomSource
from domain.revocation import CauseRule, RevocationCause
from policies.events import EventRule


@dataclass(frozen=True, slots=True)
class Intake:
    """What notices and loads need: storage, time, the sealer, the municipalities there are, and the two tables."""

    begin: Begin
    clock: Clock
    random: RandomSource
    sealer: CodeSealer
    municipalities: Mapping[MunicipalityCode, Municipality]
    events: Mapping[EventType, EventRule]
    causes: Mapping[RevocationCause, CauseRule]
