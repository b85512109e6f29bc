"""What tests of this room share: the stores they run on."""

from __future__ import annotations

import pytest

from domain.ports import Begin
from tests.support.stores import Store


@pytest.fixture
def begin(store: Store) -> Begin:
    """Opens units of work of an empty store, on each database in turn."""
    return store.begin
