"""The doors for revocation lists and issuer certificates: files with validators, ranges and honest lifetimes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Response, request

from domain.certificates import Issuer, IssuerId
from domain.errors import Code, Refusal
from domain.ports import Clock
from domain.provisions import Channel, Provision, Record
from policies.admission import NOBODY, Admit, Admitted
from web.editions import Editions
from web.ocsp import Caller

LIST_AGE = timedelta(minutes=5)
"""The longest a cache may keep a list: a new one may follow at any moment, and asking again costs a 304."""

CERTIFICATE_AGE = timedelta(days=1)

AUTHORITIES = "ca"
"""The scope of lists of issuers' certificates."""

_SCOPE = re.compile(rf"(?:[0-9]{{5}}|{AUTHORITIES})(?:\.delta)?")
_ONE_RANGE = re.compile(r"bytes=(?:[0-9]+-[0-9]*|-[0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListParts:
    """What the doors need: the files, whose lists they are, who may have them, and where it is put on record."""

    directory: Path
    issuers: Mapping[IssuerId, Issuer]
    admit: Admit
    record: Record
    clock: Clock


def lists_blueprint(parts: ListParts, caller: Caller) -> Blueprint:
    """`/crl/<issuer>/<area or ca>.crl`, delta lists (`<area>.delta.crl`) if there are any, and `/ca/<issuer>.cer`.

    Lists of holders' certificates are status, for those who are admitted, and so is that a cached one is still the
    newest (304). Lists of issuers' certificates, and these themselves, name no holder: anybody may have them. Each list
    that is handed over is put on record.
    """
    door = Blueprint("lists", __name__)
    editions, issuers = Editions(parts.directory), parts.issuers

    @door.get("/crl/<issuer>/<scope>.crl")
    def get_list(issuer: str, scope: str) -> Response:
        now, id_ = parts.clock(), IssuerId(issuer)
        # Admission first: who is not admitted does not learn which lists there are.
        admitted = Admitted()
        if scope != AUTHORITIES and id_ in issuers:
            admitted = parts.admit(caller(request.environ) or NOBODY, issuers[id_].kind, now)
        # Both parts come from closed sets, so no path leaves the directory.
        edition = editions.find(f"{issuer}/{scope}.crl") if issuer in issuers and _SCOPE.fullmatch(scope) else None
        if edition is None:
            raise Refusal(Code.NOT_FOUND, "there is no such revocation list; its address stands in the certificate")
        response = Response(edition.octets, content_type="application/pkix-crl")
        response.last_modified = edition.this_update
        cached(response, edition.digest, min(LIST_AGE, edition.next_update - now), shared=admitted.party is None)
        if request.method == "GET" and response.status_code in (200, 206):
            area, digest = scope.encode(), bytes.fromhex(edition.digest)
            parts.record(Provision(now, *admitted, id_, Channel.CRL, area, "list", digest))
        return response

    @door.get("/ca/<issuer>.cer")
    def get_issuer(issuer: str) -> Response:
        if issuer not in issuers:
            raise Refusal(Code.NOT_FOUND, "there is no such issuer; its address stands in the certificate")
        certificate = issuers[IssuerId(issuer)].certificate
        response = Response(certificate, content_type="application/pkix-cert")
        return cached(response, hashlib.sha256(certificate).hexdigest(), CERTIFICATE_AGE)

    return door


def cached(response: Response, digest: str, age: timedelta, *, shared: bool = True) -> Response:
    """With a strong validator, and an age, for shared caches where anybody may have it; answers conditions (304) and
    ranges (206, 416) by RFC 9110 §13, §14. Whoever asks for several ranges at once, or in other units than octets, gets
    all of it (§14.2)."""
    seconds, scope = int(age.total_seconds()), "public" if shared else "private"
    response.headers["Cache-Control"] = f"{scope}, max-age={seconds}, no-transform" if seconds > 0 else "no-cache"
    response.set_etag(digest)
    in_part = request.method == "GET" and _ONE_RANGE.fullmatch(request.headers.get("Range", "")) is not None
    response.make_conditional(request, accept_ranges=in_part, complete_length=response.content_length)
    response.headers["Accept-Ranges"] = "bytes"
    return response
