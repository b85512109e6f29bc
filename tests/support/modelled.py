"""A node: a status model beside a store, and what keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.certificates import CertificateRecord, IssuerId
from domain.errors import Code, Refusal
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import CertificateStatus
from store.feed import StatusFeed
from store.follower import StatusFollower
from store.model import StatusModel
from store.model_status import ModelStatusLookup
from store.work import SqlBegin
from tests.support.authority import TurnedClock
from tests.support.people import serial_of
from tests.support.responder import Unhurried
from tests.support.stores import Store, add_certificate, revocation_of

ISSUER, OTHER = IssuerId("signature-g1"), IssuerId("authentication-g1")
MAX_AGE = timedelta(seconds=5)
SECOND = timedelta(seconds=1)


class Silent(Unhurried):
    """A source that must not be asked."""

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        raise Refusal(Code.STORE_UNAVAILABLE, "the database does not answer")


@dataclass
class Node:
    """A node's model beside a store; `begin` writes through."""

    store: Store
    folder: Path
    clock: TurnedClock = field(default_factory=TurnedClock)

    def __post_init__(self) -> None:
        assert isinstance(self.store.begin, SqlBegin)
        self.begin = self.store.begin
        self.model = StatusModel(self.folder / "model")
        self.feed = StatusFeed(self.store.url)
        self.follower = StatusFollower(self.model, self.feed, self.clock, self.steady, self.folder)
        self.lookup = ModelStatusLookup(self.model, self.store.status, self.clock, self.steady, MAX_AGE)
        self.alone = ModelStatusLookup(self.model, Silent(), self.clock, self.steady, MAX_AGE)
        self.begin.on_change = self.follower.follow

    def steady(self) -> int:
        return int(self.clock().timestamp()) * 10**9

    def build(self) -> int:
        """Have the model made anew; how many are in it."""
        if state := self.model.state():
            self.model.forget(state)
        return self.follower.make()

    def close(self) -> None:
        self.model.close()
        self.feed.close()

    def issue(self, label: str, **changes: Any) -> CertificateRecord:
        record = add_certificate(self.begin, label, **changes)
        with self.begin() as work:
            work.certificates.complete([(record.issuer, record.serial, b"certificate")])
            work.commit()
        return record

    def revoke(self, record: CertificateRecord, reason: CrlReason = CrlReason.KEY_COMPROMISE) -> None:
        with self.begin() as work:
            work.revocations.put(revocation_of(record, reason=reason), "receipt", record.reserved_at)
            work.commit()

    def word(self, label: str = "holder", issuer: IssuerId = ISSUER) -> str:
        """What the model alone says."""
        quick = self.alone.good_at(issuer, self.clock(), self.steady())(serial_of(label).octets)
        word = self.alone.status_of(issuer, serial_of(label)).word
        assert quick == (word == "good")
        return word
