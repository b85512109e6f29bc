"""The tables of the store in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime

from domain.applications import ApplicationRecord
from domain.batches import Batch, BatchItem
from domain.certificates import IssuerId
from domain.changes import Leg, ListChange
from domain.code_keys import CodeKeyRecord, CodeMove, CodePart
from domain.detection import Alarm, AskingDay
from domain.events import AuditRow, NoticeRecord
from domain.lists import ListRecord, Scope
from domain.mass import MassEvent, MassRow
from domain.parties import Credential, Party
from domain.people import MunicipalityCode, Resident
from domain.proposals import Proposal
from domain.provisions import LedgerLine, Segment
from domain.serial import SerialNumber
from domain.validations import ValidationRecord
from domain.vetting import Application
from tests.support.memory_handles import HandleTables

_Certificate = tuple[IssuerId, SerialNumber]


@dataclass
class Tables(HandleTables):
    residents: dict[int, Resident] = field(default_factory=dict)
    codes: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    notices: dict[tuple[str, str], NoticeRecord] = field(default_factory=dict)
    senders: dict[str, int] = field(default_factory=dict)
    applications: dict[int, ApplicationRecord] = field(default_factory=dict)
    receipts: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)
    items: dict[tuple[int, int], BatchItem] = field(default_factory=dict)
    slots: dict[tuple[int, int], int] = field(default_factory=dict)
    served: dict[MunicipalityCode, int] = field(default_factory=dict)
    matches: dict[int, bytes] = field(default_factory=dict)
    reported: dict[_Certificate, datetime] = field(default_factory=dict)
    misses: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    scopes: dict[Scope, int] = field(default_factory=dict)
    lists: dict[tuple[Scope, int], ListRecord] = field(default_factory=dict)
    leases: dict[str, tuple[str, datetime, int]] = field(default_factory=dict)
    mass: dict[str, MassEvent] = field(default_factory=dict)
    mass_rows: dict[tuple[str, int], MassRow] = field(default_factory=dict)
    parties: dict[int, Party] = field(default_factory=dict)
    credentials: dict[bytes, Credential] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    vettings: dict[int, Application] = field(default_factory=dict)
    validations: dict[tuple[int, str], ValidationRecord] = field(default_factory=dict)
    audit: dict[int, AuditRow] = field(default_factory=dict)
    changes: dict[tuple[Scope, int], ListChange] = field(default_factory=dict)
    lags: dict[tuple[Leg, int | None], tuple[int, int]] = field(default_factory=dict)
    numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    in_use: dict[None, tuple[int, ...]] = field(default_factory=dict)
    code_keys: dict[int, CodeKeyRecord] = field(default_factory=dict)
    code_moves: dict[tuple[int, CodePart], CodeMove] = field(default_factory=dict)
    asking: dict[tuple[date, int, int], AskingDay] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    segments: dict[bytes, Segment] = field(default_factory=dict)
    epochs: dict[str, bytes] = field(default_factory=dict)
    lines: dict[int, LedgerLine] = field(default_factory=dict)
    challenges: dict[bytes, datetime] = field(default_factory=dict)

    def copy(self) -> Tables:
        return Tables(**{table.name: dict(getattr(self, table.name)) for table in fields(self)})
