"""The people of a made-up town, as they know themselves: name, home, and which certificates they have."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

from config.municipalities import load_municipalities
from domain.birth import BirthDate
from domain.certificates import Carrier, Kind
from domain.people import BasicAttributes, MunicipalityCode, ResidentCode, Sex, resident_check_digit
from town.chance import Chance
from town.rates import Names, Rates

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


class Whereabouts(Enum):
    """HERE: in the town. MOVING: moved out and not yet in. AWAY: in another municipality. GONE: dead or abroad."""

    HERE = "here"
    MOVING = "moving"
    AWAY = "away"
    GONE = "gone"


@dataclass(slots=True)
class Paper:
    """A certificate that somebody keeps (DER, without it for most), and what OCSP must say of it."""

    kind: Kind
    carrier: Carrier
    ends: datetime
    octets: bytes | None = None
    word: str = "good"
    held: bool = False

    @property
    def revoked(self) -> bool:
        return self.word == "revoked" and not self.held


@dataclass(slots=True)
class Person:
    """`number` makes the resident code. `card_key` is that of the signing key on the card. `papers` are all
    certificates of a witness, and the newest of others."""

    number: int
    family: str
    given: str
    sex: Sex
    born: BirthDate
    place: MunicipalityCode
    address: str
    whereabouts: Whereabouts = Whereabouts.HERE
    card: int = 0
    card_ends: date | None = None
    card_key: int = 0
    papers: list[Paper] = field(default_factory=list)

    @property
    def code(self) -> ResidentCode:
        body = f"{self.number:010d}"
        return ResidentCode(body + resident_check_digit(body))

    @property
    def items(self) -> BasicAttributes:
        return BasicAttributes(f"{self.family}　{self.given}", self.address, self.born, self.sex)

    @property
    def witness(self) -> bool:
        """One in a hundred keeps every certificate, to ask for its status later."""
        return self.number % 100 == 0

    def live(self, now: datetime, carrier: Carrier | None = None) -> list[Paper]:
        """The certificates that are neither revoked nor expired; held ones are among them."""
        return [
            paper
            for paper in self.papers
            if not paper.revoked and paper.ends >= now and carrier in (None, paper.carrier)
        ]

    def keep(self, paper: Paper, now: datetime) -> None:
        if not self.witness:
            self.papers = self.live(now)
        self.papers.append(paper)


class Registry:
    """Makes people: the first population, those who are born, and those who come."""

    def __init__(self, chance: Chance, rates: Rates, names: Names) -> None:
        self._chance, self._rates, self._names = chance, rates, names
        self._places = list(names.areas)
        self._count = 0

    def settle(self, today: date) -> Person:
        """Somebody of any age, who lives in the town from now on."""
        chance = self._chance
        bounds = [age for age, _ in self._rates.ages]
        (bracket,) = chance.choices(range(len(bounds)), [share for _, share in self._rates.ages])
        youngest, oldest = bounds[bracket], [*bounds, 100][bracket + 1]
        born = today - timedelta(days=chance.randrange(int(youngest * 365.25), int(oldest * 365.25)) + 1)
        place = chance.choice(self._places)
        return self._make(BirthDate.on(born), place, chance.choice(self._names.families), self.address_in(place))

    def bear(self, parent: Person, today: date) -> Person:
        """A child that lives with that parent."""
        return self._make(BirthDate.on(today), parent.place, parent.family, parent.address)

    def _make(self, born: BirthDate, place: MunicipalityCode, family: str, address: str) -> Person:
        self._count += 1
        sex = self._chance.choice((Sex.MALE, Sex.FEMALE))
        given = self._chance.choice(self._names.men if sex is Sex.MALE else self._names.women)
        return Person(self._count, family, given, sex, born, place, address)

    def move_within(self, person: Person) -> None:
        """Another house in the same municipality."""
        before = person.address
        while person.address == before:
            person.address = self.address_in(person.place)

    def address_in(self, place: MunicipalityCode) -> str:
        """A house in a real town area of that municipality; block and house number are made up. Elsewhere the name of
        the municipality is followed by numbers alone."""
        home = load_municipalities()[place]
        area = self._chance.choice(self._names.areas.get(place, [""]))
        numbers = "－".join(str(self._chance.randint(1, top)) for top in (6, 30, 20))
        return f"{home.prefecture}{home.name}{area}{numbers.translate(_FULL_WIDTH)}"

    def another_place(self, place: MunicipalityCode, *, near: bool) -> MunicipalityCode:
        """Another municipality: of the town, or any in Japan."""
        places = self._places if near else list(load_municipalities())
        return self._chance.choice([other for other in places if other != place])

    def another_family(self, family: str) -> str:
        return self._chance.choice([other for other in self._names.families if other != family])
