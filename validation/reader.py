"""The program that reads documents: `python -m validation.reader`, one process for each document, with little to take.

Its standard input is a socket: for each document a descriptor comes, over which the examination is read and the finding
is written. A process is forked for it: everything is imported once, and what a document does to its process ends with
it.
"""

from __future__ import annotations

import base64
import importlib
import json
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.errors import Refusal
from domain.validations import Format
from validation.finding import Examination, Finding

Read = Callable[[Examination, Sequence[bytes]], Finding]

SECONDS = 5
"""Of processor time for a document, and twice as much by the clock."""
OCTETS = 1 << 30
"""Of address space, most of which the program itself takes."""
LIMITS: tuple[tuple[int, int], ...] = (
    (resource.RLIMIT_CPU, SECONDS),
    (resource.RLIMIT_AS, OCTETS),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 0),
    (resource.RLIMIT_NPROC, 0),
)
"""What a process for a document may take. It starts no processes, and opens nothing: no file, no connection."""


def readers() -> dict[Format, Read]:
    """What reads each format; nothing where its packages are not installed."""
    found: dict[Format, Read] = {}
    try:
        from validation.cms_signature import find_cms
        from validation.pdf_signature import find_pdf
        from validation.xml_signature import find_xml, load_schemas

        # What they would import or open later, when nothing can be opened any more.
        for late in ("cryptography.hazmat.backends.openssl.backend", "pyhanko.pdf_utils.filters"):
            importlib.import_module(late)
        load_schemas()
    except ImportError:
        return found
    return {Format.CMS: find_cms, Format.PDF: find_pdf, Format.XML: find_xml}


def main() -> None:
    """Fork for each document until the other side is gone."""
    control = socket.socket(fileno=sys.stdin.fileno())
    known = readers()
    logging.disable()  # what libraries say of documents is theirs, and goes nowhere
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return
        if os.fork() == 0:
            control.close()
            with socket.socket(fileno=descriptors[0]) as asked:
                _serve(asked, known)
            os._exit(0)
        os.close(descriptors[0])


def _serve(asked: socket.socket, known: dict[Format, Read]) -> None:
    for limit, value in LIMITS:
        resource.setrlimit(limit, (value, value))
    signal.alarm(2 * SECONDS)
    asked.sendall(b".")
    with asked.makefile("rb") as file:
        examination, authorities = decode(json.loads(file.readline()), file.read())
    asked.sendall(json.dumps(answer(known, examination, authorities)).encode())


def answer(known: dict[Format, Read], examination: Examination, authorities: Sequence[bytes]) -> dict[str, Any]:
    """The finding, or why there is none, as JSON values. Whatever a parser stumbles over, the document is refused."""
    if examination.format not in known:
        return {"refused": "what reads this format is not installed here; raw signatures can be sent"}
    try:
        finding = known[examination.format](examination, authorities)
    except Refusal as refusal:
        return {"refused": refusal.detail}
    except (Exception, RecursionError) as error:
        return {"refused": f"the document cannot be read as {examination.format.value}", "error": type(error).__name__}
    time = finding.signing_time
    return {
        "reasons": [reason.value for reason in finding.reasons],
        "time": time and {"at": time.at.isoformat(), "proven": time.proven},
    }


def encode(examination: Examination, authorities: Sequence[bytes]) -> bytes:
    """The examination as `decode` reads it: a line of JSON, then document and signature."""
    signature = examination.signature
    head = {
        "format": examination.format.value,
        "document": len(examination.document),
        "beside": signature is not None,
        "certificate": base64.b64encode(examination.certificate).decode(),
        "at": examination.at.timestamp(),
        "authorities": [base64.b64encode(one).decode() for one in authorities],
    }
    return json.dumps(head).encode() + b"\n" + examination.document + (signature or b"")


def decode(head: dict[str, Any], octets: bytes) -> tuple[Examination, list[bytes]]:
    """The examination, and the authorities of time."""
    length = head["document"]
    examination = Examination(
        Format(head["format"]),
        octets[:length],
        octets[length:] if head["beside"] else None,
        base64.b64decode(head["certificate"]),
        datetime.fromtimestamp(head["at"], UTC),
    )
    return examination, [base64.b64decode(one) for one in head["authorities"]]


if __name__ == "__main__":
    main()
