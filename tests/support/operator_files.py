"""What an operator keeps, made up from a seed: ordinary rows and log lines, and serials written in many ways."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import quopri
import struct
import uuid
from collections.abc import Callable, Iterator
from random import Random
from urllib.parse import quote

from domain.serial import OCTETS, SerialNumber

Write = Callable[[bytes, Random], bytes]
"""A serial's 16 octets, written in some way."""

_B36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def serials_of(seed: int, count: int) -> bytes:
    """So many serials, 16 octets each, side by side."""
    chance = Random(seed)
    return b"".join(SerialNumber.drawn_from(chance.randbytes(OCTETS)).octets for _ in range(count))


def each(serials: bytes) -> list[bytes]:
    """The serials one by one."""
    return [serials[start : start + OCTETS] for start in range(0, len(serials), OCTETS)]


def _decimal(octets: bytes, separator: str = "") -> str:
    return f"{int.from_bytes(octets):,}".replace(",", separator)


def _radix(octets: bytes, alphabet: str) -> bytes:
    number, written = int.from_bytes(octets), ""
    while number:
        number, digit = divmod(number, len(alphabet))
        written = alphabet[digit] + written
    return written.encode()


def _certificate(octets: bytes, chance: Random) -> bytes:
    """What surrounds a serial in a certificate: enough of it for a search."""
    return b"\x30\x82\x05\x10\x30\x82\x03\xf8\xa0\x03\x02\x01\x02\x02\x10" + octets + chance.randbytes(700)


def _pem(octets: bytes, chance: Random) -> bytes:
    body = base64.encodebytes(_certificate(octets, chance)).replace(b"\n", b"")
    lines = b"\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----"


KNOWN: dict[str, Write] = {
    "octets": lambda o, _: o,
    "hex": lambda o, _: o.hex().encode(),
    "capital hex": lambda o, _: o.hex().upper().encode(),
    "hex with colons": lambda o, _: o.hex(":").encode(),
    "hex with spaces": lambda o, _: o.hex(" ").upper().encode(),
    "UUID": lambda o, _: str(uuid.UUID(bytes=o)).encode(),
    "0x": lambda o, _: b"0x" + o.hex().encode(),
    "decimal": lambda o, _: _decimal(o).encode(),
    "base64": lambda o, _: base64.b64encode(o),
    "base64 for addresses": lambda o, _: base64.urlsafe_b64encode(o).rstrip(b"="),
    "base64, one octet late": lambda o, c: base64.b64encode(c.randbytes(1) + o + c.randbytes(5)),
    "base64, two octets late": lambda o, c: base64.b64encode(c.randbytes(2) + o + c.randbytes(5)),
    "certificate": _certificate,
    "certificate in PEM": _pem,
    "CertID": lambda o, c: (
        b"\x30\x51\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14" + c.randbytes(40) + b"\x02\x10" + o
    ),
    "entry of a list": lambda o, c: b"\x30\x2f\x02\x10" + o + b"\x17\x0d270401000000Z\x30\x0c",
    "first 8 octets in hex": lambda o, _: o[:8].hex().encode(),
    "last 8 octets in hex": lambda o, _: o[8:].hex().encode(),
    "first 12 octets in base64": lambda o, _: base64.b64encode(o[:12]),
    "SHA-256 of hex": lambda o, _: hashlib.sha256(o.hex().encode()).hexdigest().encode(),
    "SHA-1 of decimal": lambda o, _: hashlib.sha1(_decimal(o).encode()).hexdigest().encode(),
    "MD5 of octets": lambda o, _: hashlib.md5(o).hexdigest().encode(),
    "SHA-256 of capital hex in base64": lambda o, _: base64.b64encode(
        hashlib.sha256(o.hex().upper().encode()).digest()
    ),
    "salted SHA-256": lambda o, _: hashlib.sha256(b"salt" + o.hex().encode()).hexdigest().encode(),
    "HMAC with a common key": lambda o, _: hmac.digest(b"secret", o.hex().encode(), "sha256").hex().encode(),
    "SHA-256 of hex and a line feed": lambda o, _: hashlib.sha256(o.hex().encode() + b"\n").hexdigest().encode(),
    "UTF-16 of hex": lambda o, _: o.hex().encode("utf-16-le"),
    "UTF-16 of decimal, high octet first": lambda o, _: _decimal(o).encode("utf-16-be"),
}
"""Ways of writing that the search is made for."""

HELD_OUT: dict[str, Write] = {
    "hex between odd separators": lambda o, _: " | ".join(o.hex()[n : n + 2] for n in range(0, 32, 2)).encode(),
    "hex in threes": lambda o, _: "__".join(o.hex()[n : n + 3] for n in range(0, 32, 3)).encode(),
    "a C array": lambda o, _: ", ".join(f"0x{octet:02X}" for octet in o).encode(),
    "base32": lambda o, _: base64.b32encode(o),
    "small base32 without padding": lambda o, _: base64.b32encode(o).rstrip(b"=").lower(),
    "base36": lambda o, _: _radix(o, _B36),
    "base58": lambda o, _: _radix(o, _B58),
    "JSON escapes": lambda o, _: json.dumps(o.decode("latin-1")).encode(),
    "JSON escapes of every octet": lambda o, _: "".join(f"\\u00{octet:02x}" for octet in o).encode(),
    "Latin-1 in UTF-8": lambda o, _: o.decode("latin-1").encode(),
    "bytea escapes": lambda o, _: "".join(_octal(octet) for octet in o).encode(),
    "bytea in hex": lambda o, _: b"\\\\x" + o.hex().encode(),
    "a Python literal": lambda o, _: repr(o).encode(),
    "percent escapes": lambda o, _: quote(o).encode(),
    "quoted-printable": lambda o, _: quopri.encodestring(o).replace(b"=\n", b""),
    "entities": lambda o, _: "".join(f"&#{octet};" for octet in o).encode(),
    "a list of numbers": lambda o, _: json.dumps(list(o)).encode(),
    "a list of signed numbers": lambda o, _: json.dumps(list(struct.unpack("16b", o))).encode(),
    "decimal with commas": lambda o, _: _decimal(o, ",").encode(),
    "decimal with narrow spaces": lambda o, _: _decimal(o, "\N{NARROW NO-BREAK SPACE}").encode(),
    "octal": lambda o, _: f"{int.from_bytes(o):o}".encode(),
    "binary": lambda o, _: f"{int.from_bytes(o):b}".encode(),
    "octets, last first": lambda o, _: o[::-1],
    "hex, last octet first": lambda o, _: o[::-1].hex().encode(),
    "hex in full width": lambda o, _: _wide(o.hex()).encode(),
    "hex in full width in Shift_JIS": lambda o, _: _wide(o.hex()).encode("cp932"),
    "decimal in full width in EUC-JP": lambda o, _: _wide(_decimal(o)).encode("euc-jp"),
    "octets as MySQL dumps them": lambda o, _: b"_binary '" + b"".join(_mysql(octet) for octet in o) + b"'",
    "entities in hex": lambda o, _: "".join(f"&#x{octet:X};" for octet in o).encode(),
    "code points in braces": lambda o, _: "".join(f"\\u{{{octet:x}}}" for octet in o).encode(),
    "hex within a token": lambda o, c: _token({"sub": o.hex(), "iat": c.randrange(10**9)}),
    "decimal within a token": lambda o, c: _token({"iat": c.randrange(10**9), "sub": _decimal(o)}),
    "PEM in JSON": lambda o, c: json.dumps(_pem(o, c).decode()).encode(),
    "PEM as PHP writes it": lambda o, c: json.dumps(_pem(o, c).decode()).replace("/", "\\/").encode(),
    "last 8 octets as a signed number": lambda o, _: str(int.from_bytes(o[8:], signed=True)).encode(),
    "first 8 octets as a number": lambda o, _: str(int.from_bytes(o[:8])).encode(),
}
"""Ways that nothing in the search has a name for, or that were written after it."""


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


def _mysql(octet: int) -> bytes:
    escaped = {0: b"0", 10: b"n", 13: b"r", 26: b"Z", 34: b'"', 39: b"'", 92: b"\\"}
    return b"\\" + escaped[octet] if octet in escaped else bytes((octet,))


def _octal(octet: int) -> str:
    if octet == 0x5C:
        return "\\\\"
    return chr(octet) if 32 <= octet < 127 else f"\\{octet:03o}"


def _token(content: dict[str, object]) -> bytes:
    parts = ({"alg": "HS256", "typ": "JWT"}, content)
    return b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts) + b".c2ln"


NAMES = ("佐藤 花子", "鈴木 一郎", "高橋 美咲", "田中 健", "伊藤 さくら", "渡辺 翔")
TOWNS = ("東京都清瀬市", "大阪府大阪市北区", "愛知県名古屋市中区", "北海道札幌市中央区")


def order_row(chance: Random) -> bytes:
    """A line of a table of orders."""
    return (
        f"{chance.randrange(10**8)},{uuid.UUID(int=chance.getrandbits(128), version=4)},{chance.choice(NAMES)},"
        f'"{chance.choice(TOWNS)}{chance.randrange(9)}-{chance.randrange(99)}",0{chance.randrange(70, 99)}'
        f"{chance.randrange(10**8):08d},{chance.randrange(10**6)},2026-{chance.randrange(1, 13):02d}-"
        f"{chance.randrange(1, 29):02d}T{chance.randrange(24):02d}:10:00Z,"
        f"{chance.randbytes(32).hex()},{base64.b64encode(chance.randbytes(24)).decode()}\n"
    ).encode()


def log_line(chance: Random) -> bytes:
    """A line of a web server's log."""
    page = quote(chance.choice(TOWNS))
    return (
        f"10.{chance.randrange(255)}.{chance.randrange(255)}.4 - - [23/Nov/2026:18:{chance.randrange(60):02d}:12] "
        f'"GET /api/customers/{chance.randrange(10**6)}/orders?q={page}&page={chance.randrange(99)} HTTP/1.1" 200 '
        f'{chance.randrange(10**5)} "-" "Mozilla/5.0 (X11; Linux x86_64)" request_id={chance.randbytes(8).hex()} '
        f"trace={chance.randbytes(16).hex()} took={chance.random():.6f}\n"
    ).encode()


def event_line(chance: Random) -> bytes:
    """A line of JSON."""
    content = {
        "at": chance.randrange(10**13),
        "session": base64.urlsafe_b64encode(chance.randbytes(32)).decode(),
        "etag": hashlib.sha1(chance.randbytes(4)).hexdigest(),
        "balance": chance.randrange(10**15),
        "place": [chance.uniform(30, 45), chance.uniform(130, 145)],
        "note": chance.choice(NAMES),
        "pixels": [chance.randrange(256) for _ in range(24)],
    }
    return json.dumps(content, ensure_ascii=chance.random() < 0.5).encode() + b"\n"


def image_line(chance: Random) -> bytes:
    """An image within a line."""
    return b"data:image/png;base64," + base64.b64encode(chance.randbytes(1200)) + b"\n"


LINES: tuple[Callable[[Random], bytes], ...] = (order_row, log_line, event_line, image_line)


def text_of(seed: int, octets: int, lines: tuple[Callable[[Random], bytes], ...] = LINES) -> Iterator[bytes]:
    """Lines of these kinds, so many octets of them or a few more."""
    chance = Random(seed)
    done = 0
    while done < octets:
        line = chance.choice(lines)(chance)
        done += len(line)
        yield line
