"""Revocation lists, right and wrong in every way: only the whole, new list of the holder's own partition counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from domain.certificates import IssuerId, Kind
from domain.lists import Scope
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from jpki_verify import Kind as TrustedKind
from jpki_verify.certificates import Holder
from jpki_verify.lists import FRESH, ListRules, Lists
from jpki_verify.ocsp_answer import Word
from jpki_verify.rejection import Reason, Unusable
from tests.support.authority import KIYOSE, SAPPORO
from tests.support.lists import DAY, NOW, POLICY, make_list, make_revocation
from tests.support.signers import authority_signer, stored_keys
from tests.support.specimens import holder_certificate, make_holder

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
TOLERANCE = timedelta(seconds=60)
BASE = "http://lists.example/crl"
PATH = "signature-g1/13221.crl"


@pytest.fixture
def holder() -> Holder:
    return make_holder("signature-rsa2048")


class Shelf:
    """Lists that an operator fetches from a server of lists."""

    def __init__(self, octets: bytes, oldest: timedelta = 2 * DAY) -> None:
        self.octets = octets
        self.fetched: list[str] = []
        self.seen: dict[str, int] = {}
        self.lists = Lists(ListRules(BASE, TOLERANCE, oldest), self._fetch, self._newest)

    def _fetch(self, url: str, kind: TrustedKind) -> bytes:
        self.fetched.append(url)
        return self.octets

    def _newest(self, scope: str, number: int) -> bool:
        self.seen[scope] = max(number, self.seen.get(scope, 0))
        return number == self.seen[scope]

    def refusal(self, holder: Holder, **times: Any) -> Reason:
        with pytest.raises(Unusable) as caught:
            self.lists.status_of(holder, times.get("now", NOW))
        return caught.value.reason


def revoked(holder: Holder, reason: CrlReason = CrlReason.KEY_COMPROMISE) -> bytes:
    serial = SerialNumber(holder.certificate.serial_number)
    return make_list([make_revocation("somebody else"), make_revocation(serial, reason)])


def own_list(
    holder: Holder,
    *extensions: tuple[x509.ExtensionType, bool],
    without_point: bool = False,
    without_number: bool = False,
    entry: x509.RevokedCertificate | None = None,
    **flags: Any,
) -> bytes:
    """A list by the authority's own key, with an issuingDistributionPoint as it should be but for `flags`."""
    point = holder.certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    values: dict[str, Any] = {
        "full_name": point.full_name,
        "relative_name": None,
        "only_contains_user_certs": True,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    built = x509.CertificateRevocationListBuilder(holder.anchor.certificate.subject, NOW, NOW + DAY)
    if not without_number:
        built = built.add_extension(x509.CRLNumber(9), critical=False)
    if not without_point:
        built = built.add_extension(x509.IssuingDistributionPoint(**values | flags), critical=True)
    for extension, critical in extensions:
        built = built.add_extension(extension, critical=critical)
    if entry is not None:
        built = built.add_revoked_certificate(entry)
    signed = built.sign(authority_signer("signature", "g1").key, hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


def entry_of(holder: Holder, *extensions: tuple[x509.ExtensionType, bool]) -> x509.RevokedCertificate:
    built = x509.RevokedCertificateBuilder(holder.certificate.serial_number, NOW - HOUR)
    for extension, critical in extensions:
        built = built.add_extension(extension, critical=critical)
    return built.build()


def test_who_is_not_on_the_list_is_good_as_of_the_list(holder: Holder) -> None:
    shelf = Shelf(make_list([make_revocation("somebody else")]))
    status = shelf.lists.status_of(holder, NOW)
    assert (status.word, status.as_of) == (Word.GOOD, POLICY.window(NOW)[0])
    assert shelf.fetched == [f"{BASE}/{PATH}"], "at the operator's address, whatever stands in the certificate"


def test_a_list_without_entries_is_a_list(holder: Holder) -> None:
    assert Shelf(make_list()).lists.status_of(holder, NOW).word is Word.GOOD


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (CrlReason.KEY_COMPROMISE, Word.REVOKED),
        (CrlReason.UNSPECIFIED, Word.REVOKED),
        (CrlReason.CERTIFICATE_HOLD, Word.HELD),
    ],
    ids=["revoked", "revoked-without-a-reason", "held"],
)
def test_who_is_on_the_list_is_told(holder: Holder, reason: CrlReason, word: Word) -> None:
    status = Shelf(revoked(holder, reason)).lists.status_of(holder, NOW)
    assert (status.word, status.since) == (word, NOW - 3 * HOUR)


def test_the_list_of_our_own_making_passes(holder: Holder) -> None:
    assert Shelf(own_list(holder)).lists.status_of(holder, NOW).word is Word.GOOD, (
        "so those below fail for their faults"
    )
    assert Shelf(own_list(holder, entry=entry_of(holder))).lists.status_of(holder, NOW).word is Word.REVOKED


def damaged(octets: bytes) -> bytes:
    return octets[:-1] + bytes((octets[-1] ^ 1,))


WRONG: dict[Reason, dict[str, Callable[[Holder], bytes]]] = {
    Reason.BAD_SIGNATURE: {
        "damaged": lambda _: damaged(make_list()),
        "of-another-generation-of-the-same-name": lambda _: make_list(
            scope=Scope(IssuerId("signature-g2"), KIYOSE.code)
        ),
        "of-the-other-authority": lambda _: make_list(scope=Scope(IssuerId("authentication-g1"), KIYOSE.code)),
        "forged": lambda holder: forged(holder),  # noqa: PLW0108 - it stands further down
    },
    Reason.OTHER_PARTITION: {
        "another-municipality": lambda _: make_list(scope=Scope(IssuerId("signature-g1"), SAPPORO.code)),
        "of-the-authority's-own-certificates": lambda _: make_list(scope=Scope(IssuerId("signature-g1"), None)),
        "without-a-distribution-point": lambda holder: own_list(holder, without_point=True),
        "for-authorities-only": lambda holder: own_list(
            holder, only_contains_user_certs=False, only_contains_ca_certs=True
        ),
        "for-attribute-certificates-only": lambda holder: own_list(
            holder, only_contains_user_certs=False, only_contains_attribute_certs=True
        ),
    },
    Reason.INCOMPLETE: {
        "some-reasons-only": lambda holder: own_list(
            holder, only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})
        ),
        "indirect": lambda holder: own_list(holder, indirect_crl=True),
        "a-delta": lambda holder: own_list(holder, (x509.DeltaCRLIndicator(8), True)),
        "something-critical": lambda holder: own_list(
            holder, (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), b"\x05\x00"), True)
        ),
        "removeFromCRL-in-a-whole-list": lambda holder: own_list(
            holder, entry=entry_of(holder, (x509.CRLReason(x509.ReasonFlags.remove_from_crl), False))
        ),
        "an-entry-with-something-critical": lambda holder: own_list(
            holder, entry=entry_of(holder, (x509.CertificateIssuer([x509.DNSName("a.example")]), True))
        ),
    },
    Reason.UNREADABLE: {
        "nothing": lambda _: b"",
        "words": lambda _: b"<html></html>",
        "cut-short": lambda _: make_list()[:-9],
        "octets-behind": lambda _: make_list() + b"\x00",
        "without-a-number": lambda holder: own_list(holder, without_number=True),
    },
}
CASES = [
    pytest.param(make, reason, id=f"{reason.value}-{what}")
    for reason, rows in WRONG.items()
    for what, make in rows.items()
]


def forged(holder: Holder) -> bytes:
    """A list in the authority's name by somebody else."""
    built = x509.CertificateRevocationListBuilder(holder.anchor.certificate.subject, NOW, NOW + DAY)
    return built.sign(stored_keys("odd-keys")[1], hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(("make", "reason"), CASES)
def test_a_wrong_list_is_no_list(holder: Holder, make: Callable[[Holder], bytes], reason: Reason) -> None:
    assert Shelf(make(holder)).refusal(holder) is reason


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        pytest.param(NOW + 2 * DAY, Reason.STALE, id="over"),
        pytest.param(NOW - 5 * 60 * SECOND - TOLERANCE - SECOND, Reason.FROM_THE_FUTURE, id="not-begun"),
    ],
)
def test_a_list_counts_in_its_time(holder: Holder, now: Any, reason: Reason) -> None:
    assert Shelf(make_list()).refusal(holder, now=now) is reason


def test_a_list_may_be_too_old_for_an_operator_before_it_is_over(holder: Holder) -> None:
    shelf = Shelf(make_list(), oldest=6 * HOUR)
    assert shelf.lists.status_of(holder, NOW + 5 * HOUR).word is Word.GOOD
    assert shelf.refusal(holder, now=NOW + 6 * HOUR) is Reason.STALE


def test_a_list_older_than_one_seen_before_is_refused(holder: Holder) -> None:
    shelf = Shelf(make_list(number=8))
    assert shelf.lists.status_of(holder, NOW).word is Word.GOOD
    shelf.octets = make_list(number=7)
    assert shelf.refusal(holder, now=NOW + FRESH) is Reason.ROLLED_BACK


def test_a_list_is_fetched_once_in_a_while_and_a_wrong_one_is_not_kept(holder: Holder) -> None:
    shelf = Shelf(b"")
    assert shelf.refusal(holder) is Reason.UNREADABLE
    shelf.octets = make_list()
    for after in (0, 1, 299):
        assert shelf.lists.status_of(holder, NOW + after * SECOND).word is Word.GOOD
    assert len(shelf.fetched) == 2
    shelf.octets = revoked(holder)
    assert shelf.lists.status_of(holder, NOW + FRESH).word is Word.REVOKED


def test_two_holders_of_one_partition_share_a_list_and_those_of_two_kinds_do_not(holder: Holder) -> None:
    shelf = Shelf(revoked(holder))
    assert shelf.lists.status_of(holder, NOW).word is Word.REVOKED
    assert shelf.lists.status_of(make_holder("signature-rsa2048", 2), NOW).word is Word.GOOD
    assert len(shelf.fetched) == 1
    assert shelf.refusal(make_holder("authentication-rsa2048", 2)) is Reason.BAD_SIGNATURE
    assert len(shelf.fetched) == 2


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(None, id="no-point"),
        pytest.param([["http://elsewhere.example/other/place"]], id="another-kind-of-address"),
        pytest.param([["http://x.example/crl/signature-g1/../../13221.crl"]], id="a-path-that-climbs"),
        pytest.param([["http://x.example/crl/signature-g1/13221.crl"]] * 2, id="two-points"),
    ],
)
def test_a_certificate_without_an_address_of_a_list_cannot_be_looked_up(
    holder: Holder, points: list[list[str]] | None
) -> None:
    key = authority_signer("signature", "g1").key
    anchor = holder.anchor.certificate
    built = x509.CertificateBuilder(anchor.subject, anchor.subject, holder.key, 99, NOW, NOW + DAY)
    if points is not None:
        made = [
            x509.DistributionPoint([x509.UniformResourceIdentifier(url) for url in urls], None, None, None)
            for urls in points
        ]
        built = built.add_extension(x509.CRLDistributionPoints(made), critical=False)
    certificate = built.sign(key, hashes.SHA256())
    shelf = Shelf(make_list())
    assert shelf.refusal(Holder(certificate, holder.anchor, holder.key)) is Reason.NO_ADDRESS
    assert shelf.fetched == []


def test_the_certificates_are_real() -> None:
    assert holder_certificate("signature-rsa2048") != holder_certificate("signature-rsa2048", 2)
    assert make_holder("authentication-p384").kind.value == Kind.AUTHENTICATION.value
