"""Extensions before the judge: in order, as critical as promised, and saying what was promised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography import x509

from ca.extensions import EXTENSION_OIDS
from ca.lint_values import keeps_promise
from ca.octets import TbsFields, extension_parts, key_bits
from domain.certificates import Issuer
from policies.profile import Profile

_OPTIONAL = "authority-info-access"
"""Left out where no locations are configured."""


def extension_faults(
    fields: TbsFields, certificate: x509.Certificate, profile: Profile, issuer: Issuer | None
) -> Iterator[str]:
    """What is wrong with the extensions of a certificate, which `certificate` is as cryptography reads it.

    Raises one of `PARSING_FAULTS` when something cannot be read.
    """
    key_id = hashlib.sha1(key_bits(fields.spki), usedforsecurity=False).digest()
    extensions = [extension_parts(element) for element in fields.extensions]
    found = [identifier for identifier, _, _ in extensions]
    rows = [row for row in profile.extensions if row.name != _OPTIONAL or EXTENSION_OIDS[row.name] in found]
    if found != [EXTENSION_OIDS[row.name] for row in rows]:
        yield "the extensions are not those of the profile in their order"
        return
    for row, (_, critical, octets), extension in zip(rows, extensions, certificate.extensions, strict=True):
        if critical is not row.critical:
            yield f"{row.name} is {'' if critical else 'not '}critical"
        if extension.value.public_bytes() != octets:
            yield f"{row.name} is not written in DER as another library writes it"
        if not keeps_promise(row, extension.value, octets, fields.subject, key_id, issuer):
            yield f"{row.name} does not say what the profile promises"
