"""A program: use the store at the given address, fork, use it in the child, and go on using it in the parent.

A process of its own, because forking the test runner, which has threads, would not be safe.
"""

from __future__ import annotations

import os
import sys

from domain.certificates import IssuerId
from domain.events import Act, AuditEvent
from tests.support.people import serial_of
from tests.support.stores import NOW, Store, add_resident, sql_store


def use(store: Store, label: str) -> None:
    with store.begin() as work:
        add_resident(work, label)
        work.audit.append(AuditEvent(Act.RESIDENT_CHANGED, label, NOW))
        work.commit()
    with store.begin(write=False) as work:
        assert work.residents.count() > 0
    assert store.status.status_of(IssuerId("signature-g1"), serial_of(label)).word == "unknown"


def main(url: str) -> None:
    with sql_store(url) as store:
        use(store, "parent")
        child = os.fork()
        if child == 0:
            try:
                use(store, "child")
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, "the child failed"
        use(store, "parent again")


if __name__ == "__main__":
    main(sys.argv[1])
