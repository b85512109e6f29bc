"""Random lives: what may happen to a few residents of three municipalities, in any order, as a state machine."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.lives.model import AUTHENTICATION, BOTH, CAUSES, EVENTS, SIGNATURE, Row, day_of, fifteen
from tests.lives.office import CITIES, PEOPLE, Office, address_in

LAST_DAY = date(2035, 12, 1)
"""Lives end before the issuers do."""

carriers = st.sampled_from(["card", "card", "mobile-device"])
generations = st.sampled_from(["g1", "g2", "g2"])
residents = st.integers(1, len(PEOPLE))
kinds = st.sampled_from([None, None, None, BOTH, {SIGNATURE}, {SIGNATURE}, {AUTHENTICATION}])
"""None is what the person's age asks for."""
faults = st.sampled_from([None, None, None, None, "lost", "kept"])
interruptions = st.sampled_from(
    [
        *[None] * 5,
        *("signer away", "reservation lost", "reservation kept", "completion lost", "completion kept"),
    ]
)
rarely = st.sampled_from([False, False, False, False, True])


class Lives(RuleBasedStateMachine):
    """`office` is the real authority and its model; who subclasses this says over which store."""

    office: Office

    def __init__(self) -> None:
        super().__init__()
        self.office = self.make_office()
        self.written: list[Row] = []
        self.delivered: list[Row] = []

    def make_office(self) -> Office:
        raise NotImplementedError

    # --- what happens every day ---

    @initialize(generations=st.lists(st.sampled_from(["g1", "g2"]), min_size=len(PEOPLE), max_size=len(PEOPLE)))
    def begin_with_pairs(self, generations: list[str]) -> None:
        for number, generation in enumerate(generations, start=1):
            self.take_what_is_due(number, "card", generation, 4)

    @rule(number=residents, carrier=carriers, generation=generations, years=st.integers(3, 9))
    def take_what_is_due(self, number: int, carrier: str, generation: str, years: int) -> None:
        """Somebody comes to the counter of their city for what they do not have."""
        person, model = self.office.model.people[number], self.office.model
        usual = BOTH if fifteen(person["items"]["birth_date"], model.today) else {AUTHENTICATION}
        held = {kind for (_, kind), row in model.live(number).items() if row["carrier"] == carrier}
        self._apply(person, usual - held, carrier, generation, years)

    @rule(number=residents, cause=st.sampled_from(["holder-request", "card-lost", "temporary-stop", "key-report"]))
    def report(self, number: int, cause: str) -> None:
        """Somebody comes to the counter of their city because of a card."""
        person = self.office.model.people[number]
        self.office.revoke(person["code"], cause, None, None, person["place"], None)

    @rule(
        number=residents, event=st.sampled_from(list(EVENTS)), change=st.integers(0, 3), city=st.sampled_from([*CITIES])
    )
    def hear_of(self, number: int, event: str, change: int, city: str) -> None:
        """The register tells what happened today."""
        person = self.office.model.people[number]
        place = city if EVENTS[event][3] else person["place"]
        said = self._said(number, event, place, change, 0)
        self._deliver(self.office.write("register", "register", said), None)

    @rule()
    def give_up(self) -> None:
        """An hour later, whoever stopped a card reports it lost."""
        self.office.forward(timedelta(hours=1))
        for person in self.office.model.held():
            self.office.revoke(person["code"], "card-lost", None, None, "operator", None)

    # --- what happens, too ---

    @rule(
        number=residents,
        kinds=kinds,
        carrier=carriers,
        generation=generations,
        years=st.integers(0, 10),
        fault=interruptions,
        astray=rarely,
        stale=rarely,
    )
    def apply(
        self,
        number: int,
        kinds: set[str] | None,
        carrier: str,
        generation: str,
        years: int,
        fault: str | None,
        astray: bool,
        stale: bool,
    ) -> None:
        """Somebody applies, now and then in the wrong city or with an old name."""
        person, model = self.office.model.people[number], self.office.model
        usual = BOTH if fifteen(person["items"]["birth_date"], model.today) else {AUTHENTICATION}
        place = _other(person["place"]) if astray else person["place"]
        name = "霧島　旧子" if stale else person["items"]["name"]
        self._apply(person, kinds or usual, carrier, generation, years, place, name, fault)

    def _apply(
        self,
        person: Row,
        kinds: set[str],
        carrier: str,
        generation: str,
        years: int,
        place: str | None = None,
        name: str | None = None,
        fault: str | None = None,
    ) -> None:
        self.office.apply(
            person["code"],
            kinds,
            place=place or person["place"],
            items={**person["items"], "name": name or person["items"]["name"]},
            carrier=carrier,
            generation=generation,
            card_end=self.office.model.today + timedelta(days=365 * years - 1),
            fault=fault,
        )

    @precondition(lambda self: self.office.sent)
    @rule(number=st.integers(0, 50))
    def apply_again(self, number: int) -> None:
        self.office.repeat(number)

    @precondition(lambda self: self.office.sent)
    @rule(number=st.integers(0, 50), outcome=st.sampled_from(["delivered", "delivered", "refused"]), fault=faults)
    def report_delivery(self, number: int, outcome: str, fault: str | None) -> None:
        self.office.report(number, outcome, fault)

    @rule(
        number=residents, carrier=carriers, generation=generations, report=st.sampled_from(["", "delivered", "refused"])
    )
    def renew(self, number: int, carrier: str, generation: str, report: str) -> None:
        """Somebody has their certificates renewed before they end, and is handed them, or not, or not yet."""
        person, sent = self.office.model.people[number], len(self.office.sent)
        live = self.office.model.live(number).values()
        ends = [row["end"] for row in live if row["carrier"] == carrier and not row["pending"]]
        if ends and day_of(min(ends)) < LAST_DAY:
            self.office.forward(max(min(ends) - timedelta(days=20) - self.office.clock.now, timedelta(0)))
            usual = BOTH if fifteen(person["items"]["birth_date"], self.office.model.today) else {AUTHENTICATION}
            self._apply(person, usual, carrier, generation, 4)
            if report and len(self.office.sent) > sent:
                self.office.report(sent, report, None)

    @rule()
    def withdraw(self) -> None:
        self.office.withdraw()

    @precondition(lambda self: self.office.sent)
    @rule(number=st.integers(0, 50))
    def use_a_key_twice(self, number: int) -> None:
        self.office.contradict(number)

    @rule()
    def recover(self) -> None:
        self.office.recover()

    # --- revocation ---

    @rule(
        number=residents,
        cause=st.sampled_from([*CAUSES, "temporary-stop", "temporary-stop", "holder-request"]),
        chosen=st.sampled_from([None, None, BOTH, {SIGNATURE}, {AUTHENTICATION}]),
        carriers=st.sampled_from([None, None, {"card"}, {"mobile-device"}]),
        by=st.sampled_from(["home", "home", "operator", "elsewhere", "register"]),
        fault=faults,
    )
    def revoke(
        self,
        number: int,
        cause: str,
        chosen: set[str] | None,
        carriers: set[str] | None,
        by: str,
        fault: str | None,
    ) -> None:
        person = self.office.model.people[number]
        by = {"home": person["place"], "elsewhere": _other(person["place"])}.get(by, by)
        self.office.revoke(person["code"], cause, chosen, carriers, by, fault)

    @precondition(lambda self: self.office.receipts)
    @rule(number=st.integers(0, 50))
    def revoke_again(self, number: int) -> None:
        self.office.revoke_again(number)

    # --- notices ---

    @rule(
        number=residents,
        event=st.sampled_from([*EVENTS, "move-in", "move-within", "move-in", "name-change"]),
        sender=st.sampled_from(["register", "register", *CITIES]),
        by_operator=rarely,
        place=st.sampled_from(["home", "home", *CITIES]),
        change=st.integers(0, 3),
        days=st.sampled_from([0, 0, 0, -1, -3, 1]),
        bad=rarely,
        later=rarely,
        fault=faults,
    )
    def notify(
        self,
        number: int,
        event: str,
        sender: str,
        by_operator: bool,
        place: str,
        change: int,
        days: int,
        bad: bool,
        later: bool,
        fault: str | None,
    ) -> None:
        """A notice is written, and delivered at once or `later`; a `bad` one is about somebody nobody knows."""
        person = self.office.model.people[number]
        said = self._said(number, event, person["place"] if place == "home" else place, change, days)
        if bad:
            said["code"] = 999
        notice = self.office.write(sender, "operator" if by_operator else sender, said)
        if later:
            self.written.append(notice)
        else:
            self._deliver(notice, fault)

    def _said(self, number: int, event: str, place: str, change: int, days: int) -> Row:
        """What a notice says of a resident, after changes that the event brings."""
        model = self.office.model
        items = model.people[number]["items"]
        return {
            "event": event,
            "code": model.people[number]["code"],
            "day": model.today + timedelta(days=days),
            "place": place,
            "items": {**items, **_changed(event, place, change, items)} if EVENTS[event][2] == "items" else None,
            "new_code": 100 * number + change if EVENTS[event][2] == "code" else None,
        }

    @precondition(lambda self: self.written)
    @rule(number=st.integers(0, 50), fault=faults)
    def deliver_late(self, number: int, fault: str | None) -> None:
        self._deliver(self.written.pop(number % len(self.written)), fault)

    def _deliver(self, notice: Row, fault: str | None) -> None:
        self.office.deliver(notice, fault)
        (self.written if fault == "lost" else self.delivered).append(notice)

    @precondition(lambda self: self.delivered)
    @rule(number=st.integers(0, 50), other=rarely)
    def deliver_again(self, number: int, other: bool) -> None:
        """A duplicate, or another notice under a number that was used."""
        notice = self.delivered[number % len(self.delivered)]
        if other:
            said = {**notice["said"], "day": notice["said"]["day"] - timedelta(days=40)}
            notice = {**notice, "said": said}
        self.office.deliver(notice)

    # --- time ---

    @rule(by=st.sampled_from([(0, 5), (0, 3600), (1, 0), (40, 0), (250, 0), (700, 0), (1500, 0)]))
    def wait(self, by: tuple[int, int]) -> None:
        if self.office.model.today + timedelta(days=by[0]) < LAST_DAY:
            self.office.forward(timedelta(days=by[0], seconds=by[1]))

    @rule(faults=st.sampled_from([(), (), (), ("lost",), (None, None, "lost"), (None, None, None, "kept"), ("kept",)]))
    def publish(self, faults: tuple[str | None, ...]) -> None:
        self.office.publish(faults)

    # --- what holds after every step ---

    @invariant()
    def everything_agrees(self) -> None:
        self.office.compare()

    @invariant()
    def pairs_are_pairs(self) -> None:
        self.office.pairs()

    def teardown(self) -> None:
        """In the end everything is delivered, recovered and published, and `jpki check` finds nothing."""
        for notice in self.written:
            self.office.deliver(notice)
        self.office.recover()
        self.office.withdraw()
        self.office.compare()
        self.office.publish()
        self.office.compare()
        assert self.office.inspect() == []


def _other(place: str) -> str:
    return next(city for city in CITIES if city != place)


def _changed(event: str, place: str, change: int, items: Row) -> Row:
    match event:
        case "name-change":
            return {"name": ("霧島　透子", "榎戸　千尋", "椿　悠真", "遠野　志乃")[change]}
        case "minor-correction" if change < 3:
            name = items["name"]
            return {"name": name.removesuffix("ゑ") if change else name.removesuffix("ゑ") + "ゑ"}
        case "birth-date-or-sex-correction" | "minor-correction":
            born = (date(1988, 11, 3), date(2012, 2, 29), date(2013, 6, 1), items["birth_date"] - timedelta(days=1))
            return {"birth_date": born[change]}
        case _:
            return {"address": address_in(place, change)}
