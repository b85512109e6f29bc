"""What RFC 5280 and this authority ask of each extension in a profile, as a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PURPOSES = ("signature", "authentication", "ca", "ocsp-responder")
LEAVES = ("signature", "authentication")
CERTIFICATES_OF_ISSUER = (*LEAVES, "ocsp-responder")

KEY_USAGES = (
    "digital-signature",
    "content-commitment",
    "key-encipherment",
    "data-encipherment",
    "key-agreement",
    "key-cert-sign",
    "crl-sign",
    "encipher-only",
    "decipher-only",
)

ValueTest = tuple[Callable[[object], bool], str]
"""Whether a value fits, and the words for what would."""


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """What a row of this name must look like. `critical` None leaves the flag to the profile.

    `values` gives the test of the value for each purpose that may carry the extension.
    """

    critical: bool | None
    clause: str
    values: Mapping[str, ValueTest]


def names_among(*allowed: str) -> ValueTest:
    """The test for a list of names, each of which is allowed and stands once."""

    def fits(value: object) -> bool:
        return isinstance(value, list) and bool(value) and all(v in allowed for v in value) and _distinct(value)

    return fits, f"a list of {', '.join(allowed)}, each once"


def _exactly(wanted: object) -> ValueTest:
    # `1 == True` in Python, so the representation is compared too.
    return lambda value: value == wanted and repr(value) == repr(wanted), repr(wanted)


def _distinct(values: list[object]) -> bool:
    return all(value not in values[:i] for i, value in enumerate(values))


def _policy(value: object) -> bool:
    match value:
        case {"oid": str(oid), "cps": str(cps), **rest} if not rest:
            return bool(_OID.fullmatch(oid)) and bool(_URI.fullmatch(cps))
    return False


_OID = re.compile(r"(?:[01]\.[1-3]?\d|2\.\d+)(?:\.(?:0|[1-9]\d*))+")
_URI = re.compile(r"https?://[!-~]+")
_HOLDER_KEY_USAGE = names_among(*(name for name in KEY_USAGES if name not in ("key-cert-sign", "crl-sign")))
_POLICY = (_policy, '{ oid = "2.999.1", cps = "http://…" }')

# RFC 5280 says MUST or SHOULD for each flag; both are demanded here.
EXTENSIONS: Mapping[str, ExtensionRule] = {
    "key-usage": ExtensionRule(
        True,
        "RFC 5280 §4.2.1.3",
        {
            "ca": names_among("digital-signature", "key-cert-sign", "crl-sign"),
            **dict.fromkeys(CERTIFICATES_OF_ISSUER, _HOLDER_KEY_USAGE),
        },
    ),
    "extended-key-usage": ExtensionRule(
        None,
        "RFC 5280 §4.2.1.12",
        {"authentication": names_among("client-auth"), "ocsp-responder": names_among("ocsp-signing")},
    ),
    "subject-alt-name": ExtensionRule(
        False,
        "RFC 5280 §4.2.1.6",
        {"signature": _exactly("four-items"), "ca": _exactly("authority-alternative")},
    ),
    "issuer-alt-name": ExtensionRule(
        False, "RFC 5280 §4.2.1.7", dict.fromkeys(CERTIFICATES_OF_ISSUER, _exactly("authority-alternative"))
    ),
    "certificate-policies": ExtensionRule(None, "RFC 5280 §4.2.1.4", dict.fromkeys(PURPOSES, _POLICY)),
    "basic-constraints": ExtensionRule(True, "RFC 5280 §4.2.1.9", {"ca": _exactly({"ca": True})}),
    "crl-distribution-points": ExtensionRule(
        False,
        "RFC 5280 §4.2.1.13",
        {**dict.fromkeys(LEAVES, _exactly("municipality")), "ca": _exactly("authority")},
    ),
    "authority-info-access": ExtensionRule(
        False, "RFC 5280 §4.2.2.1", dict.fromkeys(CERTIFICATES_OF_ISSUER, _exactly("locations"))
    ),
    "authority-key-identifier": ExtensionRule(False, "RFC 5280 §4.2.1.1", dict.fromkeys(PURPOSES, _exactly("key-id"))),
    "subject-key-identifier": ExtensionRule(False, "RFC 5280 §4.2.1.2", dict.fromkeys(PURPOSES, _exactly("sha1"))),
    "ocsp-nocheck": ExtensionRule(False, "RFC 6960 §4.2.2.2.1", {"ocsp-responder": _exactly("null")}),
}

# Extensions a purpose cannot do without: RFC 5280 §4.2.1.1, §4.2.1.2, §4.2.1.3, §4.2.1.9; RFC 6960 §4.2.2.2.
REQUIRED = {
    "signature": ("key-usage", "subject-alt-name", "crl-distribution-points", "authority-key-identifier"),
    "authentication": ("key-usage", "crl-distribution-points", "authority-key-identifier"),
    "ca": ("key-usage", "basic-constraints", "subject-key-identifier"),
    "ocsp-responder": ("key-usage", "extended-key-usage", "authority-key-identifier"),
}
