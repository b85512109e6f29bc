"""Nodes: what a machine has to give status by itself, as long as it hears from the database."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from threading import Event, Thread
from time import CLOCK_BOOTTIME, clock_gettime_ns

from config.settings import Settings
from domain.errors import Code, Refusal
from domain.gauges import Gauge
from domain.ports import Clock, Steady
from store.feed import StatusFeed
from store.follower import StatusFollower
from store.grants import status_grants
from store.model import StatusModel
from store.model_status import ModelStatusLookup
from store.status import SqlStatusLookup

__all__ = ["StatusNode", "status_grants", "system_steady"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_BOOT_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.\d+)?")
_FORM = ".2"
"""Of the model's files: an older program that still runs keeps files of its own."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,45}")

_PATIENCE = 10.0
"""Seconds for the thread that follows to end: it may be applying changes."""


system_steady: Steady = partial(clock_gettime_ns, CLOCK_BOOTTIME)
"""Nanoseconds since the machine was started, time asleep included."""


class StatusNode:
    """The status model of a machine, or of one of several nodes on it that have names, with what keeps it. Each part is
    made when first asked for."""

    def __init__(self, settings: Settings, url: str, clock: Clock, name: str | None) -> None:
        """Raises Refusal(BAD_CONFIGURATION)."""
        if name is not None and not _NAME.fullmatch(name):
            raise Refusal(Code.BAD_CONFIGURATION, "a node's name has up to 46 small letters, digits and hyphens")
        self._settings, self._url, self._clock, self._name = settings, url, clock, name
        self._over, self._following = Event(), list[Thread]()
        self.folder = settings.model.folder / name if name else settings.model.folder

    @cached_property
    def lookup(self) -> ModelStatusLookup:
        """What the model says, or the database itself."""
        return ModelStatusLookup(self.model, self.source, self._clock, system_steady, self._settings.model.max_age)

    @cached_property
    def source(self) -> SqlStatusLookup:
        return SqlStatusLookup(self._url)

    @cached_property
    def feed(self) -> StatusFeed:
        return StatusFeed(self._url)

    @property
    def is_shared(self) -> bool:
        """Whether other machines may work with the same database."""
        return self.feed.postgresql

    @cached_property
    def model(self) -> StatusModel:
        # Its writes are not waited for, so after a power cut it may be anything: each start of the machine has its own.
        return StatusModel(self.folder / _folder_now())

    @cached_property
    def follower(self) -> StatusFollower:
        follower = StatusFollower(self.model, self.feed, self._clock, system_steady, self.folder)
        follower.make_elsewhere = self._make_elsewhere
        return follower

    def keep_following(self) -> None:
        """Have a thread of this process keep the model up to date until `close`, whenever no other process of the node
        does."""
        arguments = (self._settings.model.poll, self._over)
        thread = Thread(target=self.follower.run, args=arguments, name="status-follower", daemon=True)
        self._following.append(thread)
        thread.start()

    def make(self, *, anew: bool = False) -> int:
        """Make the model, or a new base of it, if that is due, or `anew`; how many certificates are in it. What earlier
        starts of the machine left is removed. Raises as `StatusFollower.make` does."""
        count = self.follower.make(anew=anew)
        now = _folder_now()
        for path in self.folder.iterdir():
            if _BOOT_FORM.fullmatch(path.name) and path.name != now:
                shutil.rmtree(path, ignore_errors=True)
        return count

    def gauges(self) -> Sequence[Gauge]:
        """How old the model is and how far behind; what cannot be told while the database is away is left out."""
        age = self.lookup.age()
        certificates, changes, met = self.lookup.standing()
        found = [
            _gauge("jpki_status_model_certificates", "Certificates in the base of the status model", certificates),
            _gauge("jpki_status_model_changes", "Changes beside the base of the status model", changes),
            _gauge("jpki_status_model_believed", "1 while the status model is believed without the database",
                   self.lookup.is_fresh()),
        ]  # fmt: skip
        if age is not None:
            meaning = "Seconds since the status model was seen to have all changes"
            found.append(_gauge("jpki_status_model_age_seconds", meaning, age))
        with suppress(Refusal):
            behind = self.feed.newest().sequence - met
            found.append(_gauge("jpki_status_model_behind", "Changes that the status model has not met yet", behind))
        return found

    def _make_elsewhere(self) -> None:
        command = [sys.executable, "-m", "cli", "--state", str(self._settings.state), "model", "make"]
        named = ["--node", self._name] if self._name else []
        subprocess.run([*command, *named], check=True, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        """End the following, and close connections and files that are open."""
        self._over.set()
        while self._following:
            self._following.pop().join(_PATIENCE)
        self._over = Event()
        for part in ("source", "feed", "model"):
            if part in self.__dict__:
                getattr(self, part).close()


def _folder_now() -> str:
    return _BOOT.read_text("ascii").strip() + _FORM


def _gauge(name: str, meaning: str, value: float) -> Gauge:
    return Gauge(name, meaning, (((), value),))
