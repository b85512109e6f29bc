"""Both services over stand-ins, as programs: `python -m tests.support.specimen status <folder> [event-loop]`.

The responder and the lists are real; the acts only repeat what they were asked. What a test wants to change while a
server runs, it writes into the folder.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from flask import Flask

from config.document import Secret
from config.settings import ListenSettings, Settings, TransportSettings
from domain.parties import Credential, Party, Role, Usage
from domain.status import GOOD
from tests.support.authority import NOW
from tests.support.lists import ISSUERS
from tests.support.people import serial_of
from tests.support.responder import admit_all, forget, make_responder
from web.server import Service, run_server, server_settings

if TYPE_CHECKING:
    from web.status import StatusParts

SERIAL = serial_of("a good certificate")


def make_settings(folder: Path, event_loop: bool = False) -> Settings:
    """Settings with free ports, one worker and two threads, and the files of `tests.support.transport`."""
    return cast(
        Settings,
        SimpleNamespace(
            api=ListenSettings("127.0.0.1:0", 1, 2),
            status=ListenSettings("127.0.0.1:0", 1, 2, event_loop),
            secrets=SimpleNamespace(key_passphrase=Secret(file=folder / "passphrase")),
            transport=TransportSettings(
                authority_certificate=folder / "transport-ca.pem",
                authority_key=folder / "transport-ca-key.pem",
                server_certificate=folder / "server.pem",
                server_key=folder / "server-key.pem",
            ),
        ),
    )


def make_status_parts(folder: Path) -> StatusParts:
    from ocsp.responder import answer
    from web.lists import ListParts
    from web.status import StatusParts

    responder = make_responder({(issuer, SERIAL): GOOD for issuer in ISSUERS})
    return StatusParts(
        answer=lambda octets, caller: answer(responder, octets, caller),
        lists=ListParts(folder, ISSUERS, admit_all, forget, lambda: NOW),
        clock=lambda: NOW,
        random=bytes,
        health=lambda: {"database": not (folder / "down").exists()},
    )


def make_status(folder: Path) -> Flask:
    from web.status import create_status

    return create_status(make_status_parts(folder))


def make_api(folder: Path) -> Flask:
    """Registered is whoever has a file in `registered/`, named by the fingerprint in hex, that holds the role."""
    from tests.support.doors import Acts, make_api_parts
    from web.api import create_api

    def credential_of(fingerprint: bytes) -> Credential | None:
        try:
            role = (folder / "registered" / fingerprint.hex()).read_text()
        except FileNotFoundError:
            return None
        party = Party(1, Role(role), "party")
        return Credential(fingerprint, Usage.TLS, party, NOW + timedelta(days=1))

    parts = make_api_parts(Acts(), folder)
    return create_api(replace(parts, status=make_status_parts(folder), credential_of=credential_of))


def main(service: Service, folder: Path, *words: str) -> None:
    settings = make_settings(folder, "event-loop" in words)
    make = make_api if service == "api" else make_status
    run_server(lambda: server_settings(service, settings), lambda: make(folder))


if __name__ == "__main__":
    main(cast(Service, sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
