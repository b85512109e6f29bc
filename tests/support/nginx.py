"""nginx in a process of its own, behind a socket in a folder, for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 30.0

_FRAME = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


def _program() -> str:
    """Debian keeps it where users do not look."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert found, "nginx is missing; run `make system-packages`"
    return found


@contextmanager
def nginx(servers: str) -> Iterator[Path]:
    """Run these `server` blocks, in which `SOCKET` stands for the socket that is given."""
    folder = Path(tempfile.mkdtemp(prefix="jpki-nginx-"))  # paths of sockets must be short
    socket, settings = folder / "socket", folder / "nginx.conf"
    settings.write_text(_FRAME.format(folder=folder, servers=servers.replace("SOCKET", f"unix:{socket}")), "utf-8")
    process = subprocess.Popen([_program(), "-p", folder, "-e", folder / "error.log", "-c", settings])
    try:
        end = time.monotonic() + _PATIENCE
        while not socket.exists():
            assert process.poll() is None, (folder / "error.log").read_text("utf-8")
            assert time.monotonic() < end, "nginx does not listen"
            time.sleep(0.02)
        yield socket
    finally:
        process.terminate()
        process.wait(_PATIENCE)
        shutil.rmtree(folder)
