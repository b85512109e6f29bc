"""A crowd at once: many threads, processes and connections about the same few residents. Nobody gets what is another's,
and nobody ends with two live pairs."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from random import Random

import pytest
from cryptography import x509

from ca.authority import Authority
from ca.issue import issue
from ca.revoke import revoke_resident
from domain.certificates import Carrier, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.people import BasicAttributes
from domain.revocation import RevocationCause
from policies.validity import day_in_japan
from residents.intake import apply_event
from tests.support.acts import make_key, make_requests
from tests.support.authority import (
    OPERATOR,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_revocation,
)
from tests.support.callers import Caller
from tests.support.faults import MINUTE, SETTLED, Act, Forks, State, act, now
from tests.support.notices import REGISTER, make_intake, notice
from tests.support.proofs import proven
from tests.support.residents import as_fields, attributes, record, resident_code
from tests.support.serving import serving
from tests.support.stores import Store

PASSING = {Code.BUSY.value, Code.IN_PROGRESS.value, Code.LIVE_PAIR.value, Code.NO_LIVE_CERTIFICATE.value}
NAMES = ("霧島　透子", "榎戸　千尋", "椿　悠真", "遠野　志乃")
COUNTERS = 8


def items_of(number: int) -> BasicAttributes:
    return attributes(name=NAMES[number - 1])


class Crowd:
    """Acts about residents 1 to 4, from many threads, on one authority."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.intake = make_intake(authority.begin, authority.clock(), authority.sealer)
        self.residents = {
            number: add_resident(authority, resident_code(number), items_of(number)) for number in (1, 2, 3, 4)
        }
        self.given: dict[tuple[int, str], dict[Kind, bytes]] = {}

    def apply(self, number: int, counter: int, carrier: Carrier) -> None:
        key = f"{number} {carrier.value} {counter}"
        application = make_application(
            key=key,
            resident_code=resident_code(number),
            attributes=items_of(number),
            requests=make_requests(key, *Kind),
            carrier=carrier,
            proof=None,
        )
        if carrier is Carrier.MOBILE_DEVICE:
            # With the card that this counter applied for: of three counters one at most has had it issued.
            application = proven(application, make_key(f"{number} {Carrier.CARD.value} {counter}"))
        self.given[number, key] = dict(issue(self.authority, application).certificates)

    def revoke(self, number: int, counter: int, cause: RevocationCause) -> None:
        request = make_revocation(
            caller=OPERATOR, key=f"{cause.value} {number} {counter}", resident_code=resident_code(number), cause=cause
        )
        revoke_resident(self.authority, request)

    def move(self, number: int, sequence: int) -> None:
        """The resident moves within the city, as the register says in the order of its numbers or not."""
        event = notice(notice_id=f"n-{sequence}", sequence=sequence, code=resident_code(number))
        items = replace(items_of(number), address=f"東京都清瀬市霞野{'０１２３４５６７８９'[sequence % 10]}")
        apply_event(self.intake, replace(event, attributes=items), REGISTER)


def outcome_of(act: Callable[[], None]) -> str | None:
    """The code of the refusal, if it is one."""
    try:
        act()
    except Refusal as refusal:
        return refusal.code.value
    return None


def test_threads_about_the_same_residents_never_cross(store: Store, tmp_path: Path) -> None:
    crowd = Crowd(make_authority(begin=store.begin, clock=TurnedClock()))
    acts: list[Callable[[], None]] = [
        *(
            lambda number=number, counter=counter, carrier=carrier: crowd.apply(number, counter, carrier)
            for number, counter, carrier in product(crowd.residents, range(3), Carrier)
        ),
        *(
            lambda number=number, cause=cause: crowd.revoke(number, 0, cause)
            for number, cause in product(crowd.residents, (RevocationCause.TEMPORARY_STOP, RevocationCause.KEY_REPORT))
        ),
        *(lambda sequence=sequence: crowd.move(4, sequence) for sequence in range(1, 7)),
    ]
    Random(3).shuffle(acts)
    with ThreadPoolExecutor(COUNTERS) as pool:
        outcomes = Counter(pool.map(outcome_of, acts))
    assert outcomes.keys() <= {None, *PASSING, Code.ITEMS_DIFFER.value, Code.BAD_PROOF.value}
    assert outcomes[None] >= len(crowd.residents)
    with store.begin(write=False) as work:
        rows = list(work.certificates.all())
        revoked = {(row.issuer, row.serial) for row in work.revocations.all() if not row.on_hold}
    live = Counter((row.resident_id, row.carrier, row.kind) for row in rows if row.ended_at is None)
    assert set(live.values()) <= {1}
    assert all(row.state is CertificateState.ISSUED for row in rows)
    owners = {sha256(row.der).digest(): row.resident_id for row in rows}
    for (number, key), pair in crowd.given.items():
        for kind, octets in pair.items():
            made, asked = x509.load_der_x509_certificate(octets), x509.load_der_x509_csr(make_requests(key, kind)[kind])
            assert made.public_key() == asked.public_key()
            assert owners[sha256(octets).digest()] == crowd.residents[number]
            named = {name for name in NAMES if name.encode() in octets}
            assert named == ({NAMES[number - 1]} if kind is Kind.SIGNATURE else set())
    for row in rows:
        said = store.status.status_of(row.issuer, row.serial).word
        assert (said == "good") <= ((row.issuer, row.serial) not in revoked)


def test_processes_about_the_same_residents_never_cross(settled: State, forks: Forks, tmp_path: Path) -> None:
    """Three processes apply for each of three residents who have nothing, while others revoke and move."""
    with settled.copied(tmp_path / "copy") as state:
        forks.run(state, act("load", numbers=[7, 8]), now=SETTLED)
        newcomers = (1, 7, 8)
        acts = [
            *(
                act("issue", number=number, key=f"{number} at {counter}")
                for number in newcomers
                for counter in range(3)
            ),
            act("revoke", number=2, key="lost 2", cause="card-lost"),
            act("revoke", number=2, key="asked 2"),
            act("issue", number=2, key="new 2"),
        ]
        told = [outcome.told[0] for outcome in forks.together(state, *acts, now=SETTLED)]
        later = forks.run(state, act("publish", force=True), act("judge"), now=SETTLED).told[-1]
    assert {facts.get("refusal") for facts in told} <= {None, *PASSING}
    assert later["faults"] == []
    live = Counter((row["resident"], row["kind"]) for row in later["certificates"] if row["live"])
    assert set(live.values()) == {1}
    assert {resident for resident, _ in live} >= set(newcomers)
    owners = {row["sha256"]: row["resident"] for row in later["certificates"]}
    for (_, arguments), facts in zip(acts, told, strict=True):
        for _, digest in facts.get("certificates", {}).values():
            assert owners[digest] == arguments["number"]


@pytest.mark.parametrize("commits", [3, 5], ids=["at-its-fourth-commit", "at-its-sixth-commit"])
def test_two_workers_end_what_a_killed_one_began_and_issue_nothing_twice(
    forks: Forks, settled: State, spoilt: Path, commits: int
) -> None:
    """All by one file; afterwards it is looked at by another worker, which finds nothing to do."""
    newcomers = [1, *range(7, 14)]

    def batch(slot: int) -> Act:
        return act("batch", numbers=newcomers, slot=slot)

    with settled.copied(spoilt) as state:
        before = forks.run(state, act("load", numbers=newcomers), act("judge"), now=SETTLED).told[-1]
        assert forks.run(state, batch(0), now=SETTLED, last=commits, kinds=("commit",)).killed
        over = SETTLED + 2 * MINUTE  # the lease of the killed one's slot
        told = [outcome.told[0] for outcome in forks.together(state, batch(1), batch(2), now=over)]
        again, _, end = forks.run(state, batch(3), act("publish"), act("judge"), now=over).told
    assert all(facts["repeated"] for facts in told)
    assert again["ended"]
    assert again["states"] == ["issued"] * len(newcomers)
    assert end["faults"] == []
    known = {row["serial"] for row in before["certificates"]}
    new = {row["serial"]: row["sha256"] for row in end["certificates"] if row["serial"] not in known}
    assert new == {serial: sha256 for pair in again["certificates"] for serial, sha256 in pair.values()}
    assert len(new) == 2 * len(newcomers)


def test_connections_about_the_same_residents_never_cross(opened: State, forks: Forks, tmp_path: Path) -> None:
    """Over mutual TLS, to the real service, all at once: applications for three residents, for three others whose
    certificates are revoked and stopped meanwhile, and for two who move."""
    applied, ended, moved = (1, 2, 3), (4, 5, 6), (7, 8)
    with opened.copied(tmp_path / "copy") as state:
        caller = Caller(state.path / "kiyose")
        given: list[tuple[int, str, dict[str, str]]] = []
        with serving("api", state.path) as served:

            def apply(number: int, n: int) -> None:
                while True:
                    reply = caller.issue(served, number, f"application-{number}-{n}")
                    if reply.status == 201:
                        given.append((number, f"application-{number}-{n}", reply.body["certificates"]))
                        return
                    code = reply.body["code"]
                    assert code in PASSING | {Code.ITEMS_DIFFER.value}, reply.body
                    if code in {Code.LIVE_PAIR.value, Code.ITEMS_DIFFER.value}:
                        return

            def end(number: int, n: int) -> None:
                body = {"resident_code": resident_code(number).digits}
                reply = (
                    caller.revoke(served, number, f"revocation-{number}-{n}")
                    if n % 2
                    else caller.post(served, "/v1/holds", body, f"hold-{number}-{n}")
                )
                wanted = PASSING | {Code.ALREADY_APPLIED.value}
                assert reply.status == 200 or reply.body["code"] in wanted, reply.body

            def move(number: int, sequence: int) -> None:
                fields = as_fields(record(number)) | {"address": f"東京都清瀬市霞野{chr(0xFF10 + sequence)}"}
                said = {"version": "1", "notice_id": f"n-{sequence}", "sequence": str(sequence)}
                day = {"event": "move-within", "effective_on": day_in_japan(now()).isoformat()}
                while (reply := caller.post(served, "/v1/resident-notices", {**said, **day, **fields})).status == 503:
                    assert reply.body["code"] == Code.BUSY.value, reply.body
                assert reply.status in (200, 202), reply.body

            acts = [
                *(partial(apply, number, n) for number in (*applied, *ended, *moved) for n in range(4)),
                *(partial(end, number, n) for number in ended for n in range(4)),
                *(partial(move, number, 1 + n) for n, number in enumerate(moved * 3)),
            ]
            Random(8).shuffle(acts)
            with ThreadPoolExecutor(COUNTERS) as pool:
                list(pool.map(lambda act: act(), acts))
        later = forks.run(state, act("publish", force=True), act("judge"), now=now()).told[-1]
    assert later["faults"] == []
    assert sorted(number for number, _, _ in given if number in applied) == [*applied]
    live = Counter((row["resident"], row["kind"]) for row in later["certificates"] if row["live"])
    assert set(live.values()) == {1}
    assert {resident for resident, _ in live} >= {*applied}
    owners = {row["sha256"]: row["resident"] for row in later["certificates"]}
    assert len(owners) == 2 * len(given)
    for number, key, certificates in given:
        for kind, request in make_requests(f"{number} {key}", *Kind).items():
            octets = base64.b64decode(certificates[kind.value])
            made = x509.load_der_x509_certificate(octets)
            assert made.public_key() == x509.load_der_x509_csr(request).public_key()
            assert owners[sha256(octets).hexdigest()] == number
