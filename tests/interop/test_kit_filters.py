"""`jpki-verify` and filters: fetched from the API by a verifier of the class, kept, changed by deltas, and asked."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.filters import filter_office, make_class_key
from config.inspection import filing_of
from domain.certificates import IssuerId
from domain.provisions import Channel
from filters.publish import publish_filters
from jpki_verify import Code, Kind, Reason, Rejected, Verifier
from jpki_verify.command import main
from provisions.entries import Entry, read_entries
from provisions.filing import file_due
from provisions.tags import filter_subject, open_epoch, open_line, tag_of
from tests.interop.fates import ISSUERS
from tests.interop.scene import CLASS, Scene
from tests.support.operator import spellings, write_settings
from tests.support.serving import serving

pytestmark = [pytest.mark.interop, pytest.mark.slow]

G1 = IssuerId("signature-g1")
NOWHERE = "http://127.0.0.1:9/ocsp"


def settings(scene: Scene, folder: Path, url: str, sources: list[str], credential: str = "bank") -> Path:
    """Of an operator whose filters come from a service at that address."""
    filters = {"filters": "filters", "filters_url": f"{url}/v1/filters", "filter_patience_seconds": 300}
    status = {"ocsp": f"{scene.notified.url}/ocsp", "patience_seconds": 60, **filters}
    handles = {"url": f"{scene.api.url}/v1/handles"}
    issuers = [scene.services.issuers[issuer] for issuer in ISSUERS]
    folder /= "operator"
    return write_settings(
        folder, issuers, scene.credential(credential), status={**status, "sources": sources}, handles=handles
    )


def said(verifier: Verifier, certificate: bytes, issuer: str) -> str:
    try:
        return f"good by {verifier.check_certificate(certificate, Kind(issuer.partition('-')[0])).source}"
    except Rejected as rejected:
        passed = [reason.value for _, reason in rejected.passed_over]
        return " ".join([rejected.code.value, *passed])


def publish(scene: Scene, *, fresh: bool = False) -> None:
    """A second after the newest filter."""
    office = filter_office(scene.services)
    copies = [office.shelf.find(CLASS, G1, delta=delta) for delta in (False, True)]
    newest = max(copy.label.this_update for copy in copies if copy is not None)
    publish_filters(replace(office, clock=lambda: newest + timedelta(seconds=1)), CLASS, fresh=fresh)


def told(scene: Scene, issuer: IssuerId) -> list[Entry]:
    """What the ledger says of the filters of an issuer."""
    filing = filing_of(scene.services)
    subject, found = filter_subject(issuer), list[Entry]()
    with scene.services.begin(write=False) as work:
        for epoch, sealed in work.provisions.epochs().items():
            key = open_epoch(filing.master, epoch, sealed)
            for line in work.provisions.lines(epoch, [tag_of(key, subject)]):
                found += read_entries(open_line(key, subject, line.sealed))
    return found


def test_from_the_first_fetch_to_the_end_of_the_filters(scene: Scene, tmp_path: Path) -> None:
    """And every hand-over is on record, although the workers that handed over are killed."""
    publish(scene, fresh=True)
    before = {issuer: len(told(scene, issuer)) for issuer in ISSUERS}
    with serving("api", scene.folder / "state") as api:
        verifier = Verifier.open(settings(scene, tmp_path, api.url, ["filter"]))
        assert said(verifier, scene.certificates[G1, "good"], G1) == "status-away no-filter"
        fetched = [(one.issuer, one.fetched) for one in verifier.update_filters()]
        assert sorted(fetched) == sorted((issuer, ("base",)) for issuer in ISSUERS)
        for worker in api.workers():
            os.kill(worker, signal.SIGKILL)
        wanted = {"good": "good by filter", "card-lost": "revoked", "stopped": "revoked", "expired": "expired"}
        for issuer in ISSUERS:
            found = {fate: said(verifier, scene.certificates[issuer, fate], issuer) for fate in wanted}
            assert found == wanted, issuer
        publish(scene)
        assert {one.fetched for one in verifier.update_filters()} == {("delta",)}
        assert {one.fetched for one in verifier.update_filters()} == {()}
        assert said(verifier, scene.certificates[G1, "good"], G1) == "good by filter"
        assert said(verifier, scene.certificates[G1, "card-lost"], G1) == "revoked"
        later = replace(verifier, clock=lambda: verifier.clock() + timedelta(days=3))
        assert said(later, scene.certificates[G1, "good"], G1) == "status-away stale"
    file_due(filing_of(scene.services))
    for issuer in ISSUERS:
        entries = told(scene, issuer)[before[issuer] :]
        assert [entry.answered for entry in entries] == ["filter"] * 2
        assert {(entry.channel, entry.purpose) for entry in entries} == {
            (Channel.FILTER, "contract" if issuer.startswith("signature") else "log-in")
        }
    kept = [*(tmp_path / "operator" / "filters").iterdir(), *(tmp_path / "operator").glob("*.db*")]
    assert len(kept) == 2 * len(ISSUERS) + 2
    searched = b"\0".join(file.read_bytes() for file in kept)
    for certificate in scene.certificates.values():
        assert [form for form, octets in spellings(certificate).items() if octets in searched] == []


def test_who_cannot_tell_by_filter_asks_the_responder_and_says_why(scene: Scene, tmp_path: Path) -> None:
    verifier = Verifier.open(settings(scene, tmp_path, scene.api.url, ["filter", "ocsp"]))
    confirmed = verifier.check_certificate(scene.certificates[G1, "good"], Kind.SIGNATURE)
    assert (confirmed.source, confirmed.passed_over) == ("ocsp", (("filter", Reason.NO_FILTER),))


def test_at_a_terminal(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(settings(scene, tmp_path, scene.api.url, ["filter"]).parent)
    run = command(capsys)
    assert "run jpki-verify filters" in run("check-config")[1]
    code, out = run("filters")
    assert (code, out.count("(base")) == (0, len(ISSUERS))
    assert "run jpki-verify filters" not in run("check-config")[1]
    assert "まで有効" in run("--language", "ja", "filters")[1]
    assert '"until": ' in run("--json", "filters")[1]


def test_who_is_not_admitted_hears_by_which_rule(scene: Scene, tmp_path: Path) -> None:
    verifier = Verifier.open(settings(scene, tmp_path, scene.api.url, ["filter"], "gym"))
    with pytest.raises(Rejected) as caught:
        verifier.update_filters()
    assert caught.value.code is Code.NOT_ADMITTED
    assert "signature-not-approved (公的個人認証法" in caught.value.detail


def test_after_a_change_of_the_key_the_former_filters_are_not_used(scene: Scene, tmp_path: Path) -> None:
    """The key is changed and filters are made anew; whoever comes gets both, and who kept the old ones goes on."""
    verifier = Verifier.open(settings(scene, tmp_path, scene.api.url, ["filter"]))
    verifier.update_filters()
    key = (tmp_path / "operator" / "filters" / "class.key").read_text()
    make_class_key(scene.services, CLASS, anew=True)
    assert said(verifier, scene.certificates[G1, "good"], G1) == "good by filter"
    assert verifier.update_filters() == []  # the new ones are not made yet
    assert said(verifier, scene.certificates[G1, "good"], G1) == "status-away no-filter"
    publish(scene)
    assert {one.fetched for one in verifier.update_filters()} == {("base",)}
    assert (tmp_path / "operator" / "filters" / "class.key").read_text() != key
    assert said(verifier, scene.certificates[G1, "good"], G1) == "good by filter"
    assert said(verifier, scene.certificates[G1, "card-lost"], G1) == "revoked"


def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Any, str]]:
    def run(*words: str) -> tuple[Any, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        return ended.value.code, capsys.readouterr().out

    return run
