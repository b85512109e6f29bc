"""A town over any store, whose certificates and records mass events are about."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from domain.certificates import Carrier, Kind
from domain.events import EventType
from domain.mass import CertificateOrder, MassEvent, MassOrder, RegisterOrder, Selection
from domain.parties import LOCAL_OPERATOR, Party
from domain.revocation import RevocationCause
from mass.parts import MassParts
from mass.preview import ListFile, preview
from mass.run import confirm, run, token_of
from policies.validity import day_in_japan
from residents.rows import Format
from tests.support.authority import add_resident
from tests.support.house import House
from tests.support.lists import ISSUERS
from tests.support.notices import make_intake
from tests.support.residents import KIYOSE, full_width, resident_code


class Town:
    """A house with pairs of the second key generation for residents 1 to 3 (resident 1 on a phone, too), and what mass
    events work with."""

    def __init__(self, house: House) -> None:
        self.house = house
        intake = make_intake(house.begin, house.clock.now, house.authority.sealer)
        self.parts = MassParts(
            replace(intake, clock=house.clock, random=house.authority.random),
            {issuer.id: issuer.kind for issuer in ISSUERS.values()},
        )
        for number in (1, 2, 3):
            house.issue(number, house.requests("ec"))
        house.issue(1, house.requests("ec"), carrier=Carrier.MOBILE_DEVICE)
        house.publish()

    def preview(self, order: MassOrder, file: ListFile | None = None, actor: Party = LOCAL_OPERATOR) -> MassEvent:
        return preview(self.parts, order, actor, file)

    def confirm(self, event: MassEvent) -> MassEvent:
        return confirm(self.parts, event.id, token_of(event), LOCAL_OPERATOR)

    def run(self, event: MassEvent, on_step: Callable[[MassEvent], object] = lambda _: None) -> MassEvent:
        """Confirm the event and do all of it."""
        self.confirm(event)
        return run(self.parts, event.id, LOCAL_OPERATOR, on_step)

    def do(self, order: MassOrder, file: ListFile | None = None) -> MassEvent:
        return self.run(self.preview(order, file))

    def order(self, cause: RevocationCause = RevocationCause.TEMPORARY_STOP, **selected: Any) -> CertificateOrder:
        """Hold everything, unless told otherwise."""
        listed = bool(selected.pop("listed", False))
        with self.house.begin(write=False) as work:
            newest = work.applications.newest()
        return CertificateOrder(cause, Selection(newest, **selected), listed)

    def renaming(self, event: EventType = EventType.ADDRESS_RENAMING, **changes: Any) -> RegisterOrder:
        """The addresses of 霞野 in 清瀬市 begin with 新町 from today on, unless told otherwise."""
        values: dict[str, Any] = {
            "effective_on": day_in_japan(self.house.clock.now),
            "municipality": KIYOSE,
            "into": KIYOSE,
            "old": "東京都清瀬市霞野２－",
            "new": "東京都清瀬市新町五丁目",
        }
        return RegisterOrder(event, **values | changes)

    def statuses(self) -> dict[tuple[int, str], str]:
        """What OCSP says of each certificate, by application and kind."""
        with self.house.begin(write=False) as work:
            rows = list(work.certificates.all())
        return {
            (row.application_id, row.kind.value): self.house.status.status_of(row.issuer, row.serial).word
            for row in rows
        }

    def count(self, word: str, kind: Kind | None = None) -> int:
        return sum(said == word and (kind is None or kind.value == of) for (_, of), said in self.statuses().items())

    def addresses(self) -> list[str]:
        with self.house.begin(write=False) as work:
            rows = work.residents.get_many(range(1, work.residents.newest() + 1))
        return [rows[number].attributes.address for number in sorted(rows)]

    def add_residents(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            add_resident(self.house.authority, resident_code(number))


def list_file(*numbers: int, address: str | None = None, columns: str = "") -> ListFile:
    """A list (CSV) of these residents, with this new address of each or without."""
    head = columns or ("resident_code" if address is None else "resident_code,address")
    lines = [
        resident_code(number).digits + (f",{address}{full_width(str(number))}" if address is not None else "")
        for number in numbers
    ]
    return io.BytesIO("".join(f"{line}\n" for line in (head, *lines)).encode()), Format.CSV


def audit_acts(town: Town) -> list[str]:
    with town.house.begin(write=False) as work:
        return [json.loads(row.body)["act"] for row in work.audit.rows()]
