"""A whole authority over one store: it issues, revokes and publishes at one clock, and can be inspected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from audit.chain import CheckSignature
from ca.deliver import report_delivery
from ca.hold import HoldRequest, place_hold
from ca.issue import issue
from ca.release import ReleaseRequest, release_hold
from ca.revoke import revoke_resident
from config.rules import load_causes, load_events, load_holds
from crl.publish import publish_due
from domain.applications import DeliveryReceipt, DeliveryReport, HandOver, IssuedPair
from domain.certificates import Carrier, Kind
from domain.holds import ReleaseReceipt
from domain.ports import Begin, StatusLookup
from domain.revocation import RevocationCause, RevocationReceipt
from keys.algorithms import verify
from oversight.inspection import Inspection
from oversight.reconcile import reconcile
from policies.validity import day_in_japan
from residents.receipts import NoticeReceipt
from tests.support.authority import (
    KIYOSE_CITY,
    OPERATOR,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_revocation,
)
from tests.support.lists import AUTHORITY_SCOPE, ISSUERS, POLICY, make_publisher
from tests.support.notices import applied, make_intake, notice
from tests.support.people import serial_of
from tests.support.proofs import proven
from tests.support.requests import holder_key, make_request
from tests.support.residents import resident_code
from tests.support.signers import PrivateKey

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PATIENCE = 10 * MINUTE


class House:
    """`begin` and `status` are the store's; lists go into `directory`. It has residents 1 to 3."""

    def __init__(self, begin: Begin, status: StatusLookup, directory: Path, check_head: CheckSignature) -> None:
        self.clock = TurnedClock()
        self.begin, self.status, self.directory, self.check_head = begin, status, directory, check_head
        self.authority = make_authority(begin=begin, clock=self.clock)
        self.publisher = make_publisher(begin, directory, self.clock)
        self._keys = 0
        self._signing_keys: dict[bytes | None, PrivateKey] = {}
        self._cards: dict[int, PrivateKey] = {}
        self._acts = 0
        self._notices = 0
        for number in (1, 2, 3):
            add_resident(self.authority, resident_code(number))
        with begin() as work:
            work.lists.register(AUTHORITY_SCOPE)
            work.commit()

    def inspection(self, **changes: Any) -> Inspection:
        values: dict[str, Any] = {
            "begin": self.begin,
            "status": self.status,
            "issuers": ISSUERS,
            "directory": self.directory,
            "provisions": self.directory / "provisions",
            "node": "node",
            "verify_signature": verify,
            "check_head": self.check_head,
            "crl": POLICY,
            "causes": load_causes(),
            "holds": load_holds(),
            "events": load_events(),
            "delivery_within": timedelta(days=30),
            "patience": PATIENCE,
            "now": self.clock.now,
        }
        return Inspection(**values | changes)

    def faults(self, **changes: Any) -> list[str]:
        return [finding.text for finding in reconcile(self.inspection(**changes)) if finding.level == "fault"]

    def notes(self) -> list[str]:
        return [finding.text for finding in reconcile(self.inspection()) if finding.level == "note"]

    def requests(self, type_: str = "rsa") -> Mapping[Kind, bytes]:
        """Requests for a pair over keys that were not used before: `rsa` six times, `ec` without end."""
        self._keys += 1
        keys: dict[Kind, PrivateKey] = {}
        for place, kind in enumerate(Kind):
            if type_ == "rsa":
                keys[kind] = holder_key("rsa", 2 * (self._keys - 1) + place)
            else:
                keys[kind] = ec.derive_private_key(serial_of(f"{kind} {self._keys}").value, ec.SECP384R1())
        requests = {kind: make_request(key=key) for kind, key in keys.items()}
        self._signing_keys[requests[Kind.SIGNATURE]] = keys[Kind.SIGNATURE]
        return requests

    def signing_keys(self) -> Collection[PrivateKey]:
        """Of all requests for signing certificates."""
        return self._signing_keys.values()

    def issue(self, number: int = 1, requests: Mapping[Kind, bytes] | None = None, **changes: Any) -> IssuedPair:
        """Certificates for resident `number`: a pair, unless `requests` say otherwise. For a phone it is signed with
        the card."""
        self._acts += 1
        values = {"key": f"application {self._acts}", "resident_code": resident_code(number), **changes}
        application = make_application(requests=requests or self.requests(), **values)
        signing = application.requests.get(Kind.SIGNATURE)
        if application.carrier is Carrier.MOBILE_DEVICE and "proof" not in changes:
            application = proven(application, self._cards[number])
        elif application.carrier is Carrier.CARD and signing in self._signing_keys:
            self._cards[number] = self._signing_keys[signing]
        return issue(self.authority, application)

    def deliver(self, key: str, outcome: HandOver = HandOver.DELIVERED) -> DeliveryReceipt:
        """清瀬市 reports what became of its application under that key."""
        return report_delivery(self.authority, DeliveryReport(KIYOSE_CITY, KIYOSE_CITY.label, key, outcome))

    def revoke(
        self, number: int = 1, cause: RevocationCause = RevocationCause.HOLDER_REQUEST, *kinds: Kind
    ) -> RevocationReceipt:
        """Revoke or hold certificates of resident `number`, at the wish of somebody who may; all that the cause hits,
        or those of `kinds`."""
        self._acts += 1
        request = make_revocation(
            caller=KIYOSE_CITY if "municipality" in self.authority.causes[cause].by else OPERATOR,
            key=f"revocation {self._acts}",
            resident_code=resident_code(number),
            cause=cause,
            kinds=frozenset(kinds) or None,
        )
        return revoke_resident(self.authority, request)

    def hold(self, number: int = 1, *carriers: Carrier) -> RevocationReceipt:
        """Hold certificates of resident `number`, on these carriers or on all."""
        self._acts += 1
        who, key = resident_code(number), f"hold {self._acts}"
        return place_hold(self.authority, HoldRequest(OPERATOR, key, who, frozenset(carriers) or None))

    def release(self, number: int = 1) -> ReleaseReceipt:
        """Resident `number` found the phone."""
        self._acts += 1
        request = ReleaseRequest(OPERATOR, f"release {self._acts}", resident_code(number), Carrier.MOBILE_DEVICE)
        return release_hold(self.authority, request)

    def move(self, number: int = 1) -> NoticeReceipt:
        """The register says that resident `number` moved within 清瀬市."""
        self._notices += 1
        event = notice(
            notice_id=f"notice-{self._notices}",
            sequence=self._notices,
            code=resident_code(number),
            effective_on=day_in_japan(self.clock.now),
        )
        return applied(make_intake(self.begin, self.clock.now, self.authority.sealer), event)

    def publish(self) -> None:
        """A minute later, publish what is due."""
        self.clock.forward(MINUTE)
        assert publish_due(self.publisher).refused == ()


def live(house: House) -> None:
    """A life in which nothing goes wrong: application 1 is a pair whose signing certificate is revoked and followed by
    application 4, application 2 a pair of the other generation that is held, and then revoked for good, with
    application 3 on a phone, and followed by application 5. Everything is published."""
    house.issue(1)
    house.issue(2, house.requests("ec"))
    house.issue(2, house.requests("ec"), carrier=Carrier.MOBILE_DEVICE)
    house.publish()
    house.clock.forward(HOUR)
    house.revoke(1, RevocationCause.HOLDER_REQUEST, Kind.SIGNATURE)
    house.revoke(2, RevocationCause.TEMPORARY_STOP)
    house.publish()
    house.clock.forward(HOUR)
    house.issue(1, {Kind.SIGNATURE: house.requests()[Kind.SIGNATURE]})
    house.revoke(2, RevocationCause.CARD_LOST)
    house.issue(2)
    house.publish()
