"""The parts that batches of applications are taken and worked off with."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from ca.batch_work import Worker
from ca.batches import Batching
from config.assemble import Services


def make_batching(services: Services, read: Callable[[bytes], Mapping[str, Any]]) -> Batching:
    """What batches work with; `read` is the door's reader of a line."""
    return Batching(services.authority, services.settings.batches.policy, read)


def make_worker(services: Services, batching: Batching, slot: int) -> Worker:
    """A worker in that slot, under a name that no other has."""
    return Worker(batching, slot, f"{socket.gethostname()}:{os.getpid()}:{services.random(4).hex()}")
