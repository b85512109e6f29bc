"""Leaked files: a tracer is found however its serial was written, and nobody else's is taken for one."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.handles import Recipient
from domain.people import NoCode
from domain.tracers import TracerName
from tests.support.authority import ITEMS
from tests.support.people import serial_of
from tracers import search as module
from tracers.register import Tracer
from tracers.search import search

TRACERS = {
    serial_of(f"tracer {place}").octets: Tracer(
        TracerName("0a" * 8, place), Recipient(place + 1), place, NoCode.drawn_from(bytes(10))
    )
    for place in range(20)
}
SERIAL, OTHER = serial_of("tracer 3").octets, serial_of("tracer 4").octets
STRANGERS = [serial_of(f"stranger {number}").octets for number in range(2000)]


def found(octets: bytes) -> set[int]:
    """Places of the tracers that are found in a file of these octets."""
    return {tracer.name.place for tracer, _ in search(io.BytesIO(octets), TRACERS)}


def pem(serial: bytes) -> bytes:
    body = base64.encodebytes(bytes(random.Random(1).randbytes(61)) + b"\x02\x10" + serial + b"more of the certificate")
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "octets": bytes,
    "octets backwards": lambda serial: serial[::-1],
    "DER": lambda serial: b"\x30\x12\x02\x10" + serial,
    "hex": lambda serial: serial.hex().encode(),
    "upper-case hex": lambda serial: serial.hex().upper().encode(),
    "hex with colons": lambda serial: serial.hex(":").encode(),
    "hex with hyphens": lambda serial: serial.hex("-", 4).encode(),
    "0x hex": lambda serial: b"0x" + serial.hex().encode(),
    "octets of C": lambda serial: ", ".join(f"0x{octet:02X}" for octet in serial).encode(),
    "escapes": lambda serial: "".join(f"\\x{octet:02x}" for octet in serial).encode(),
    "percent escapes": lambda serial: "".join(f"%{octet:02X}" for octet in serial).encode(),
    "UTF-16": lambda serial: serial.hex().encode("utf-16-le"),
    "decimal": lambda serial: str(int.from_bytes(serial)).encode(),
    "decimal with commas": lambda serial: f"{int.from_bytes(serial):,}".encode(),
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
    "base64 after one octet": lambda serial: base64.b64encode(b"x" + serial + b"tail"),
    "base64 after two octets": lambda serial: base64.b64encode(b"xy" + serial + b"tail"),
    "PEM": pem,
    "SHA-256": lambda serial: hashlib.sha256(serial).hexdigest().encode(),
    "SHA-256 of the hex": lambda serial: hashlib.sha256(serial.hex().encode()).digest(),
    "SHA-1 of the decimal": lambda serial: hashlib.sha1(str(int.from_bytes(serial)).encode()).hexdigest().encode(),
    "MD5 of the upper-case hex": lambda serial: base64.b64encode(hashlib.md5(serial.hex().upper().encode()).digest()),
    "SHA-512 of the hex with colons": lambda serial: hashlib.sha512(serial.hex(":").encode()).hexdigest().encode(),
    "first half": lambda serial: serial[:8].hex().encode(),
    "second half": lambda serial: serial[8:],
}


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("before", [0, 1, 5, 64], ids=["at the start", "behind one", "behind five", "behind many"])
def test_a_tracer_is_found_however_it_is_written(way: str, before: int) -> None:
    write = WRITTEN[way]
    strangers = b"\n".join(write(serial) for serial in STRANGERS[:50])
    octets = strangers[:before] + b"\n" + write(SERIAL) + b"\n" + strangers
    assert found(octets) == {3}


@pytest.mark.parametrize("way", WRITTEN)
def test_nobody_else_s_certificate_is_taken_for_one(way: str) -> None:
    assert found(b"\n".join(WRITTEN[way](serial) for serial in STRANGERS)) == set()


def test_nothing_is_lost_at_the_seams_of_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE", 6000)
    filler = random.Random(2).randbytes(40_000)
    for at in range(5900, 6100, 7):
        octets = filler[:at] + pem(SERIAL) + filler[at:] + OTHER.hex().encode()
        assert found(octets) == {3, 4}


def test_a_table_a_dump_and_a_database_are_searched(tmp_path: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, delimiter=";")
    writer.writerows([number, serial.hex(":"), ITEMS.name] for number, serial in enumerate((*STRANGERS, SERIAL)))
    assert found(table.getvalue().encode()) == {3}
    log = "\n".join(json.dumps({"sn": base64.b64encode(serial).decode()}) for serial in (*STRANGERS, OTHER))
    assert found(log.encode()) == {4}
    path = tmp_path / "customers.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE customers (serial BLOB)")
        database.executemany("INSERT INTO customers VALUES (?)", [(serial,) for serial in (*STRANGERS, SERIAL)])
    database.close()
    assert found(path.read_bytes()) == {3}
    assert found(gzip.compress(SERIAL.hex().encode())) == set()


def test_an_empty_file_and_no_tracers_are_nothing() -> None:
    assert found(b"") == found(b"abc") == set()
    assert search(io.BytesIO(SERIAL), {}) == {}


def test_how_it_was_written_is_told() -> None:
    forms = {form for _, form in search(io.BytesIO(SERIAL.hex().encode()), TRACERS)}
    assert "as octets, in hex" in forms
    assert search(io.BytesIO(SERIAL * 1 + b"--" + SERIAL), TRACERS)[TRACERS[SERIAL], "as octets"] == 2
