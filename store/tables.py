"""The tables, their constraints and indexes. What may never happen twice is a constraint here, not a check elsewhere.

How long rows are kept is `config/law/retention.toml`; `ca.erasure` erases those whose time is over.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from domain.certificates import Carrier, CertificateState, Kind
from domain.errors import Code
from domain.events import EventType, NoticeState
from domain.lists import ListState
from domain.mass import MassState
from domain.people import ResidentState, Sex
from domain.revocation import RevocationCause
from store.batch_tables import batch_items, batch_queues, batches
from store.metadata import metadata
from store.party_tables import approvals, credentials, parties, vettings
from store.types import (
    Choice,
    Generations,
    Municipal,
    MunicipalOrNone,
    Reason,
    RowId,
    SerialOctets,
    UtcDateTime,
)
from store.validation_tables import validations

_HOLDER = ("resident_id", "kind", "carrier")


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows for which `where` holds."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# Besides those made here: whoever asks for the tables gets all of them.
__all__ = [
    "approvals",
    "batch_items",
    "batch_queues",
    "batches",
    "credentials",
    "metadata",
    "parties",
    "validations",
    "vettings",
]

# The copy of the resident register. Codes are only here as keyed index and sealed value.
# Kept while certificates refer to them: as long as issuance records.
residents = Table(
    "residents",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("code_index", LargeBinary(32), nullable=False, unique=True),
    Column("code_sealed", LargeBinary, nullable=False),
    Column("municipality", Municipal, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    # Where parts are unknown: the first day that it can be, and beside it how it is written.
    Column("birth_date", Date, nullable=False),
    Column("birth_date_text", Text),
    Column("sex", Choice(Sex), nullable=False),
    Column("state", Choice(ResidentState), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # Keyed digest of the four items as they are compared; null until it is made, and after they changed.
    Column("items_digest", LargeBinary),
    CheckConstraint("length(code_index) = 32", name="index_width"),
    Index(None, "items_digest"),
    Index(
        "residents_unmatched",
        "id",
        sqlite_where=text("items_digest IS NULL"),
        postgresql_where=text("items_digest IS NULL"),
    ),
)

# Notices of the register, each once. What a notice says is only kept while it is held, and sealed; a quarantined one
# leaves digest and reason. Kept as long as issuance records.
notices = Table(
    "notices",
    metadata,
    Column("sender", Text, nullable=False),
    Column("notice_id", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("resident_id", RowId, ForeignKey("residents.id")),
    Column("type", Choice(EventType)),
    Column("effective_on", Date),
    Column("municipality", Municipal),
    Column("received_at", UtcDateTime, nullable=False),
    Column("sequence", RowId),
    # The default is for processes of the version before, which know no other state.
    Column("state", Choice(NoticeState), nullable=False, server_default="applied"),
    Column("sealed", LargeBinary),
    Column("reason", Choice(Code)),
    Column("detail", Text),
    PrimaryKeyConstraint("sender", "notice_id"),
    UniqueConstraint("sender", "sequence"),
    Index(None, "resident_id", "effective_on"),
    _partial("notices_waiting", "sender", "state", "sequence", where="state <> 'applied'"),
)

# Whose notices come, and the number whose turn it is.
notice_senders = Table(
    "notice_senders",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("expected", RowId, nullable=False),
)

# Applications for issuance. Kept as long as the issuance records they led to.
applications = Table(
    "applications",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("resident_id", RowId, ForeignKey("residents.id"), nullable=False),
    Column("municipality", Municipal, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("issued_at", UtcDateTime),
    UniqueConstraint("caller", "key"),
    _partial("applications_unfinished", "received_at", where="issued_at IS NULL"),
)

# Issuance records (発行記録): kept for 10 years from the day after expiry.
certificates = Table(
    "certificates",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("serial", SerialOctets, nullable=False),
    Column("state", Choice(CertificateState), nullable=False),
    Column("kind", Choice(Kind), nullable=False),
    Column("carrier", Choice(Carrier), nullable=False),
    Column("resident_id", RowId, ForeignKey("residents.id"), nullable=False),
    Column("application_id", RowId, ForeignKey("applications.id"), nullable=False),
    Column("municipality", Municipal, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
    Column("spki_digest", LargeBinary(32), nullable=False),
    Column("profile_digest", Text, nullable=False),
    Column("reserved_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("predecessor", RowId),
    # The application that began the line of renewals this one is in; null where it began one.
    Column("line", RowId),
    # The default is for processes of the version before, which hand over in one step.
    Column("pending", Boolean, nullable=False, server_default=false()),
    # Last, because SQLite reads a long row from its start: status and listings stop before it.
    Column("der", LargeBinary, nullable=False),
    PrimaryKeyConstraint("issuer", "serial"),
    UniqueConstraint("spki_digest"),
    UniqueConstraint("application_id", "kind"),
    # One live certificate of a kind and carrier per resident (二重発行の禁止), and one that waits to follow it, by the
    # database's own word.
    _partial("certificates_live_once", *_HOLDER, where="ended_at IS NULL AND NOT pending", unique=True),
    _partial("certificates_pending_once", *_HOLDER, where="ended_at IS NULL AND pending", unique=True),
    _partial("certificates_overdue", "reserved_at", "application_id", where="ended_at IS NULL AND pending"),
    _partial("certificates_renewed", "line", where="line IS NOT NULL"),
    Index(None, "resident_id"),
    # With what a status model is made of, so that the rows themselves, with their certificates, are not read for it.
    Index("certificates_by_not_after", "not_after", "issuer", "serial"),
    CheckConstraint("length(serial) = 16", name="serial_width"),
    CheckConstraint("not_before <= not_after", name="validity_order"),
)

# Revocation records (失効情報): kept until the certificate's expiry, and until one list after it has been published.
revocations = Table(
    "revocations",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("serial", SerialOctets, nullable=False),
    Column("municipality", Municipal, nullable=False),
    Column("cause", Choice(RevocationCause), nullable=False),
    Column("reason", Reason, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    # When a hold was reported for its age.
    Column("reported_at", UtcDateTime),
    PrimaryKeyConstraint("issuer", "serial"),
    ForeignKeyConstraint(["issuer", "serial"], ["certificates.issuer", "certificates.serial"]),
    # With all that a list says: it is read in the order of the index, and rows lie in that of their revocation.
    Index("revocations_listed", "issuer", "municipality", "serial", "revoked_at", "reason", "not_after"),
    Index(None, "not_after"),
    Index(
        "revocations_held",
        "revoked_at",
        "issuer",
        "serial",
        sqlite_where=text("reason = 6"),
        postgresql_where=text("reason = 6"),
    ),
    Index(
        "revocations_unreported",
        "revoked_at",
        "issuer",
        "serial",
        sqlite_where=text("reason = 6 AND reported_at IS NULL"),
        postgresql_where=text("reason = 6 AND reported_at IS NULL"),
    ),
)

# Answers given under an idempotency key. Kept as long as a caller may repeat itself; no law asks for them.
receipts = Table(
    "receipts",
    metadata,
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("number", Text, index=True),
    PrimaryKeyConstraint("caller", "key"),
)

# Series of lists in use. `wanted` counts the changes a list should show. Municipality '': the list of CA certificates.
scopes = Table(
    "scopes",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("municipality", MunicipalOrNone, nullable=False),
    Column("wanted", RowId, nullable=False),
    Column("published", RowId),
    PrimaryKeyConstraint("issuer", "municipality"),
)

# Every list whose number was taken: never deleted, so that no number is given twice.
lists = Table(
    "lists",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("municipality", MunicipalOrNone, nullable=False),
    Column("number", RowId, nullable=False),
    Column("this_update", UtcDateTime, nullable=False),
    Column("next_update", UtcDateTime, nullable=False),
    Column("state", Choice(ListState), nullable=False),
    Column("covers", RowId, nullable=False),
    Column("digest", LargeBinary(32)),
    Column("entries", Integer),
    Column("published_at", UtcDateTime),
    PrimaryKeyConstraint("issuer", "municipality", "number"),
    ForeignKeyConstraint(["issuer", "municipality"], ["scopes.issuer", "scopes.municipality"]),
    Index("lists_by_covers", "issuer", "municipality", "covers", "number"),
)

# Who may do what only one process may do.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    # Never given to two holders, and higher for each: what was begun under a lower one is over.
    Column("token", RowId, nullable=False, server_default="0"),
)

# Mass events: kept as long as audit rows name them.
mass_events = Table(
    "mass_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order", Text, nullable=False),
    Column("preview", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("state", Choice(MassState), nullable=False),
    Column("previewed_by", Text, nullable=False),
    Column("previewed_at", UtcDateTime, nullable=False),
    Column("step", RowId, nullable=False),
    Column("tally", Text, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
)

# The residents that a mass event is about, where no columns select them. Dropped when the event has ended.
mass_rows = Table(
    "mass_rows",
    metadata,
    Column("event", Text, nullable=False),
    Column("position", RowId, nullable=False),
    Column("resident_id", RowId, nullable=False),
    Column("sealed", LargeBinary),
    PrimaryKeyConstraint("event", "position"),
)

# The audit chain: never changed, never deleted.
audit_rows = Table(
    "audit_rows",
    metadata,
    Column("sequence", RowId, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)

# One row: the newest link and its signature. Whoever writes holds its lock, so writers are one after the other.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", RowId, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    # Which keys of resident codes rows are made with. Here, because who writes reads this row first.
    Column("code_keys", Generations, nullable=False, server_default="1"),
    CheckConstraint("id = 1", name="only_row"),
)
