"""Everything a database holds is read, table by table, without its own ways of reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.code_keys import CodeKeyRecord
from domain.errors import Code, Refusal
from store.inventory import every_value
from store.metadata import metadata
from tests.support.stores import NOW, Store, add_resident, digest_of


def test_every_table_and_column_is_read(store: Store) -> None:
    with store.begin() as work:
        add_resident(work, "one")
        work.code_keys.put(CodeKeyRecord(1, digest_of("check"), NOW, kept=b"kept"))
        work.commit()
    found = list(every_value(store.url))
    by_place = {f"{table}.{column}": value for table, column, value in found}
    assert bytes(by_place["residents.code_index"]) == digest_of("one")  # type: ignore[call-overload]
    assert bytes(by_place["code_keys.kept"]) == b"kept"  # type: ignore[call-overload]
    columns = {column for table, column, _ in found if table == "residents"}
    assert columns == set(metadata.tables["residents"].columns.keys())
    assert ("alembic_version", "version_num") in {(table, column) for table, column, _ in found}


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"SQLite format 3\x00 and nothing more")
    with pytest.raises(Refusal) as refused:
        list(every_value(f"sqlite:///{tmp_path / 'x'}"))
    assert refused.value.code is Code.STORE_UNAVAILABLE
