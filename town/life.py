"""The life of a made-up town: day by day through the use cases of a real authority, by a clock of its own."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter

from config import rules
from config.assemble import Services, assemble, system_random
from config.enrolment import enrol
from config.initialise import initialise
from config.renewal import renew_due
from config.settings import FILE_NAME
from config.succession import found_missing
from crl.publish import publish_due
from domain.certificates import Carrier
from domain.events import EventType
from domain.parties import LOCAL_OPERATOR
from domain.revocation import RevocationCause
from policies.validity import age_on, birthday_after
from town.agenda import ABROAD_SINCE, Agenda, kinds_of, lives_here
from town.chance import Chance
from town.figures import YearFigures
from town.office import REGISTER, Change, LifeFault, Office, Wish
from town.people import Person, Registry, Whereabouts
from town.rates import load_names, load_rates

BEGINS = date(2016, 1, 1)
"""Cards were handed out from this month on."""
GENERATION_YEARS = 4
"""How long a key generation issues: what it certifies in the end, for six years at most, ends before it does."""
_ROUND_DAYS = 28
_LOAD = 5000

Progress = Callable[[date], None]


class Town:
    """A state directory, the people, and what they have in mind. `residents` live there at first."""

    def __init__(self, state: Path, residents: int, seed: int) -> None:
        self._state = state
        self.day = BEGINS
        chance, rates = Chance(seed), load_rates()
        self._chance, self._rates = chance, rates
        self._registry = Registry(chance, rates, load_names())
        self._agenda = Agenda(chance, rates)
        initialise(
            state,
            api="127.0.0.1:0",
            status="127.0.0.1:0",
            template=settings_text(rules.template()),
            clock=self.clock,
            random=system_random,
            on_step=lambda _: None,
        )
        self.services = self._assemble()
        self.office = Office(self.services)
        self.people = [self._registry.settle(self.day) for _ in range(residents)]
        self._new = list(self.people)
        for place in load_names().areas:
            enrol(
                self.services,
                self.office.city(place),
                LOCAL_OPERATOR,
                folder=state / "credentials" / place.value,
                life=timedelta(days=365),
            )

    def clock(self) -> datetime:
        """Noon in Japan of the town's day."""
        return datetime(self.day.year, self.day.month, self.day.day, 3, tzinfo=UTC)

    def close(self) -> None:
        self.office.close()
        self.services.close()

    def live(self, years: int, on_day: Progress = lambda _: None) -> Iterator[YearFigures]:
        """Live so many years; the figures of each when it is over. Raises LifeFault, and what the use cases raise."""
        for year in range(self.day.year, self.day.year + years):
            started = perf_counter()
            self._succeed(year - BEGINS.year)
            for _ in range(365 + isleap(year)):
                if self.day.day == 1:
                    self._begin_month()
                self._live_day()
                on_day(self.day)
                self.day += timedelta(days=1)
            self._round()
            for person in self.people:
                if person.witness:
                    self.office.ask(person)
            yield self._figures(year, perf_counter() - started)

    def _begin_month(self) -> None:
        self._load_new()
        here = [person for person in self.people if lives_here(person)]
        self._agenda.draw_month(self.day, here, sum(person.card > 0 for person in here))

    def _live_day(self) -> None:
        if self.day.toordinal() % _ROUND_DAYS == 0:
            self._round()
        changes: dict[int, Change] = {}
        wishes: dict[int, Wish] = {}
        later: list[tuple[str, Person]] = []
        for what, person in self._agenda.take(self.day):
            if person.number in changes or person.number in wishes:
                later.append((what, person))  # one thing a day
            elif change := self._change(what, person):
                changes[person.number] = change
            elif wish := self._act(what, person):
                wishes[person.number] = wish
        for what, person in later:
            self._agenda.put(self.day + timedelta(days=1), what, person)
        self.office.notify(list(changes.values()))
        self.office.issue(list(wishes.values()))
        for wish in wishes.values():
            if wish.carrier is Carrier.CARD and len(wish.kinds) == len(kinds_of(wish.person, self.day)):
                self._agenda.await_end(wish.person, max(p.ends for p in wish.person.live(self.clock())), self.day)
                self._agenda.await_fifteen(wish.person, self.day)

    def _load_new(self) -> None:
        """Have those stored who were born or came in the month before: nothing can happen to them before that."""
        for first in range(0, len(self._new), _LOAD):
            self.office.load(self._new[first : first + _LOAD])
        self._new.clear()

    def _change(self, what: str, person: Person) -> Change | None:
        """What the register tells of an event; the person's record is changed."""
        agenda, counts = self._agenda, self.office.counts
        if what == "move in" and person.whereabouts is Whereabouts.MOVING:
            near = person.place in load_names().areas
            person.whereabouts = Whereabouts.HERE if near else Whereabouts.AWAY
            if near:
                counts["came back"] += 1
                self._sign_again(person)
            return Change(person, EventType.MOVE_IN)
        if not lives_here(person):
            return None
        match what:
            case "moves within":
                self._registry.move_within(person)
                counts["moves"] += 1
                self._sign_again(person)
                return Change(person, EventType.MOVE_WITHIN)
            case "moves between":
                person.whereabouts = Whereabouts.MOVING
                counts["moves"] += 1
                counts["left"] += 1
                agenda.after(self.day, 1, 14, "leave", person)
                return Change(person, EventType.MOVE_OUT)
            case "name changes":
                person.family = self._registry.another_family(person.family)
                counts["name changes"] += 1
                self._sign_again(person)
                return Change(person, EventType.NAME_CHANGE)
            case "corrections":
                before, person.address = person.address, person.address.replace("－", "番", 1)
                return Change(person, EventType.MINOR_CORRECTION) if person.address != before else None
            case "moves abroad":
                person.whereabouts = Whereabouts.GONE
                counts["abroad"] += 1
                goes_on = self.day >= ABROAD_SINCE and agenda.habit("continue abroad")
                return Change(person, EventType.MOVE_ABROAD_CONTINUED if goes_on else EventType.MOVE_ABROAD)
            case "death":
                person.whereabouts = Whereabouts.GONE
                counts["deaths"] += 1
                return Change(person, EventType.DEATH)
        return None

    def _act(self, what: str, person: Person) -> Wish | None:
        """What happens without a notice; what the person then wants."""
        if what == "leave" and person.whereabouts is Whereabouts.MOVING:
            person.place = self._registry.another_place(person.place, near=self._agenda.habit("stay near"))
            person.address = self._registry.address_in(person.place)
            self._agenda.put(self.day + timedelta(days=1), "move in", person)
        if not lives_here(person):
            return None
        live = person.live(self.clock(), Carrier.CARD)
        held = any(paper.held for paper in live)
        match what:
            case "births":
                self._welcome(self._registry.bear(person, self.day), "births")
            case "arrivals":
                self._welcome(self._registry.settle(self.day), "arrivals")
            case "card" if person.card == 0:
                return self._new_card(person)
            case "losses" if live and not held:
                self.office.revoke(person, RevocationCause.TEMPORARY_STOP, Carrier.CARD)
                self._agenda.after(self.day, 1, 14, "report", person)
            case "report" if held:
                self.office.revoke(person, RevocationCause.CARD_LOST)
                self._agenda.after(self.day, 7, 45, "replacement", person)
            case "replacement" if not live:
                return self._new_card(person)
            case "renewal" if not held:
                return self._renew(person)
            case "signature" if len(live) == 1 and not held and age_on(person.born, self.day) >= 15:
                return Wish(person, kinds_of(person, self.day) - {live[0].kind})
            case "phones" if len(live) == 2 and not held and not person.live(self.clock(), Carrier.MOBILE_DEVICE):
                return Wish(person, kinds_of(person, self.day), Carrier.MOBILE_DEVICE)
        return None

    def _renew(self, person: Person) -> Wish | None:
        live = person.live(self.clock(), Carrier.CARD)
        if person.card_ends is None or (live and min(p.ends for p in live) > self.clock() + timedelta(days=88)):
            return None  # got a new card meanwhile
        if (person.card_ends - self.day).days < 92:
            return self._new_card(person)
        return Wish(person, kinds_of(person, self.day))

    def _new_card(self, person: Person) -> Wish:
        """A card lasts until the tenth birthday, that of a minor until the fifth."""
        person.card += 1
        person.card_ends = birthday_after(person.born, self.day, 10 if age_on(person.born, self.day) >= 18 else 5)
        return Wish(person, kinds_of(person, self.day))

    def _sign_again(self, person: Person) -> None:
        """Most who had a signing certificate want a new one soon after it was revoked."""
        if len(person.live(self.clock(), Carrier.CARD)) == 2 and self._agenda.habit("sign again"):
            self._agenda.after(self.day, 1, 30, "signature", person)

    def _welcome(self, person: Person, what: str) -> None:
        self.people.append(person)
        self._new.append(person)
        self.office.counts[what] += 1

    def _round(self) -> None:
        """What the publisher does: certificates that end soon are renewed, lists that are due are made."""
        if renew_due(self.services):
            self._reopen()
        report = publish_due(self.services.publisher)
        if report.refused:
            raise LifeFault(f"lists were refused: {report.refused}")
        self.office.counts["lists"] += len(report.published)

    def _succeed(self, age: int) -> None:
        """In good time the authorities go on with new keys."""
        if age == 0 or age % GENERATION_YEARS:
            return
        path = self._state / FILE_NAME
        label = f"g{1 + 2 * age // GENERATION_YEARS}"
        path.write_text(next_generation(path.read_text("utf-8"), label), "utf-8")
        self._reopen()
        found_missing(self.services)
        self._reopen()

    def _reopen(self) -> None:
        """Begin with the settings and keys as they are now, as the services do when they are told to."""
        self.services.close()
        self.services = self.office.services = self._assemble()

    def _assemble(self) -> Services:
        services = assemble(self._state)
        services.clock = self.clock
        return services

    def _figures(self, year: int, seconds: float) -> YearFigures:
        counts, now = self.office.counts.copy(), self.clock() - timedelta(days=1)
        self.office.counts.clear()
        here = [person for person in self.people if lives_here(person)]
        with self.services.begin(write=False) as work:
            entries = sum(row.published.entries or 0 for row in work.lists.scopes() if row.published)
        return YearFigures(
            year=year,
            residents=len(here),
            holders=sum(bool(person.live(now, Carrier.CARD)) for person in here),
            listed=entries,
            counts=counts,
            seconds=seconds,
        )


def settings_text(template: str) -> str:
    """Settings of the town: today's card alone, status open to all, and lists every four weeks, because ten years
    pass in minutes."""
    text = re.sub(r"\[\[issuer\]\]\nid = \"\w+-g2\"\n(?:[^\[\n].*\n)*\n", "", template)
    text = text.replace('access = "notified-verifiers"', 'access = "open"')
    text = re.sub(r"^lifetime_hours = .*$", "lifetime_hours = 1440", text, flags=re.MULTILINE)
    return re.sub(r"^interval_hours = .*$", "interval_hours = 672", text, flags=re.MULTILINE)


def next_generation(settings: str, label: str) -> str:
    """The settings with a new RSA generation that issues, and the former ones that do not any more."""
    blocks = [
        f'[[issuer]]\nid = "{kind}-{label}"\nkind = "{kind}"\ngeneration = "{label}"\n'
        f'profile = "{kind}-rsa2048"\nmobile_profile = "{kind}-mobile-rsa2048"\nauthority_profile = "ca-rsa2048"\n'
        for kind in ("signature", "authentication")
    ]
    lines = settings.replace("issuing = false\n", "").splitlines()
    stopped = "\n".join(f"{line}\nissuing = false" if line.startswith("generation = ") else line for line in lines)
    return stopped.replace("[issuance]", "\n".join([*blocks, "[issuance]"]), 1) + "\n"


__all__ = ["REGISTER", "LifeFault", "Town", "YearFigures"]
