"""Output: drawn for people, plain for pipes and logs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

from cli.output import progress, table


class Screen(io.StringIO):
    """Output with somebody looking at it."""

    def isatty(self) -> bool:
        return True


def test_in_a_pipe_a_table_is_tab_separated() -> None:
    with redirect_stdout(io.StringIO()) as out:
        table(("a", "b"), [(1, None), ("x y", "[bold]z")])
    assert out.getvalue() == "a\tb\n1\t\nx y\t[bold]z\n"


def test_in_a_pipe_rows_appear_as_they_come() -> None:
    out = io.StringIO()

    def rows() -> Iterator[tuple[str]]:
        yield ("first",)
        assert out.getvalue() == "a\nfirst\n"
        yield ("second",)

    with redirect_stdout(out):
        table(("a",), rows())
    assert out.getvalue() == "a\nfirst\nsecond\n"


def test_on_a_screen_a_table_is_drawn_and_its_cells_stay_as_they_are() -> None:
    with redirect_stdout(Screen()) as out:
        table(("name", "until"), [("[red]bank[/red]", None)])
    assert "[red]bank[/red]" in out.getvalue()
    assert "\t" not in out.getvalue()


def test_in_a_log_progress_is_ten_lines_at_most() -> None:
    with redirect_stderr(io.StringIO()) as err, progress("rows") as advance:
        for done in range(1, 1001):
            advance(done, 1000)
    lines = err.getvalue().splitlines()
    assert lines[0] == "rows: 1 of 1000"
    assert lines[-1] == "rows: 1000 of 1000"
    assert len(lines) == 11


def test_progress_of_nothing_is_whole() -> None:
    with redirect_stderr(io.StringIO()) as err, progress("rows") as advance:
        advance(0, 0)
    assert err.getvalue() == "rows: 0 of 0\n"


def test_on_a_screen_progress_is_a_bar() -> None:
    with redirect_stderr(Screen()) as err, progress("rows") as advance:
        advance(5, 10)
        advance(10, 10)
    assert "rows" in err.getvalue()
    assert "10/10" in err.getvalue()
