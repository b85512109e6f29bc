"""Orders of mass events as they are stored and confirmed: canonical JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any

from domain.certificates import Carrier, IssuerId, Kind
from domain.events import EventType
from domain.mass import CertificateOrder, MassOrder, RegisterOrder, Selection
from domain.people import MunicipalityCode
from domain.revocation import RevocationCause


def order_to_json(order: MassOrder) -> str:
    """One text for one order."""
    said = _of_register(order) if isinstance(order, RegisterOrder) else _of_certificates(order)
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def order_from_json(text: str) -> MassOrder:
    """The order that `order_to_json` wrote."""
    said = json.loads(text)
    if "event" in said:
        return RegisterOrder(
            EventType(said["event"]),
            date.fromisoformat(said["effective_on"]),
            MunicipalityCode(said["municipality"]),
            MunicipalityCode(said["into"]),
            said["old"],
            said["new"],
        )
    selection = Selection(
        up_to=said["up_to"],
        issuers=None if said["issuers"] is None else frozenset(map(IssuerId, said["issuers"])),
        municipality=said["municipality"] and MunicipalityCode(said["municipality"]),
        kinds=frozenset(map(Kind, said["kinds"])),
        carriers=frozenset(map(Carrier, said["carriers"])),
        profile=said["profile"],
        issued_from=said["issued_from"] and datetime.fromisoformat(said["issued_from"]),
        issued_before=said["issued_before"] and datetime.fromisoformat(said["issued_before"]),
    )
    return CertificateOrder(RevocationCause(said["cause"]), selection, said["listed"])


def _of_certificates(order: CertificateOrder) -> dict[str, Any]:
    chosen = order.selection
    return {
        "cause": order.cause.value,
        "listed": order.listed,
        "up_to": chosen.up_to,
        "issuers": None if chosen.issuers is None else sorted(chosen.issuers),
        "municipality": chosen.municipality and chosen.municipality.value,
        "kinds": _values(chosen.kinds),
        "carriers": _values(chosen.carriers),
        "profile": chosen.profile,
        "issued_from": chosen.issued_from and chosen.issued_from.isoformat(),
        "issued_before": chosen.issued_before and chosen.issued_before.isoformat(),
    }


def _of_register(order: RegisterOrder) -> dict[str, Any]:
    return {
        "event": order.event.value,
        "effective_on": order.effective_on.isoformat(),
        "municipality": order.municipality.value,
        "into": order.into.value,
        "old": order.old,
        "new": order.new,
    }


def _values(members: Iterable[Enum]) -> list[str]:
    return sorted(str(member.value) for member in members)
