"""Several processes over one database: one chain, and no connection shared across a fork."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from audit.chain import verify
from tests.support.stores import Store, sqlite_store

ROOT = Path(__file__).parents[2]


def start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", f"tests.support.{program}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()


def test_two_processes_that_append_make_one_chain(store: Store) -> None:
    processes = [start("appending", store.url, actor, "40") for actor in ("one", "other")]
    for process in processes:
        finish(process)
    with store.begin(write=False) as work:
        assert verify(work.audit.rows(), work.audit.head(), lambda *_: True) is None
        actors = Counter(json.loads(row.body)["actor"] for row in work.audit.rows())
    assert actors == {"one": 40, "other": 40}


def test_parent_and_child_each_use_connections_of_their_own(store: Store) -> None:
    finish(start("forking", store.url))
    with store.begin(write=False) as work:
        assert work.residents.count() == 3
        assert verify(work.audit.rows(), work.audit.head(), lambda *_: True) is None


def test_a_process_that_was_killed_leaves_nothing_half_done(store: Store) -> None:
    process = start("appending", store.url, "one", "100000")
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(5)]
    process.kill()
    process.communicate(timeout=60)
    with store.begin() as work:
        assert verify(work.audit.rows(), work.audit.head(), lambda *_: True) is None
        head = work.audit.head()
    assert head is not None
    assert head.sequence > told[-1]


def test_a_file_that_may_not_grow_fails_at_the_commit_and_loses_nothing(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store:
        told = subprocess.run(
            [
                "sh",
                "-c",
                'ulimit -f 400; exec "$0" -m tests.support.appending "$1" one 1000',
                sys.executable,
                store.url,
            ],
            cwd=ROOT,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert "store-unavailable" in told.stderr.decode().splitlines()[-1]
        with store.begin() as work:
            assert verify(work.audit.rows(), work.audit.head(), lambda *_: True) is None
            head = work.audit.head()
        assert head is not None
        assert head.sequence == len(told.stdout.splitlines())
