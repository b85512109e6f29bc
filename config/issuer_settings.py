"""Settings of the issuers: key generations of the two authorities, and where their keys and certificates are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from config.document import KeyPlace, Section
from domain.certificates import IssuerId, Kind

_ISSUER_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,45}")


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """One key generation of an authority. `issuing` is false for generations that only revoke and publish."""

    id: IssuerId
    kind: Kind
    generation: str
    profile: str
    mobile_profile: str | None
    authority_profile: str
    responder_profile: str
    key: KeyPlace
    certificate: Path
    responder_key: KeyPlace
    responder_certificate: Path
    issuing: bool


def read_issuers(sections: list[Section], root: Section) -> tuple[IssuerSettings, ...]:
    """The tables `[[issuer]]`; faults are noted in `root.faults` and the sections'."""
    issuers = []
    for section in sections:
        id_ = section.text("id")
        if not _ISSUER_ID.fullmatch(id_):
            section.fault("id", "want up to 46 small letters, digits and hyphens: it stands in URLs and names")
        issuers.append(
            IssuerSettings(
                id=IssuerId(id_),
                kind=Kind(section.choice("kind", [kind.value for kind in Kind], Kind.SIGNATURE.value)),
                generation=section.text("generation"),
                profile=section.text("profile"),
                mobile_profile=section.optional_text("mobile_profile"),
                authority_profile=section.text("authority_profile"),
                responder_profile=section.text("responder_profile", "ocsp-responder"),
                key=section.key("key", f"keys/{id_}.pem"),
                certificate=section.file("certificate", f"certs/{id_}.cer"),
                responder_key=section.key("responder_key", f"keys/{id_}-ocsp.pem"),
                responder_certificate=section.file("responder_certificate", f"certs/{id_}-ocsp.cer"),
                issuing=section.flag("issuing", True),
            )
        )
        section.done()
    if not issuers:
        root.fault("issuer", "at least one [[issuer]] is needed")
    ids = [issuer.id for issuer in issuers]
    for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        root.fault("issuer", f"{id_} stands twice")
    pairs = [(issuer.kind, issuer.generation) for issuer in issuers]
    for kind, generation in sorted({pair for pair in pairs if pairs.count(pair) > 1}, key=str):
        root.fault("issuer", f"two {kind.value} issuers share generation {generation}")
    for issuer in issuers:
        other = Kind.AUTHENTICATION if issuer.kind is Kind.SIGNATURE else Kind.SIGNATURE
        if issuer.issuing and not any(
            peer.issuing and peer.kind is other and peer.generation == issuer.generation for peer in issuers
        ):
            root.fault(
                "issuer", f"{issuer.id} issues, but generation {issuer.generation} has no issuing {other.value} peer"
            )
    return tuple(issuers)
