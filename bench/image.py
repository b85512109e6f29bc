"""An image: a file system in a file that only this process and its children see, and that can be filled, or fail."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from time import sleep

_INSIDE = "BENCH_INSIDE"
_PATIENCE = 8


def enter() -> None:
    """Run this program again with mounts of its own, unless it has them already; they end with it."""
    if _INSIDE not in os.environ:
        if os.geteuid() != 0:
            raise SystemExit("root alone may mount file systems")
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.orig_argv[1:]]
        os.execvpe(command[0], command, {**os.environ, _INSIDE: "1"})  # noqa: S606 - no shell is wanted


class Image:
    """ext4 of so many MiB at `place`. When it fails, the system lets nobody write any more, as after an error of the
    disk (`errors=remount-ro`)."""

    def __init__(self, folder: Path, size: int) -> None:
        self._file, self.place = folder / "image", folder / "disk"
        self._ballast = self.place / "ballast"
        with self._file.open("wb") as file:
            file.truncate(size << 20)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._file))
        self.place.mkdir()
        self._mount()

    def fill(self) -> None:
        """To the last octet; again, when somebody removed something."""
        with self._ballast.open("ab", buffering=0) as file:
            size = 1 << 20
            while size:
                try:
                    if not file.write(bytes(size)):
                        break
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size >>= 1
            os.fsync(file.fileno())

    def free(self) -> None:
        self._ballast.unlink()

    def fail(self) -> None:
        _run("mount", "-o", "remount,abort", str(self.place))

    def repair(self) -> None:
        """Once nobody has a file open there: as when the machine is started again."""
        self._unmount()
        done = subprocess.run(["e2fsck", "-p", self._file], capture_output=True, check=False)
        if done.returncode > 1:  # 1 says that it found something and repaired it
            raise RuntimeError(f"the file system cannot be repaired: {done.stdout!r}")
        self._mount()

    def close(self) -> None:
        _run("umount", "--lazy", str(self.place))  # its mount ends with this program at the latest
        self._file.unlink()

    def _mount(self) -> None:
        _run("mount", "-o", "loop,errors=remount-ro", str(self._file), str(self.place))

    def _unmount(self) -> None:
        for _ in range(_PATIENCE):
            if subprocess.run(["umount", self.place], capture_output=True, check=False).returncode == 0:
                return
            sleep(1)
        _run("umount", str(self.place))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
