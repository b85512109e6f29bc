"""Proof that a copied database gives up no resident code: the keeper's part, with keys, and what the thief looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from config.assemble import Services
from domain.errors import Code, Refusal
from domain.people import NoCode
from residents.guessing import order_by_chance, order_told
from store.inventory import every_value
from store.work import SqlBegin

_PIECE = 1 << 20
_SQLITE = b"SQLite format 3\x00"
BESIDE = ("-wal", "-journal")
"""Files of SQLite that hold rows, too."""


@dataclass(frozen=True, slots=True, repr=False)
class Keeping:
    """What the keeper found: residents on record, how many sealed values do not open with the keys for their index, how
    far the order of rows tells the order of codes (and what it would by chance), and `codes` to look for."""

    residents: int
    unopened: int
    order: float
    chance: float
    codes: Sequence[str]

    def faults(self) -> list[str]:
        """What should not be so, a sentence each."""
        found = []
        if self.unopened:
            found.append(f"{self.unopened} of {self.residents} sealed codes do not open with the keys at hand")
        if self.order > self.chance:
            found.append(
                f"the order of rows tells the order of codes (rank correlation {self.order:.2f}): records were loaded "
                "in the order of their codes"
            )
        return found


def keep(services: Services, url: str, sample: int) -> Keeping:
    """Open every sealed code of the database at `url`, and name some to look for."""
    opened: list[str] = []
    unopened = 0
    with closing(SqlBegin(url, services.signer(services.settings.audit_key))) as begin, begin(write=False) as work:
        for index, sealed in work.residents.sealed():
            try:
                code = services.sealer.unseal(index, sealed)
                if not isinstance(code, NoCode):
                    opened.append(code.digits)
            except ValueError:
                unopened += 1
    codes = opened[:: max(1, -(-len(opened) // sample))]
    return Keeping(len(opened) + unopened, unopened, order_told(opened), order_by_chance(len(opened)), codes)


def address_of(services: Services, copy: Path | None) -> str:
    """The database to look at: a copy (a SQLite file), or the one in use."""
    if copy is None:
        return services.database_url
    if not is_sqlite(copy):
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{copy.name} is no SQLite database; give the codes to look for with --codes, and its octets are searched",
        )
    return f"sqlite:///{copy.resolve()}"


def is_sqlite(path: Path) -> bool:
    """Whether the file begins as a SQLite database does."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def values_of(url: str) -> Iterator[tuple[str, str, object]]:
    """Every value in the database at `url`."""
    return every_value(url)


def file_of(url: str) -> Path | None:
    """The file of a SQLite database."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def files_of(copy: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The octets of a file, and of those that SQLite keeps beside it."""
    for path in (copy, *(copy.with_name(copy.name + ending) for ending in BESIDE)):
        if path.exists():
            yield f"octets of {path.name}", _pieces(path)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
