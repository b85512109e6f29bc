"""The key of handles is changed while verifiers ask, subscribe and are told: no handle is lost on any store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from ca.issue import issue
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.handles import Handle, Recipient
from tests.support.authority import TurnedClock, add_resident, make_application, make_authority
from tests.support.residents import resident_code
from tests.support.stores import Store
from tests.support.verifiers import add_verifier, make_office, make_rotation, switch_key
from verifiers.handle_news import subscribe
from verifiers.handle_office import keys_in, translate
from verifiers.handle_rotation import add_key, move_subscriptions


def test_no_handle_and_no_subscription_is_lost_while_the_key_changes(any_store: Store) -> None:
    clock = TurnedClock()
    authority = make_authority(begin=any_store.begin, clock=clock)
    add_resident(authority, resident_code(1))
    certificate = issue(authority, make_application()).certificates[Kind.SIGNATURE]
    office, bank = make_office(any_store.begin, clock), add_verifier(any_store.begin, "bank")
    rotation = make_rotation(any_store.begin, clock, office.ring)
    changed, told = Event(), set[str]()

    def ask() -> None:
        for _ in range(400):
            last = changed.is_set()
            try:
                handle = office.of(bank, None, certificate)
                subscribe(office, bank, None, [handle])
                told.add(handle)
            except Refusal as refusal:
                if refusal.code is not Code.BUSY:
                    raise
            if last:
                return

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(ask) for _ in range(2)]
        while not told:
            changed.wait(0.01)
        add_key(rotation)
        switch_key(rotation)
        for _ in move_subscriptions(rotation):
            changed.wait(0.01)
        changed.set()
        for one in asked:
            one.result()
    current = office.of(bank, None, certificate)
    assert {handle[:2] for handle in told} == {"1-", "2-"}
    assert {*translate(office, bank, None, sorted(told))} == {Handle(current)}
    for _ in move_subscriptions(rotation):
        pass
    with any_store.begin(write=False) as work:
        keys = keys_in(work, office.ring)
        line = keys.read(current, Recipient.of(bank, None))
        (kept,) = work.handles.subscribers([keys.key(2).topic(line), keys.key(1).topic(line)])
    assert (kept.handle, kept.generation) == (current, 2)
