"""Delta lists: base and delta say together what the complete list says, by OpenSSL's judgement and cryptography's."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from crl.delta import Said, _compare
from crl.files import read_current
from crl.publish import publish_due
from crl.publisher import Publisher
from crl.scope import freshest_points
from domain.errors import Code, Refusal
from domain.events import Act
from domain.holds import Release
from domain.revocation import CrlReason, Revocation
from policies.distribution import Locations
from tests.support.authority import TurnedClock
from tests.support.lists import (
    DAY,
    ISSUERS,
    POLICY,
    SCOPE,
    is_signed,
    make_publisher,
    make_revocation,
    openssl,
    record_revocation,
)
from tests.support.memory import MemoryStore

HOUR = timedelta(hours=1)
LOCATIONS = Locations("http://status.example/crl")


class House:
    """A publisher that makes delta lists."""

    def __init__(self, folder: Path) -> None:
        self.store, self.clock, self.folder = MemoryStore(), TurnedClock(), folder
        policy = replace(POLICY, deltas=True)
        self.publisher: Publisher = make_publisher(
            self.store.begin,
            folder,
            self.clock,
            policy=policy,
            freshest=lambda scope: freshest_points(scope, LOCATIONS),
        )

    def publish(self, *revocations: Revocation) -> None:
        record_revocation(self.store.begin, *revocations)
        self.clock.now += HOUR
        report = publish_due(self.publisher, scopes=[SCOPE], force=True)
        assert not report.refused, report.refused

    def file(self, word: str = "") -> x509.CertificateRevocationList:
        path = (self.folder / SCOPE.path).with_suffix(f".{word}.crl" if word else ".crl")
        octets = path.read_bytes()
        assert is_signed(octets, SCOPE)
        return x509.load_der_x509_crl(octets)

    def check(self) -> None:
        """Base and delta together are the complete list, and are told to be."""
        complete, base, delta = self.file(), self.file("base"), self.file("delta")
        together = entries(base)
        for serial, said in entries(delta).items():
            if said[1] is x509.ReasonFlags.remove_from_crl:
                del together[serial]
            else:
                together[serial] = said
        assert together == entries(complete)
        assert number(delta) == number(complete)
        indicator = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
        assert (indicator.critical, indicator.value.crl_number) == (True, number(base))
        assert (delta.last_update_utc, delta.next_update_utc) == (complete.last_update_utc, complete.next_update_utc)
        for kind in (x509.IssuingDistributionPoint, x509.AuthorityKeyIdentifier):
            same = [listed.extensions.get_extension_for_class(kind) for listed in (complete, delta)]
            assert same[0] == same[1]


def number(listed: x509.CertificateRevocationList) -> int:
    return listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def entries(listed: x509.CertificateRevocationList) -> dict[int, tuple[datetime, x509.ReasonFlags | None]]:
    found = {}
    for entry in listed:
        reasons = [
            extension.value.reason for extension in entry.extensions if isinstance(extension.value, x509.CRLReason)
        ]
        found[entry.serial_number] = (entry.revocation_date_utc, *reasons, None)[:2]
    return found  # type: ignore[return-value]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_without_the_setting_there_is_no_delta_list(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.publisher = replace(house.publisher, policy=POLICY)
    house.publish(make_revocation("a"))
    assert {path.name for path in (tmp_path / SCOPE.path).parent.iterdir()} == {
        SCOPE.file_name,
        f"{SCOPE.file_name}.sha256",
    }
    with pytest.raises(x509.ExtensionNotFound):
        house.file().extensions.get_extension_for_class(x509.FreshestCRL)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda found: dict(list(found.items())[1:]), id="a change is lost"),
        pytest.param(lambda found: {serial: (said[0], 8) for serial, said in found.items()}, id="all are taken back"),
        pytest.param(
            lambda found: {serial: (said[0], said[1] % 5 + 1) for serial, said in found.items()},
            id="reasons are others",
        ),
        pytest.param(lambda found: {serial: (said[0] - 1, 1) for serial, said in found.items()}, id="times are others"),
    ],
)
def test_a_delta_list_that_does_not_add_up_is_not_published(
    wrong: Callable[[dict[bytes, Said]], dict[bytes, Said]], house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish(make_revocation("old"))
    before = {word: house.file(word) for word in ("", "delta")}
    with monkeypatch.context() as planted:
        planted.setattr("crl.delta._compare", lambda base, listed: wrong(_compare(base, listed) or {}))
        record_revocation(house.store.begin, make_revocation("new"), make_revocation("newer"))
        house.clock.now += HOUR
        report = publish_due(house.publisher)
    assert ["with its base" in refusal.detail for _, refusal in report.refused] == [True]
    assert {word: house.file(word) for word in ("", "delta")} == before
    house.publish()
    house.check()


def test_the_first_list_is_the_base_of_an_empty_delta(house: House) -> None:
    house.publish(make_revocation("a"))
    house.check()
    assert entries(house.file("delta")) == {}


def test_what_is_revoked_released_and_made_final_since_the_base_is_on_the_delta(house: House) -> None:
    held = make_revocation("held", reason=CrlReason.CERTIFICATE_HOLD)
    final = make_revocation("final", reason=CrlReason.CERTIFICATE_HOLD)
    house.publish(make_revocation("old"), held, final)
    house.publish(make_revocation("new"))
    house.check()
    assert len(entries(house.file("delta"))) == 1
    with house.store.begin() as work:
        work.holds.release(Release(held.issuer, held.serial, held.revoked_at, house.clock.now), "receipt")
        work.revocations.put(replace(final, reason=CrlReason.KEY_COMPROMISE), "receipt", house.clock.now)
        work.commit()
    house.publish()
    house.check()
    reasons = {serial: reason for serial, (_, reason) in entries(house.file("delta")).items()}
    assert reasons[held.serial.value] is x509.ReasonFlags.remove_from_crl
    assert reasons[final.serial.value] is x509.ReasonFlags.key_compromise
    assert len(reasons) == 3


def test_complete_lists_say_where_the_delta_list_lies_and_delta_lists_do_not(house: House) -> None:
    house.publish(make_revocation("a"))
    points = house.file().extensions.get_extension_for_class(x509.FreshestCRL)
    (point,) = points.value
    assert point.full_name == [x509.UniformResourceIdentifier(f"http://status.example/crl/{SCOPE.path[:-4]}.delta.crl")]
    assert not points.critical
    with pytest.raises(x509.ExtensionNotFound):
        house.file("delta").extensions.get_extension_for_class(x509.FreshestCRL)


def test_a_base_lasts_as_long_as_the_interval(house: House) -> None:
    house.publish(make_revocation("a"))
    house.publish(make_revocation("b"))
    first = number(house.file("base"))
    house.clock.now += DAY
    house.publish(make_revocation("c"))
    house.check()
    assert number(house.file("base")) > first
    assert entries(house.file("delta")) == {}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda octets: b"", id="empty"),
        pytest.param(lambda octets: octets[: len(octets) // 2], id="cut-off"),
        pytest.param(lambda octets: os.urandom(len(octets)), id="something-else"),
    ],
)
def test_a_base_that_cannot_be_read_is_replaced(house: House, damage: Callable[[bytes], bytes]) -> None:
    house.publish(make_revocation("a"))
    path = (house.folder / SCOPE.path).with_suffix(".base.crl")
    path.write_bytes(damage(path.read_bytes()))
    house.publish(make_revocation("b"))
    house.check()


def test_where_too_much_changed_the_complete_list_is_the_base(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crl.delta.MOST", 3)
    house.publish(make_revocation("a"))
    house.publish(*[make_revocation(f"many {number}") for number in range(5)])
    house.check()
    assert entries(house.file("delta")) == {}


def test_a_delta_list_is_on_the_audit_trail_and_in_place_before_its_complete_list(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish(make_revocation("a"))
    before = read_current(house.folder, SCOPE)

    def die(*_: object) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "the process dies here")

    with monkeypatch.context() as patched:
        patched.setattr("crl.publication._put_in_place", die)
        record_revocation(house.store.begin, make_revocation("b"))
        house.clock.now += HOUR
        with pytest.raises(Refusal):
            publish_due(house.publisher, scopes=[SCOPE])
    assert read_current(house.folder, SCOPE) == before
    assert len(entries(house.file("delta"))) == 1
    house.publish()
    house.check()
    acts = [json.loads(row.body)["act"] for row in house.store.tables.audit.values()]
    assert acts.count(Act.CRL_DELTA_SIGNED.value) == acts.count(Act.CRL_SIGNED.value) == 3


def test_openssl_takes_base_and_delta_for_what_the_complete_list_says(house: House, tmp_path: Path) -> None:
    house.publish(make_revocation("a"))
    house.publish(make_revocation("b"))
    authority = tmp_path / "authority.pem"
    certificate = x509.load_der_x509_certificate(ISSUERS[SCOPE.issuer].certificate)
    authority.write_bytes(certificate.public_bytes(Encoding.PEM))
    for word in ("base", "delta"):
        path = (house.folder / SCOPE.path).with_suffix(f".{word}.crl")
        said = openssl("crl", "-inform", "DER", "-in", path, "-CAfile", authority, "-noout", "-text", folder=tmp_path)
        assert "verify OK" in said.stderr
        assert ("X509v3 Delta CRL Indicator: critical" in said.stdout) == (word == "delta")
