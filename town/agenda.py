"""What happens to the people of a made-up town, and on which day: drawn from rates, and from what happened before."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date, datetime, timedelta

from domain.certificates import Kind
from policies.validity import SIGNING_AGE, age_on, birthday_after, day_in_japan
from town.chance import Chance
from town.people import Person, Whereabouts
from town.rates import Rates

PHONES_SINCE = date(2023, 5, 11)
ABROAD_SINCE = date(2024, 5, 27)
"""The days on which certificates for phones, and continued use abroad, began."""

_MOVERS = range(18, 40)
_NAME_CHANGERS = range(20, 50)


class Agenda:
    """Days ahead, each with what happens to whom. The words are those that `town.life` knows."""

    def __init__(self, chance: Chance, rates: Rates) -> None:
        self._chance, self._rates = chance, rates
        self._days: defaultdict[date, list[tuple[str, Person]]] = defaultdict(list)

    def put(self, day: date, what: str, person: Person) -> None:
        self._days[day].append((what, person))

    def after(self, today: date, first: int, last: int, what: str, person: Person) -> None:
        """On a day that lies `first` to `last` days ahead."""
        self.put(today + timedelta(days=self._chance.randint(first, last)), what, person)

    def take(self, day: date) -> list[tuple[str, Person]]:
        return self._days.pop(day, [])

    def habit(self, name: str) -> bool:
        """Whether somebody does what is their habit."""
        return self._chance.random() < self._rates.habits[name]

    def draw_month(self, first: date, people: list[Person], with_card: int) -> None:
        """What happens in the month to those who live here; `with_card` of them were ever handed a card."""
        yearly, days = self._rates.yearly, monthrange(first.year, first.month)[1]
        last = first + timedelta(days=days)
        for name, rate in yearly.items():
            for person in self._some(people, rate * self._excess(name) / 12):
                if self._fits(name, person, first):
                    self.after(first, 0, days - 1, name, person)
        for person in people:
            if self._chance.random() < self._rates.death(age_on(person.born, first)) / 12:
                self.after(first, 0, days - 1, "death", person)
        wanting = [person for person in people if person.card == 0]
        new = round(self._rates.card_share(last) * len(people)) - with_card
        for person in self._chance.sample(wanting, max(0, min(new, len(wanting)))):
            self.after(first, 0, days - 1, "card", person)

    def _some(self, people: list[Person], share: float) -> list[Person]:
        """That share of the people; what is left of a whole one is drawn."""
        wanted = len(people) * share
        count = int(wanted) + (self._chance.random() < wanted % 1)
        return self._chance.sample(people, min(count, len(people)))

    def _excess(self, name: str) -> float:
        """How many are drawn for one whom it can happen to: most do not fit."""
        return {"moves within": 1.6, "moves between": 1.6, "name changes": 3.0}.get(name, 1.0)

    def _fits(self, name: str, person: Person, day: date) -> bool:
        age = age_on(person.born, day)
        match name:
            case "moves within" | "moves between":
                return age in _MOVERS or self._chance.random() < 0.45
            case "name changes":
                return age in _NAME_CHANGERS
            case "losses":
                return person.card > 0
            case "phones":
                return day >= PHONES_SINCE and person.card > 0 and age >= SIGNING_AGE
        return True

    def await_end(self, person: Person, ends: datetime, today: date) -> None:
        """Somebody will renew what ends then, or will not."""
        if not self.habit("renew"):
            return
        day = day_in_japan(ends)
        if self.habit("renew late"):
            self.after(day, 1, 60, "renewal", person)
        else:
            self.put(max(today, day - timedelta(days=self._chance.randint(0, 85))), "renewal", person)

    def await_fifteen(self, person: Person, today: date) -> None:
        """Somebody with an authentication certificate alone will want the other one when they may."""
        if age_on(person.born, today) < SIGNING_AGE and self.habit("sign at fifteen"):
            birthday = birthday_after(person.born, today, SIGNING_AGE - age_on(person.born, today))
            self.after(birthday, 1, 90, "signature", person)


def kinds_of(person: Person, today: date) -> frozenset[Kind]:
    """The certificates that somebody of that age is given."""
    return frozenset(Kind) if age_on(person.born, today) >= SIGNING_AGE else frozenset({Kind.AUTHENTICATION})


def lives_here(person: Person) -> bool:
    """Whether somebody can come to a counter of the town."""
    return person.whereabouts is Whereabouts.HERE
