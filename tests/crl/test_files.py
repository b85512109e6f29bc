"""List files: whole before and after, whatever happens between."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from crl.files import read_current, swap_in
from tests.support.lists import AUTHORITY_SCOPE, ELSEWHERE, SCOPE

OLD, NEW = b"the old list", b"the new list, which is longer"


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_nothing_is_there_before_the_first_list(tmp_path: Path) -> None:
    assert read_current(tmp_path / "crl", SCOPE) is None


def test_a_list_is_put_in_place_with_its_digest_beside_it(tmp_path: Path) -> None:
    swap_in(tmp_path, SCOPE, OLD)
    assert read_current(tmp_path, SCOPE) == OLD
    assert names_in(tmp_path / "signature-g1") == {"13221.crl", "13221.crl.sha256"}
    subprocess.run(
        ["sha256sum", "--check", "--strict", "13221.crl.sha256"],
        cwd=tmp_path / "signature-g1",
        check=True,
        capture_output=True,
    )


def test_a_new_list_replaces_the_old_one_and_no_other(tmp_path: Path) -> None:
    for scope in (SCOPE, ELSEWHERE, AUTHORITY_SCOPE):
        swap_in(tmp_path, scope, OLD)
    swap_in(tmp_path, SCOPE, NEW)
    assert read_current(tmp_path, SCOPE) == NEW
    assert read_current(tmp_path, ELSEWHERE) == read_current(tmp_path, AUTHORITY_SCOPE) == OLD


def test_who_reads_the_old_list_reads_it_to_its_end(tmp_path: Path) -> None:
    swap_in(tmp_path, SCOPE, OLD)
    with (tmp_path / SCOPE.path).open("rb") as reader:
        begun = reader.read(3)
        swap_in(tmp_path, SCOPE, NEW)
        assert begun + reader.read() == OLD


@pytest.mark.parametrize(
    ("target", "name", "call", "content"),
    [
        pytest.param(os, "fsync", 1, OLD, id="while-the-list-is-written"),
        pytest.param(Path, "replace", 1, OLD, id="before-the-list-is-renamed"),
        pytest.param(os, "fsync", 2, NEW, id="while-the-digest-is-written"),
        pytest.param(Path, "replace", 2, NEW, id="before-the-digest-is-renamed"),
        pytest.param(os, "fsync", 3, NEW, id="before-the-folder-is-synced"),
    ],
)
def test_a_crash_leaves_a_whole_list_and_the_next_swap_tidies_up(
    target: Any, name: str, call: int, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap_in(tmp_path, SCOPE, OLD)
    calls, real = itertools.count(1), getattr(target, name)

    def crash(*arguments: Any) -> Any:
        if next(calls) == call:
            raise OSError("the power is gone")
        return real(*arguments)

    monkeypatch.setattr(target, name, crash)
    with pytest.raises(OSError, match="the power is gone"):
        swap_in(tmp_path, SCOPE, NEW)
    assert read_current(tmp_path, SCOPE) == content
    swap_in(tmp_path, SCOPE, NEW)
    assert read_current(tmp_path, SCOPE) == NEW
    assert names_in(tmp_path / "signature-g1") == {"13221.crl", "13221.crl.sha256"}
    digest = (tmp_path / "signature-g1" / "13221.crl.sha256").read_text()
    assert digest == f"{hashlib.sha256(NEW).hexdigest()}  13221.crl\n"


def test_the_content_is_on_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        kind = "folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file"  # noqa: PTH112
        steps.append(f"sync {kind}")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append(f"rename to {target.name}")
        return real_replace(self, target)

    (tmp_path / "signature-g1").mkdir()
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    swap_in(tmp_path, SCOPE, NEW)
    assert steps == [
        *("sync file", "rename to 13221.crl"),
        *("sync file", "rename to 13221.crl.sha256"),
        "sync folder",
    ]
