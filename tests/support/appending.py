"""A program: append so many audit events to the store at the given address, one unit of work each, and say so."""

from __future__ import annotations

import sys

from domain.events import Act, AuditEvent
from tests.support.stores import NOW, sql_store


def main(url: str, actor: str, count: int) -> None:
    with sql_store(url, lock_wait=30) as store:
        for number in range(count):
            with store.begin() as work:
                work.audit.append(AuditEvent(Act.RESIDENT_CHANGED, actor, NOW, {"number": number}))
                work.commit()
            print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
