"""The schema: made and brought up to date by numbered revisions, and checked before anything starts."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import Code, Refusal
from store.engine import open_reader, open_writer, parse_url
from store.faults import fault_of

OLDER = "the database is from an older version: stop the services, back it up and run: jpki upgrade"
_HEADER = b"SQLite format 3\0"
NEWER = "the database is from a newer version of this program: install that version"


def create(url: str) -> None:
    """Make the tables, or bring those of an older version up to date, in one transaction; nothing when they are.

    Makes the SQLite file, readable by its owner alone. Raises Refusal(BAD_CONFIGURATION), (STORE_UNAVAILABLE), (BUSY).
    """
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        _make_file(Path(parsed.database or ""))
    engine = open_writer(url)
    configuration = _configuration()
    try:
        with engine.begin() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except SQLAlchemyError as error:
        fault = fault_of(error)
    else:
        return
    finally:
        engine.dispose()
    raise fault


def check(url: str) -> list[str]:
    """What is wrong with the database's tables, in sentences that say what to do; empty when the program may use them.

    Raises Refusal(BAD_CONFIGURATION) for an address that is none; (STORE_UNAVAILABLE), (BUSY).
    """
    parsed = parse_url(url)
    if parsed.drivername == "sqlite" and not Path(parsed.database or "").exists():
        return ["there is no database file: initialise the authority, or correct the address"]
    if parsed.drivername == "sqlite" and not _begins_as_database(Path(parsed.database or "")):
        return ["the database file is no SQLite database: initialise the authority, or correct the address"]
    engine = open_reader(url)
    try:
        with engine.connect() as connection:
            found = set(MigrationContext.configure(connection).get_current_heads())
    except SQLAlchemyError as error:
        fault = fault_of(error)
    else:
        return _faults_of(found)
    finally:
        engine.dispose()
    if isinstance(fault, Refusal):
        raise fault
    return [str(fault)]


def _faults_of(found: set[str]) -> list[str]:
    """What is wrong with tables of these revisions."""
    scripts = ScriptDirectory.from_config(_configuration())
    if found == set(scripts.get_heads()):
        return []
    if not found:
        return ["the database has no tables of this program: initialise the authority, or correct the address"]
    if found <= {script.revision for script in scripts.walk_revisions()}:
        return [OLDER]
    return [NEWER]


def _begins_as_database(path: Path) -> bool:
    """By the header of https://www.sqlite.org/fileformat.html §1.3; an empty file becomes one. What cannot be read now
    may begin so."""
    try:
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
    except OSError:
        return True
    return header in (b"", _HEADER)


def _make_file(path: Path) -> None:
    try:
        path.touch(mode=0o600)
    except OSError:
        raise Refusal(
            Code.BAD_CONFIGURATION, "the database file cannot be made: its folder must exist and be writable"
        ) from None


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration
