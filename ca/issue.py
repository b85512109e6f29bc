"""Issuance: the numbered steps from an application to its certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from ca.authority import Authority
from ca.course import Course
from ca.units import Part, run_parts
from domain.applications import IssuanceApplication, IssuedPair
from domain.errors import Refusal
from domain.ports import UnitOfWork

_ANEW = 2
"""Times that an application is drafted anew: the records are read again when the draft is recorded."""


def issue(authority: Authority, application: IssuanceApplication) -> IssuedPair:
    """Certificates for an application, all of them or none. Repeated with its key, it gives the same answer again.

    1. Read the clock; see that the caller may apply. 2. Judge the requests, plan, build and lint, outside transactions.
    3. In one transaction look at the records, and reserve every certificate with its octets. 4. Sign. 5. In one
    transaction record every certificate and close the application. Concurrent applications are issued together.

    After 3 nothing is drawn or decided anew: an application that stops there is completed from the stored octets, when
    it is repeated or by `ca.recover`. A repeat is known by what refuses it, so that first applications, nearly all,
    need no look for an earlier one.

    Raises Refusal with the codes of the functions called, Refusal(KEY_USED_BEFORE), and Refusal(IDEMPOTENCY_MISMATCH)
    when the key belongs to another application of the caller.
    """
    return authority.issuing_jointly.run(application, partial(issue_all, authority))


def issue_all(authority: Authority, applications: Sequence[IssuanceApplication]) -> list[IssuedPair | Refusal]:
    """What `issue` gives, or refuses, for each of the applications in their order. None stops another; together they
    take two transactions, and all are signed between."""
    group = Group(authority, applications)
    run_parts(authority.begin, [group.reserving()])
    group.settle()
    group.sign()
    run_parts(authority.begin, [group.recording()])
    return group.answers()


class Group:
    """Applications that go through the steps together. Which transaction takes them through a step is not theirs to
    say: parts of several groups may share one."""

    def __init__(self, authority: Authority, applications: Sequence[IssuanceApplication]) -> None:
        """All of them judged and drafted."""
        now = authority.clock()
        self._authority = authority
        self._courses = [Course(authority, application, now) for application in applications]

    def reserving(self) -> Part:
        """A reservation is on disk with its completion, at the latest: before anybody is given a signature."""
        return _part(self._courses, Course.reserve, lasting=False)

    def settle(self) -> None:
        """Renewals, and those whose records changed in the very moment of `reserving`, are drafted anew upon what the
        records say, and reserved."""
        for _ in range(_ANEW):
            if not (anew := [course for course in self._courses if course.found is not None]):
                break
            for course in anew:
                course.draft_anew()
            run_parts(self._authority.begin, [_part(anew, Course.reserve, lasting=False)])

    def sign(self) -> None:
        """Outside any transaction, what is reserved."""
        for course in self._courses:
            course.sign()

    def recording(self) -> Part:
        return _part(self._courses, Course.record, lasting=True)

    def answers(self) -> list[IssuedPair | Refusal]:
        """What each is told, in their order."""
        return [course.answer() for course in self._courses]


def _part(courses: Iterable[Course], step: Callable[[Course, UnitOfWork], Refusal | None], *, lasting: bool) -> Part:
    """Takes those that nothing was found against through a step."""
    going = [course for course in courses if course.refusal is None]

    def take(outcomes: Sequence[Refusal | None]) -> None:
        for course, outcome in zip(going, outcomes, strict=True):
            course.refusal = outcome

    return Part([partial(step, course) for course in going], take, lasting)
