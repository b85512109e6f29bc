"""A program: `python -m tests.support.skewed SECONDS ARGUMENTS` is `jpki` on a machine whose clock is wrong by that."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from config import assemble

_right = assemble.system_clock
_WRONG = timedelta(seconds=float(sys.argv[1]))


def wrong_clock() -> datetime:
    """Only the wall's: time goes by as on any other machine."""
    return _right() + _WRONG


if __name__ == "__main__":
    assemble.system_clock = wrong_clock
    from cli.main import main

    main(sys.argv[2:])
