"""The scene, staged once for each process of the test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.scene import Scene, staged


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with staged(tmp_path_factory.mktemp("interop")) as scene:
        yield scene
