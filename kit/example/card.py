"""A card in software, to try the service with: it has a certificate and its key in files, where a card has them inside.

    python card.py http://127.0.0.1:8000 certificate.pem key.pem

A real card does the same: the applet is selected, the PIN of the authentication key is verified (four digits), and the
card computes the signature over the DigestInfo of SHA-256 of the challenge. With OpenSC at a terminal:

    pkcs11-tool --login --id 1 --sign --mechanism SHA256-RSA-PKCS --input-file challenge --output-file signature
    pkcs11-tool --id 1 --type cert --read-object --output-file certificate.der

In a browser it takes a program beside it that speaks to the card reader, or the phone's app; what travels is what
travels here.
"""

from __future__ import annotations

import base64
import json
import sys
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def sign(key: Path, octets: bytes) -> bytes:
    """What the card computes: PKCS #1 v1.5 and SHA-256 with RSA, ECDSA and SHA-384 on P-384."""
    loaded = load_pem_private_key(key.read_bytes(), None)
    if isinstance(loaded, rsa.RSAPrivateKey):
        return loaded.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(loaded, ec.EllipticCurvePrivateKey):
        return loaded.sign(octets, ec.ECDSA(hashes.SHA384()))
    raise ValueError("a card has a key of RSA or on P-384")


def post(opener: OpenerDirector, url: str, **content: bytes) -> dict[str, str]:
    """What the service answers, good or not."""
    body = json.dumps({name: base64.b64encode(octets).decode() for name, octets in content.items()}).encode()
    try:
        with opener.open(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as answer:  # noqa: S310
            found: dict[str, str] = json.load(answer)
    except HTTPError as error:
        with error:
            found = json.load(error)
    return found


def main(url: str, certificate: str, key: str) -> None:
    """Log in, and say what came of it."""
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    challenge = post(opener, f"{url}/challenge")["challenge"].encode()
    sent = {"certificate": Path(certificate).read_bytes(), "signature": sign(Path(key), challenge)}
    sys.stdout.write(json.dumps(post(opener, f"{url}/log-in", **sent), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
