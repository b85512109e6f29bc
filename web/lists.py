"""The doors for revocation lists and issuer certificates: files with validators, ranges and honest lifetimes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Response, request

from domain.certificates import Issuer, IssuerId
from domain.errors import Code, Refusal
from domain.ports import Clock
from domain.provisions import Channel, Provision, Record
from web.editions import Editions
from web.ocsp import Caller

LIST_AGE = timedelta(minutes=5)
"""The longest a cache may keep a list: a new one may follow at any moment, and asking again costs a 304."""

CERTIFICATE_AGE = timedelta(days=1)

_SCOPE = re.compile(r"[0-9]{5}|ca")


def lists_blueprint(
    directory: Path, issuers: Mapping[IssuerId, Issuer], clock: Clock, record: Record, caller: Caller
) -> Blueprint:
    """`/crl/<issuer>/<area or ca>.crl` from `directory`, and `/ca/<issuer>.cer`.

    Each list that is handed over is put on record; that a cached one is still the newest (304) tells no status.
    """
    door = Blueprint("lists", __name__)
    editions = Editions(directory)

    @door.get("/crl/<issuer>/<scope>.crl")
    def get_list(issuer: str, scope: str) -> Response:
        # Both parts come from closed sets, so no path leaves the directory.
        edition = editions.find(f"{issuer}/{scope}.crl") if issuer in issuers and _SCOPE.fullmatch(scope) else None
        if edition is None:
            raise Refusal(Code.NOT_FOUND, "there is no such revocation list; its address stands in the certificate")
        response = Response(edition.octets, content_type="application/pkix-crl")
        response.last_modified = edition.this_update
        now = clock()
        _cached(response, edition.digest, min(LIST_AGE, edition.next_update - now))
        if request.method == "GET" and response.status_code in (200, 206):
            who, digest = caller(request.environ), bytes.fromhex(edition.digest)
            area, id_ = scope.encode(), IssuerId(issuer)
            record(Provision(now, who, None, "", id_, Channel.CRL, area, "list", digest))
        return response

    @door.get("/ca/<issuer>.cer")
    def get_issuer(issuer: str) -> Response:
        if issuer not in issuers:
            raise Refusal(Code.NOT_FOUND, "there is no such issuer; its address stands in the certificate")
        certificate = issuers[IssuerId(issuer)].certificate
        response = Response(certificate, content_type="application/pkix-cert")
        return _cached(response, hashlib.sha256(certificate).hexdigest(), CERTIFICATE_AGE)

    return door


def _cached(response: Response, digest: str, age: timedelta) -> Response:
    """With a strong validator and an age; answers conditions (304) and ranges (206, 416) by RFC 9110 §13, §14."""
    seconds = int(age.total_seconds())
    response.headers["Cache-Control"] = f"public, max-age={seconds}, no-transform" if seconds > 0 else "no-cache"
    response.set_etag(digest)
    response.make_conditional(request, accept_ranges=True, complete_length=response.content_length)
    return response
