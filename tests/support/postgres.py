"""A PostgreSQL server of the tests' own: in a temporary folder, reached through a socket there, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

_FASTER = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": "60"}
_PATIENCE = 60.0
"""Seconds to wait for the server to answer."""


def _program(name: str) -> str:
    """Debian keeps the server's programs off the PATH; the newest version counts."""
    found = shutil.which(name) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None)
    assert found, f"{name} is missing; run `make system-packages`"
    return found


class PostgresServer:
    """A server that `command` runs; `url` names one of its databases."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.folder = folder
        self._command = command
        self._count = 0

    def start(self) -> None:
        """Run, and return when connections are taken."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, "the PostgreSQL server ended at once"
                assert time.monotonic() < end, "the PostgreSQL server does not answer"
                time.sleep(0.05)
            else:
                return

    def stop(self, *, crash: bool = False) -> None:
        """Disconnect all clients and end; in a crash without a word, and without putting anything in order."""
        self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        self._process.wait(_PATIENCE)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        return self._process.pid

    def url(self, database: str) -> str:
        return f"postgresql://tests@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection as the server's owner, outside any transaction."""
        return psycopg.connect(f"dbname={database} user=tests host={self.folder}", autocommit=True)

    def new_database(self) -> str:
        """The name of a fresh, empty database."""
        self._count += 1
        name = f"database_{self._count}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def copy_database(self, original: str) -> str:
        """The name of a new database with the content of another one, in which nobody is at work."""
        self._count += 1
        name = f"database_{self._count}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(original))
        with self.connect() as connection:
            connection.execute(copy)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, and whoever is in there."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def end_sessions(self) -> None:
        """Cut every connection of the program under test, as a restart would."""
        with self.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jpki'")


@contextmanager
def running_postgres(place: Path | None = None) -> Iterator[PostgresServer]:
    """Start a server and stop it at the end. It dies with this process too, should that be killed. At a `place` of its
    own it waits for the disk, as servers do."""
    make = [_program("initdb"), "--no-sync", "--auth=trust", "--username=tests", "--encoding=UTF8", "--locale=C"]
    with _cluster([*make, "--pgdata"], place) as server:
        server.start()
        yield server


@contextmanager
def standby_of(host: str, port: int) -> Iterator[PostgresServer]:
    """A standby that follows the server at that address, started and stopped as `running_postgres` does."""
    address = ["--host", host, "--port", str(port), "--username", "tests"]
    options = ["--checkpoint=fast", "--no-sync", "--write-recovery-conf", "--wal-method=stream"]
    with _cluster([_program("pg_basebackup"), *address, *options, "--pgdata"]) as server:
        server.start()
        yield server


@contextmanager
def _cluster(make: list[str], place: Path | None = None) -> Iterator[PostgresServer]:
    """The server of a cluster in a new folder, which is made by a command that gets the folder as its last word."""
    # Not pytest's folder: root's is closed to the user the server must run as, and socket paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="jpki-postgres-", dir=place))
    prefix = ["setpriv", "--pdeathsig=QUIT"]
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        prefix += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
    cluster = folder / "cluster"
    subprocess.run([*prefix, *make, cluster], check=True, capture_output=True)
    faster = {} if place else _FASTER
    settings = {**faster, "listen_addresses": "", "unix_socket_directories": str(folder)}
    run = [_program("postgres"), "-D", str(cluster), *(f"--{name}={value}" for name, value in settings.items())]
    server = PostgresServer(folder, [*prefix, *run])
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
