"""The reference model: what the authority should have on record, in plain dicts, written from the documents alone.

It shares no code with the authority. Acts come as plain values; each says which refusals would be right (none: it must
be done), and changes the dicts when it is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

Row = dict[str, Any]
Name = tuple[int, str]
"""Of a certificate: its application and its kind."""

ITEMS = ("name", "address", "birth_date", "sex")
SIGNATURE, AUTHENTICATION = "signature", "authentication"
CARRIERS = {"card", "mobile-device"}
ENDED = {"dead", "removed", "abroad"}
AWAY = {"moving", "removed", "abroad", "abroad-continued"}

COUNTER = {"municipality", "operator"}
BOTH = {SIGNATURE, AUTHENTICATION}

# kinds, whether a part of them and of the carriers may be chosen, reason code on card and phone, who may ask
CAUSES: dict[str, tuple[set[str], bool, bool, tuple[int, int], set[str]]] = {
    "holder-request": (BOTH, True, True, (5, 5), COUNTER),
    "key-report": (BOTH, True, True, (1, 1), COUNTER),
    "card-lost": (BOTH, False, False, (1, 5), COUNTER),
    "resident-event": ({SIGNATURE}, False, False, (3, 3), {"register"}),
    "resident-gone": (BOTH, False, False, (5, 5), {"register"}),
    "record-error": (BOTH, True, True, (3, 3), {"operator"}),
    "issuer-key": (BOTH, False, False, (2, 2), {"operator"}),
    "card-ended": (BOTH, False, False, (5, 5), COUNTER),
    "renewal": (BOTH, True, True, (4, 4), COUNTER),
    "never-delivered": (BOTH, False, True, (0, 0), COUNTER),
    "temporary-stop": (BOTH, False, True, (6, 6), COUNTER),
}

# cause or None, state afterwards, what the notice carries, whether the record may go to another municipality
EVENTS: dict[str, tuple[str | None, str, str, bool]] = {
    "move-in": ("resident-event", "present", "items", True),
    "move-within": ("resident-event", "present", "items", False),
    "move-out": ("resident-event", "moving", "nothing", False),
    "move-abroad": ("resident-gone", "abroad", "nothing", False),
    "move-abroad-continued": ("resident-event", "abroad-continued", "nothing", False),
    "name-change": ("resident-event", "present", "items", False),
    "birth-date-or-sex-correction": ("resident-event", "present", "items", False),
    "minor-correction": (None, "present", "items", False),
    "address-renaming": ("resident-event", "present", "items", False),
    "municipality-merger": ("resident-event", "present", "items", True),
    "code-change": (None, "present", "code", False),
    "death": ("resident-gone", "dead", "nothing", False),
    "removal": ("resident-gone", "removed", "nothing", False),
}

BIRTHDAYS = {"g1": 5, "g2": 10}
WINDOWS = {"g1": 3, "g2": 12}
"""Months before the end of a certificate in which it can be renewed, and its successor runs one birthday further."""

DELIVERED_WITHIN = timedelta(days=30)
"""What nobody reports as handed over by then is revoked."""


def day_of(moment: datetime) -> date:
    """The day in Japan."""
    return (moment + timedelta(hours=9)).date()


def end_of(day: date) -> datetime:
    """The last second of a day in Japan, by the clock of the world."""
    return datetime.fromisoformat(f"{day}T14:59:59+00:00")


ISSUERS_END = {"g1": end_of(date(2036, 3, 31)), "g2": end_of(date(2046, 3, 31))}
"""Nothing a generation signs outlives its own certificates: ten years, twenty for the next card."""


def fifteen(birth: date, day: date) -> bool:
    return (birth.year + 15, birth.month, birth.day) <= (day.year, day.month, day.day)


def birthday(birth: date, day: date, count: int) -> date:
    """The `count`th day after `day` that is a birthday, looked for day by day. In common years a birthday on
    29 February is the day before or the day after, whichever gives the earlier day."""
    leapling = (birth.month, birth.day) == (2, 29)
    return min(_counted(birth, day, count, other) for other in ([(2, 28), (3, 1)] if leapling else [None]))


def _counted(birth: date, day: date, count: int, other: tuple[int, int] | None) -> date:
    while count:
        day += timedelta(days=1)
        wanted = other if other and day.year % 4 else (birth.month, birth.day)
        count -= (day.month, day.day) == wanted
    return day


def longest_card(birth: date, day: date) -> date:
    """The last day that a card made today can have."""
    of_age = (birth.year + 18, birth.month, birth.day) <= (day.year, day.month, day.day)
    others: list[tuple[int, int] | None] = [(2, 28), (3, 1)] if (birth.month, birth.day) == (2, 29) else [None]
    return max(_counted(birth, day, 10 if of_age else 5, other) for other in others)


class Model:
    """`people` by their number, `certificates` by application and kind, `effects` as the audit trail tells them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.people: dict[int, Row] = {}
        self.certificates: dict[Name, Row] = {}
        self.applications: dict[int, Row] = {}
        self.effects: Counter[tuple[str, int, str]] = Counter()
        self.turns: dict[str, int] = {}
        self.received: dict[str, dict[int, Row]] = {}

    @property
    def today(self) -> date:
        return day_of(self.now)

    def settle(self, number: int, code: int, place: str, items: Row) -> None:
        self.people[number] = {"code": code, "place": place, "items": items, "state": "present", "newest": None}

    def by_code(self, code: int) -> int | None:
        return next((number for number, person in self.people.items() if person["code"] == code), None)

    # --- certificates ---

    def of(self, number: int) -> dict[Name, Row]:
        return {name: row for name, row in self.certificates.items() if row["person"] == number}

    def live(self, number: int) -> dict[Name, Row]:
        """Those that are neither revoked nor expired; held and reserved ones are among them."""
        return {name: row for name, row in self.of(number).items() if not row["ended"] and row["end"] >= self.now}

    def held(self) -> list[Row]:
        """Who has a certificate on hold."""
        return [
            person
            for number, person in self.people.items()
            if any(row["revoked"] for row in self.live(number).values())
        ]

    def word(self, row: Row) -> tuple[str, int | None, datetime | None]:
        """(status, reason code, time) as OCSP should tell it."""
        if row["reserved"]:
            return ("unknown", None, None)
        if row["revoked"]:
            return ("revoked", row["revoked"]["reason"], row["revoked"]["at"])
        return ("good" if row["end"] >= self.now else "unknown", None, None)

    def objections_to_issue(
        self,
        number: int | None,
        place: str,
        items: Row,
        kinds: set[str],
        carrier: str,
        generation: str,
        card_end: date,
    ) -> set[str]:
        grown = fifteen(items["birth_date"], self.today)
        found = set()
        if not kinds or (kinds == {AUTHENTICATION} and (grown or carrier != "card")):
            found.add("malformed")
        if SIGNATURE in kinds and not grown:
            found.add("under-age")
        if end_of(card_end) < self.now:
            found.add("card-expired")
        if card_end > longest_card(items["birth_date"], self.today):
            found.add("card-life")
        ends = self._ends(items, kinds, carrier, generation, card_end, number)
        if any(end > ISSUERS_END[generation] for end in ends.values()):
            found.add("bad-plan")
        if number is None or self.people[number]["place"] != place:
            return found | {"unknown-resident"}
        person = self.people[number]
        if person["state"] != "present":
            found.add("resident-gone")
        if person["items"] != items:
            found.add("items-differ")
        beside = {name: row for name, row in self.live(number).items() if row["carrier"] == carrier}
        if any(row["reserved"] for row in beside.values()):
            found.add("in-progress")
        standing = {kind: row for (_, kind), row in beside.items() if kind in kinds}
        waits = any(row["pending"] for row in beside.values())
        if waits or any(row["revoked"] or not self._renewable(row, generation) for row in standing.values()):
            found.add("live-pair")
        if kinds == {SIGNATURE} and not self._beside(number, carrier):
            found.add("no-live-certificate")
        if carrier != "card" and not self.card_of(number):
            found.add("no-live-certificate")
        return found

    def _ends(
        self, items: Row, kinds: set[str], carrier: str, generation: str, card_end: date, number: int | None
    ) -> dict[str, datetime]:
        """When certificates of today end: by birthday, with the card, and with what they go with."""
        ends = {}
        for kind in kinds:
            old = self._standing(number, kind, carrier)
            count = BIRTHDAYS[generation] + (old is not None and self._renewable(old, generation))
            ends[kind] = end_of(min(birthday(items["birth_date"], self.today, count), card_end))
            if carrier != "card" and number is not None and (card := self.card_of(number)):
                ends[kind] = min(ends[kind], self.certificates[card]["end"])
        beside = self._beside(number, carrier) if number is not None and kinds == {SIGNATURE} else None
        if beside or AUTHENTICATION in ends:
            ends[SIGNATURE] = min(
                ends.get(SIGNATURE, end_of(card_end)), beside["end"] if beside else ends[AUTHENTICATION]
            )
        return {kind: ends[kind] for kind in kinds}

    def card_of(self, number: int) -> Name | None:
        """The signing certificate in force on a person's card, which they sign with."""
        for name, row in self.live(number).items():
            shown = (name[1], row["carrier"], row["pending"], row["reserved"], row["revoked"])
            if shown == (SIGNATURE, "card", False, False, None):
                return name
        return None

    def _standing(self, number: int | None, kind: str, carrier: str) -> Row | None:
        """The live certificate of a kind on a carrier, held or not."""
        for (_, other), row in self.live(number).items() if number is not None else ():
            if (other, row["carrier"], row["pending"]) == (kind, carrier, False):
                return row
        return None

    def _renewable(self, row: Row, generation: str) -> bool:
        """Whether the day is one of the last months of a certificate, the same day of the month not yet."""
        last = day_of(row["end"])
        month = last.year * 12 + last.month - 1 - WINDOWS[generation]
        day = last.day
        while True:
            try:
                opens = date(month // 12, month % 12 + 1, day)
            except ValueError:
                day -= 1
            else:
                return self.today > opens and row["end"] >= self.now

    def _beside(self, number: int, carrier: str) -> Row | None:
        """The authentication certificate in force on a carrier."""
        for (_, kind), row in self.live(number).items():
            if (kind, row["carrier"], row["pending"]) == (AUTHENTICATION, carrier, False) and not row["revoked"]:
                return row
        return None

    def reserve(self, id_: int, number: int, kinds: set[str], carrier: str, generation: str, card_end: date) -> None:
        person = self.people[number]
        for name, row in self.of(number).items():
            self._let_expire(name, row)
        ends = self._ends(person["items"], kinds, carrier, generation, card_end, number)
        before = {
            kind: application
            for (application, kind), row in sorted(self.of(number).items())
            if row["carrier"] == carrier and not row["pending"]
        }
        replaces = any(self._standing(number, kind, carrier) for kind in kinds)
        for kind in kinds:
            self.certificates[id_, kind] = {
                "person": number,
                "place": person["place"],
                "carrier": carrier,
                "issuer": f"{kind}-{generation}",
                "begin": self.now,
                "end": ends[kind],
                "pending": replaces,
                "follows": before.get(kind),
                "reserved": True,
                "ended": False,
                "revoked": None,
            }
            self.effects["certificate-reserved", id_, kind] += 1
        self.applications[id_] = {"reserved_at": self.now, "open": True, "reported": None}

    def _let_expire(self, name: Name, row: Row) -> None:
        if not row["ended"] and row["end"] < self.now:
            row["ended"] = True
            self.effects["certificate-expired", *name] += 1

    def complete(self, id_: int) -> None:
        if not self.applications[id_]["open"]:
            return
        self.applications[id_]["open"] = False
        for (application, kind), row in self.certificates.items():
            if application == id_:
                row["reserved"] = False
                self.effects["certificate-issued", id_, kind] += 1

    # --- hand-over ---

    def objections_to_report(self, id_: int, outcome: str) -> set[str]:
        application = self.applications[id_]
        if application["open"]:
            return {"in-progress"}
        if application["reported"]:
            return set() if application["reported"] == outcome else {"idempotency-mismatch"}
        rows = self._handed(id_)
        if not rows or (outcome == "delivered" and any(row["revoked"] for row in rows.values())):
            return {"not-pending"}
        return set()

    def _handed(self, id_: int) -> dict[Name, Row]:
        """An application's certificates that have not ended."""
        return {
            name: row
            for name, row in self.certificates.items()
            if name[0] == id_ and not row["ended"] and row["end"] >= self.now
        }

    def report(self, id_: int, outcome: str) -> tuple[set[str], set[str]]:
        """Kinds that are live then, and kinds of which one was revoked."""
        self.applications[id_]["reported"] = outcome
        rows = self._handed(id_)
        if outcome == "refused":
            return set(), self._give_up(rows)
        waiting = {kind: row for (_, kind), row in rows.items() if row["pending"]}
        revoked = set()
        for row in list(waiting.values())[:1]:
            live = self.live(row["person"]).items()
            signs = self._signs({name: old for name, old in live if not old["pending"]})
            for name, old in self.of(row["person"]).items():
                own = old["carrier"] == row["carrier"] and not old["pending"]
                phone = row["carrier"] == "card" != old["carrier"]  # applied for with the card that is replaced
                if old["ended"] or not (own or phone):
                    continue
                self._let_expire(name, old)
                rests = phone and SIGNATURE in _with_signature(set(waiting)) and signs
                if not old["ended"] and (rests or name[1] in _with_signature(set(waiting))):
                    self._revoke_one(name, old, 4, "renewal")
                    revoked.add(name[1])
        for kind, row in waiting.items():
            row["pending"] = False
            self.effects["certificate-delivered", id_, kind] += 1
        return {kind for _, kind in rows}, revoked

    def withdraw(self) -> int:
        """Give up what was never reported; of how many applications."""
        late = {
            name[0]
            for name, row in self.certificates.items()
            if row["pending"]
            and not row["ended"]
            and not row["reserved"]
            and row["begin"] < self.now - DELIVERED_WITHIN
        }
        for id_ in late:
            self._give_up({name: row for name, row in self.certificates.items() if name[0] == id_ and not row["ended"]})
        return len(late)

    def _give_up(self, rows: dict[Name, Row]) -> set[str]:
        for name, row in rows.items():
            self._let_expire(name, row)
            if not row["ended"]:
                self._revoke_one(name, row, 0, "never-delivered")
        return {kind for _, kind in rows}

    def _revoke_one(self, name: Name, row: Row, reason: int, cause: str) -> None:
        old = row["revoked"]
        row["revoked"] = {"reason": reason, "at": old["at"] if old else self.now, "cause": cause}
        row["ended"] = True
        self.effects["certificate-revoked", *name] += 1

    # --- revocation ---

    def objections_to_revoke(
        self,
        number: int | None,
        cause: str,
        chosen: set[str] | None,
        carriers: set[str] | None,
        role: str,
        place: str | None,
    ) -> set[str]:
        kinds, choosable, by_carrier, _, roles = CAUSES[cause]
        if role not in roles:
            return {"cause-not-allowed"}
        if number is None or place not in (None, self.people[number]["place"]):
            return {"unknown-resident"}
        asked, named = chosen or kinds, carriers or CARRIERS
        if not asked <= kinds or (asked != kinds and not choosable) or (named != CARRIERS and not by_carrier):
            return {"cause-not-allowed"}
        meant = self._meant(number, cause, named).items()
        hit = {row["carrier"] for (_, kind), row in meant if kind in _with_signature(asked)}
        return set() if hit & named else {"no-live-certificate"}

    def _meant(self, number: int, cause: str, carriers: set[str]) -> dict[Name, Row]:
        """What waits is what was never delivered, if anything waits; a renewal replaces what does not wait."""
        live = self.live(number)
        waiting = {name: row for name, row in live.items() if row["pending"]}
        if cause == "renewal":
            return {name: row for name, row in live.items() if not row["pending"]}
        if cause == "never-delivered":
            return {name: row for name, row in waiting.items() if row["carrier"] in carriers} or live
        return live

    def revoke(
        self, number: int, cause: str, chosen: set[str] | None = None, carriers: set[str] | None = None
    ) -> set[str]:
        """The kinds of which something changes."""
        kinds, _, _, reasons, _ = CAUSES[cause]
        named, hit = carriers or CARRIERS, _with_signature(chosen or kinds)
        changed = set()
        meant = self._meant(number, cause, named)
        # What is on a phone rests on the card's signing certificate, and goes when that is revoked.
        phone_too = SIGNATURE in hit and "card" in named and 6 not in reasons and self._signs(meant)
        for (application, kind), row in meant.items():
            rests = phone_too and row["carrier"] != "card" and kind in kinds
            if not rests and (kind not in hit or row["carrier"] not in named):
                continue
            reason = reasons[row["carrier"] != "card"]
            old, held = row["revoked"], reason == 6
            if old and held:
                continue
            row["revoked"] = {"reason": reason, "at": old["at"] if old else self.now, "cause": cause}
            row["ended"] = not held
            self.effects["certificate-held" if held else "certificate-revoked", application, kind] += 1
            changed.add(kind)
        return changed

    def _signs(self, rows: dict[Name, Row]) -> bool:
        """Whether the card's signing certificate is among them."""
        return any(kind == SIGNATURE and row["carrier"] == "card" for (_, kind), row in rows.items())

    # --- notices ---

    def receive(self, notice: Row) -> tuple[str, list[Row]]:
        """What becomes of a notice, and all that are applied or put aside with it, in order."""
        sender, number = notice["sender"], notice["sequence"]
        kept = self.received.setdefault(sender, {})
        turn = self.turns.setdefault(sender, 1)
        if number in kept:
            same = kept[number]["notice_id"] == notice["notice_id"] and kept[number]["said"] == notice["said"]
            return (kept[number]["became"], []) if same else ("refused", [])
        kept[number] = notice
        notice["became"] = "held"
        done = []
        while self.turns[sender] in kept:
            waiting = kept[self.turns[sender]]
            waiting["became"] = self._apply(waiting)
            done.append(waiting)
            self.turns[sender] += 1
        assert number == turn or notice["became"] == "held"
        return notice["became"], done

    def objections_to_notice(self, notice: Row) -> set[str]:
        said, place = notice["said"], notice["home"]
        cause, state, carries, transfers = EVENTS[said["event"]]
        if place not in (None, said["place"]):
            return {"wrong-municipality"}
        if place and said["event"] == "code-change":
            return {"not-admitted"}
        number = self.by_code(said["code"])
        if number is None:
            return {"unknown-resident"}
        person = self.people[number]
        comes = said["event"] == "move-in" and person["state"] in AWAY
        if place not in (None, person["place"]) and not comes:
            return {"unknown-resident"}
        found = set()
        if said["day"] > self.today:
            found.add("out-of-order")
        if state in ENDED:
            if person["state"] in ENDED and (said["event"] != "death" or person["state"] == "dead"):
                found.add("already-applied")
        elif person["state"] == "dead":
            found.add("out-of-order")
        elif state == person["state"] != "present":
            found.add("already-applied")
        else:
            late = person["newest"] is not None and said["day"] < person["newest"]
            elsewhere = not transfers and said["place"] != person["place"]
            gone = person["state"] != "present" and said["event"] != "move-in"
            if late or elsewhere or gone:
                found.add("out-of-order")
        if {"items": (True, False), "code": (False, True), "nothing": (False, False)}[carries] != (
            said["items"] is not None,
            said["new_code"] is not None,
        ):
            return found | {"malformed"}
        if said["new_code"] is not None:
            return found | ({"malformed"} if self.by_code(said["new_code"]) else set())
        if said["items"] is not None:
            differing = {item for item in ITEMS if said["items"][item] != person["items"][item]}
            if cause is None and not differing <= {"name", "address"}:
                found.add("malformed")
            if not differing and said["place"] == person["place"] and state == person["state"]:
                found.add("already-applied")
        return found

    def _apply(self, notice: Row) -> str:
        notice["objections"] = self.objections_to_notice(notice)
        if notice["objections"]:
            return "quarantined"
        said = notice["said"]
        number = self.by_code(said["code"])
        assert number is not None
        person, (cause, state, _, _) = self.people[number], EVENTS[said["event"]]
        person["newest"] = max(said["day"], person["newest"] or said["day"])
        person["state"] = state
        person["items"] = said["items"] or person["items"]
        person["code"] = said["new_code"] or person["code"]
        if state == "present":
            person["place"] = said["place"]
        self.effects["resident-changed", number, said["event"]] += 1
        notice["revoked"] = self.revoke(number, cause) if cause else set()
        return "applied"


def _with_signature(kinds: Sequence[str] | set[str]) -> set[str]:
    """Without its authentication certificate a signing certificate does not stay."""
    return {*kinds, SIGNATURE} if AUTHENTICATION in kinds else set(kinds)
