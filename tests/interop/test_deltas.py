"""Delta lists, judged by OpenSSL, which adds them to their base, and by Java, which must not take them for whole
lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from crl.build import build_tbs_crl
from crl.delta import BASE, put_delta_in_place
from crl.entries import encode_rows
from crl.files import swap_in_beside
from crl.octets import ListOctets
from crl.plan import ListPlan
from crl.publisher import Publisher
from crl.read import RevocationList, read_list
from crl.rows import SERIAL, Rows
from crl.scope import freshest_points
from crl.signature import sign_list
from domain.certificates import IssuerId
from domain.lists import Scope
from domain.people import MunicipalityCode
from domain.signing import LintedTbs
from policies.distribution import Locations
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene
from tests.support.judges import compile_java, java_verdicts, openssl_verify

pytestmark = pytest.mark.interop

BY_BASE = ("-crl_check", "-no_check_time")
"""The base is of last week and has ended."""
WITH_DELTA = (*BY_BASE, "-extended_crl", "-use_deltas")

AREA = MunicipalityCode("132217")

Files = Mapping[IssuerId, tuple[Path, Path, Path]]


@pytest.fixture(scope="module")
def files(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """For each issuer the list of last week (PEM), that with the delta list between it and today's, and one before it
    with that delta list, of which it is not the base."""
    folder = tmp_path_factory.mktemp("deltas")
    policy = replace(scene.services.publisher.policy, deltas=True, interval=timedelta(days=30))
    publisher = replace(scene.services.publisher, directory=folder, policy=policy)
    return {IssuerId(issuer): _make(scene, publisher, Scope(IssuerId(issuer), AREA), folder) for issuer in ISSUERS}


def _make(scene: Scene, publisher: Publisher, scope: Scope, folder: Path) -> tuple[Path, Path, Path]:
    """Both made again with the address of the delta list, without which OpenSSL looks for none; last week the good
    certificate was held."""
    before = read_list(scene.lists_of_last_week[scope.issuer])
    held = scene.serial(scope.issuer, "good").to_bytes(16), int(before.this_update.timestamp()), 6
    base = _again(publisher, scope, before, held)[1]
    swap_in_beside(folder, scope, BASE, base)
    with scene.services.begin(write=False) as work:
        count = work.revocations.count(scope, None)
    put_delta_in_place(publisher, *_again(publisher, scope, read_list(scene.list_of(scope.issuer, AREA))), count)
    delta = (folder / scope.path).with_suffix(".delta.crl").read_bytes()
    older = _again(publisher, scope, replace(before, number=before.number - 1), held)[1]
    paths = [folder / f"{scope.issuer}.{name}.pem" for name in ("base", "both", "apart")]
    given = ((base,), (base, delta), (older, delta))
    for path, lists in zip(paths, given, strict=True):
        parts = [x509.load_der_x509_crl(bytes(octets)).public_bytes(Encoding.PEM) for octets in lists]
        path.write_bytes(b"".join(parts))
    return paths[0], paths[1], paths[2]


def _again(
    publisher: Publisher, scope: Scope, listed: RevocationList, *more: tuple[bytes, int, int]
) -> tuple[ListPlan, memoryview]:
    plan = ListPlan(
        issuer=publisher.issuers[scope.issuer],
        algorithm=publisher.signers[scope.issuer].algorithm,
        scope=scope,
        point=publisher.point(scope),
        number=listed.number,
        this_update=listed.this_update,
        next_update=listed.next_update,
        freshest=freshest_points(scope, Locations("http://127.0.0.1/crl")),
    )
    octets = ListOctets()
    entries = [row for rows in listed.rows() for row in zip(rows.serials, rows.seconds, rows.reasons, strict=True)]
    rows = Rows.none()
    if entries := sorted([*entries, *more], key=lambda row: bytes(row[0])):
        serials, seconds, reasons = zip(*entries, strict=True)
        rows = Rows(np.array(serials, SERIAL), np.array(seconds, np.int64), np.array(reasons, np.uint8))
    octets.add(encode_rows(rows), len(rows))
    build_tbs_crl(plan, octets)
    linted = LintedTbs(octets.view())
    return plan, sign_list(octets, linted, publisher.signers[scope.issuer], plan.issuer)


@pytest.mark.parametrize("issuer", ISSUERS)
def test_openssl_finds_what_was_revoked_or_let_go_since_the_base(scene: Scene, files: Files, issuer: IssuerId) -> None:
    base, both, apart = files[issuer]
    authority, revoked = ("-CAfile", scene.anchor(issuer)), "certificate revoked"
    for fate, by_base, by_both in (("good", revoked, "OK"), ("card-lost", "OK", revoked)):
        certificate = scene.path(issuer, fate)
        assert openssl_verify(certificate, *BY_BASE, "-CRLfile", base, *authority) == by_base
        assert openssl_verify(certificate, *WITH_DELTA, "-CRLfile", both, *authority) == by_both
        assert openssl_verify(certificate, *WITH_DELTA, "-CRLfile", apart, *authority) == by_base, "no base of it"


def test_java_does_not_take_a_delta_list_for_a_whole_one(
    scene: Scene, files: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("java-deltas")
    classes = compile_java(folder)
    wanted: dict[str, str] = {}
    cases: list[dict[str, str | Path]] = []
    for issuer in map(IssuerId, ISSUERS):
        delta = files[issuer][1].with_name(issuer) / f"{AREA.area}.delta.crl"
        complete = x509.load_der_x509_crl(scene.list_of(issuer, AREA)).public_bytes(Encoding.PEM)
        alone = x509.load_der_x509_crl(delta.read_bytes()).public_bytes(Encoding.PEM)
        lists = {"both": folder / f"{issuer}.both", "delta": folder / f"{issuer}.delta"}
        lists["both"].write_bytes(complete + alone)
        lists["delta"].write_bytes(alone)
        for (given, path), fate in ((item, fate) for item in lists.items() for fate in ("good", "card-lost")):
            name = f"{issuer} {fate} by {given}"
            words: dict[str, str | Path] = {"by": "given-list", "list": path, "qualifiers": "accepted", "id": name}
            cases.append({"certificate": scene.path(issuer, fate), "anchors": scene.anchor(issuer), **words})
            wanted[name] = given
    verdicts = java_verdicts(classes, cases)
    for name, given in wanted.items():
        good = " good " in name
        if given == "both":
            assert (verdicts[name] == "valid") == good, (name, verdicts[name])
        else:
            assert verdicts[name] != "valid", (name, verdicts[name])
