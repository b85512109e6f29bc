"""A site: an authority whose disk can be spoilt under it."""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import psycopg

from bench.house import make_house
from bench.image import Image
from bench.supervisor import readiness, supervised
from config.assemble import Services, assemble
from config.settings import Settings
from tests.support.postgres import PostgresServer, running_postgres

_SIZE = 768
"""MiB."""
_PATIENCE = 5.0
"""Seconds within which a service says how it is."""


class Site:
    """An authority whose disk can be spoilt: the state directory and everything temporary lie there, or the cluster of
    its database server. Who keeps services running on a machine starts the server again whenever it ended."""

    def __init__(self, folder: Path, engine: str, stack: ExitStack) -> None:
        folder.chmod(0o711)  # the server has a user of its own
        self.image = Image(folder, _SIZE)
        stack.callback(self.image.close)
        self.server: PostgresServer | None = None
        database, place = "", self.image.place
        if engine == "postgresql":
            self.server = stack.enter_context(running_postgres(place))
            database, place = self.server.url(self.server.new_database()), folder
        self.state, self.log = place / "house", place / "serve.log"
        os.environ["TMPDIR"] = str(place / "temporary")
        (place / "temporary").mkdir()
        with closing(make_house(self.state, database, workers=2)) as services:
            self.settings = services.settings

    def services(self) -> closing[Services]:
        return closing(assemble(self.state))

    @contextmanager
    def running(self) -> Iterator[int]:
        """The server, and `jpki serve`; its process."""
        if self.server and not self.server.is_running:
            self.server.start()
        stop = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(stop,))
        keeper.start()
        try:
            with supervised(self.settings, self.log) as process:
                yield process
        finally:
            stop.set()
            keeper.join()

    def _keep(self, stop: threading.Event) -> None:
        while self.server and not stop.wait(1.0):
            if not self.server.is_running:
                with suppress(AssertionError, OSError):
                    self.server.start()

    def shut_down(self) -> None:
        """End what is left at work on the disk, and let go of what this program has open there."""
        gc.collect()
        if self.server and self.server.is_running:
            self.server.stop(crash=True)

    def switch_log(self) -> None:
        """Have the server begin the next segment of its log, for which there is no room."""
        if self.server:
            with suppress(psycopg.Error), self.server.connect() as connection:
                connection.execute("SELECT pg_switch_wal()")


class Watch:
    """Looks at what services say of themselves while there is trouble: `said` counts whether they are ready, and which
    parts are not well; `silent` are those who did not even say that they live."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.said: Counter[str] = Counter()
        self.silent = 0

    def look(self, seconds: float, spoil: Callable[[], object]) -> None:
        """For that long, doing `spoil` before each look."""
        end = monotonic() + seconds
        while monotonic() < end:
            spoil()
            for service in ("api", "status"):
                status, told = readiness(self._settings, service, patience=_PATIENCE)
                ill = [name for name, well in told.get("parts", {}).items() if not well]
                self.said[f"{service}: {' '.join([str(status), *ill])}"] += 1
                self.silent += readiness(self._settings, service, "/healthz", _PATIENCE)[0] != 200
            sleep(0.5)
