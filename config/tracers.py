"""Tracers of a state directory: the key of their register, the personas in a file, and their keys beside them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from config.assemble import Services
from config.document import Secret
from config.files import alone, read_file, read_keys, read_secret, write_private
from config.municipalities import load_municipalities
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import LOCAL_OPERATOR, Role
from domain.tracers import Sighting, TracerName
from keys.generation import new_key, to_encrypted_pem
from policies.validity import day_in_japan
from residents import fields
from residents.fields import Fields
from residents.records import ITEMS, take_items
from residents.rows import json_object
from tracers.planting import Persona
from tracers.register import KEY_OCTETS, Acts, Register, Tracer, acts_on_tracers, serials_of
from tracers.search import search
from tracers.watch import Watch, tell
from verifiers.registry import find_party

_COLUMNS = frozenset((*ITEMS, "municipality_code", "card_expires_on"))
_log = logging.getLogger("jpki.tracers")


def register_of(services: Services, *, found: bool = False) -> Register | None:
    """The register of tracers; None where there was never a tracer, unless it is to be `found`ed."""
    path = services.settings.state / "secrets" / "tracers.key"
    with alone(services.settings.state):
        if not path.exists():
            if not found:
                return None
            write_private(path, services.random(KEY_OCTETS).hex().encode() + b"\n")
        (key,) = read_keys(Secret(file=path)).values()
    return Register(key, services.random)


def watch_of(services: Services) -> Watch:
    """What hears provision records as they are filed, and raises the alarm."""
    actor = f"watch:{services.publisher.holder}"
    return Watch(services.begin, partial(register_of, services), partial(_alarm, services), actor)


def _alarm(services: Services, sighting: Sighting, tracer: Tracer) -> None:
    with services.begin(write=False) as work:
        facts = {
            "tracer": str(sighting.name),
            "planted_at": tell(work, tracer.planted),
            "seen_by": tell(work, sighting.seen_by),
            "channel": sighting.channel,
        }
    _log.error("a tracer was seen where it cannot be known; see: jpki tracers list", extra={"facts": facts})


def read_personas(services: Services, octets: bytes) -> list[Persona]:
    """The personas in a file of JSON Lines: the four items, municipality_code and card_expires_on of each.

    Raises Refusal(MALFORMED) that names the line and what is wrong, and no value.
    """
    municipalities, today = load_municipalities(), day_in_japan(services.clock())
    personas = []
    for number, line in enumerate(octets.decode("utf-8", "replace").splitlines(), start=1):
        try:
            source = Fields(json_object(line), _COLUMNS)
            code = source.take("municipality_code", fields.municipality_code(municipalities))
            attributes = take_items(source, today)
            expires_on = source.take("card_expires_on", fields.day)
            source.check()
        except ValueError as fault:
            raise Refusal(Code.MALFORMED, f"line {number}: {fault}") from None
        personas.append(Persona(attributes, code, expires_on))
    return personas


def keys_beside(services: Services, folder: Path, name: TracerName) -> Mapping[Kind, bytes]:
    """PKCS#10 requests over keys of a tracer in `folder`, encrypted under the passphrase of the state; they are made
    when they are not there."""
    passphrase = read_secret(services.settings.secrets.key_passphrase)
    requests = {}
    for kind in Kind:
        path = folder / f"{name.place}-{kind.value}.key"
        if not path.exists():
            write_private(path, to_encrypted_pem(new_key("rsa-2048"), passphrase))
        key = load_pem_private_key(read_file(path), passphrase)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Refusal(Code.BAD_CONFIGURATION, f"{path.name} is not a key of a tracer")
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        requests[kind] = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    return requests


def acts_left_out(services: Services) -> Acts:
    """What figures of holders leave out: what was done to tracers, whoever may know of them asking."""
    register = register_of(services)
    if register is None:
        return {}
    with services.begin(write=False) as work:
        return acts_on_tracers(work, register)


def serials_not_at(services: Services, verifier: str) -> bytes:
    """Serials of tracers (16 octets each, side by side) that were planted at other verifiers than this one, for a scan
    filter. Raises Refusal(NOT_FOUND) for a verifier that there is not, or without any such tracer."""
    register = register_of(services)
    with services.begin(write=False) as work:
        party = find_party(work, Role.VERIFIER, verifier)
        serials = serials_of(work, register) if register else {}
    found = b"".join(octets for octets, tracer in serials.items() if tracer.planted.party != party.id)
    if not found:
        raise Refusal(Code.NOT_FOUND, "no tracer was planted at another verifier; see: jpki tracers list")
    return found


def match_file(services: Services, path: Path) -> list[tuple[str, str, str, int]]:
    """Which tracers are in a file that leaked: name, where it was planted, how it was written, and how often. What is
    found is put on the audit trail."""
    register = register_of(services)
    if register is None:
        return []
    with services.begin(write=False) as work:
        serials = serials_of(work, register)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        found = search(file, serials)
    if not found:
        return []
    now = services.clock()
    with services.begin() as work:
        rows = sorted((str(one.name), tell(work, one.planted), form, count) for (one, form), count in found.items())
        for name, planted_at in dict.fromkeys((row[0], row[1]) for row in rows):
            facts = {"tracer": name, "planted_at": planted_at, "file": digest}
            work.audit.append(AuditEvent(Act.TRACER_MATCHED, LOCAL_OPERATOR.label, now, facts))
        work.commit()
    return rows
