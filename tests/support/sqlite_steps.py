"""Steps of SQLite in this process: every call by which it changes a file, and before one of them the process is killed.

The library lets its callers put other functions in the place of its system calls (sqlite3_vfs.xSetSystemCall).
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

_POINTER = ctypes.c_void_p
_SET = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_char_p, _POINTER)
_GET = ctypes.CFUNCTYPE(_POINTER, _POINTER, ctypes.c_char_p)

_LONG, _INT, _TEXT = ctypes.c_ssize_t, ctypes.c_int, ctypes.c_char_p
CALLS: dict[str, Any] = {
    "open": ctypes.CFUNCTYPE(_INT, _TEXT, _INT, _INT, use_errno=True),
    "write": ctypes.CFUNCTYPE(_LONG, _INT, _POINTER, ctypes.c_size_t, use_errno=True),
    "pwrite": ctypes.CFUNCTYPE(_LONG, _INT, _POINTER, ctypes.c_size_t, ctypes.c_int64, use_errno=True),
    "pwrite64": ctypes.CFUNCTYPE(_LONG, _INT, _POINTER, ctypes.c_size_t, ctypes.c_int64, use_errno=True),
    "ftruncate": ctypes.CFUNCTYPE(_INT, _INT, ctypes.c_int64, use_errno=True),
    "unlink": ctypes.CFUNCTYPE(_INT, _TEXT, use_errno=True),
}
"""Those that leave something behind. A call of `open` that makes no file is none of them."""


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""


_Vfs._fields_ = [
    ("version", _INT),
    ("file_size", _INT),
    ("longest_path", _INT),
    ("next", _POINTER),
    ("name", _TEXT),
    ("application", _POINTER),
    *((f"method_{number}", _POINTER) for number in range(13)),
    ("set_system_call", _SET),
    ("get_system_call", _GET),
    ("next_system_call", _POINTER),
]
_KEPT: list[object] = []
"""What the library holds pointers to."""


def kill_before(last: int | None) -> Callable[[], int]:
    """From now on this process sends itself SIGKILL before step number `last` (from 0); gives how many steps there
    were so far."""
    taken = 0

    def step() -> None:
        nonlocal taken
        if taken == last:
            os.kill(os.getpid(), signal.SIGKILL)
        taken += 1

    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    vfs = library.sqlite3_vfs_find(None)
    assert vfs.contents.version >= 3
    for name, form in CALLS.items():
        address = vfs.contents.get_system_call(ctypes.cast(vfs, _POINTER), name.encode())
        if address:
            wrapped = form(_stepped(form(address), step, makes=name == "open"))
            _KEPT.append(wrapped)
            status = vfs.contents.set_system_call(
                ctypes.cast(vfs, _POINTER), name.encode(), ctypes.cast(wrapped, _POINTER)
            )
            assert status == 0
    return lambda: taken


def _stepped(act: Callable[..., int], step: Callable[[], None], *, makes: bool) -> Callable[..., int]:
    def stepped(*arguments: Any) -> int:
        if not makes or (arguments[1] & os.O_CREAT and not Path(os.fsdecode(arguments[0])).exists()):
            step()
        return act(*arguments)

    return stepped
