"""Units: steps of several applications in one transaction, so that one write to disk carries them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.errors import Code, Refusal
from domain.ports import Begin, UnitOfWork

T = TypeVar("T")

_OUTAGES = {Code.BUSY, Code.STORE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Part:
    """Steps that belong together, and who takes their outcomes. `lasting` as in `Begin`."""

    steps: Sequence[Callable[[UnitOfWork], Any]]
    take: Callable[[Sequence[Any]], None]
    lasting: bool


def run_parts(begin: Begin, parts: Sequence[Part]) -> None:
    """Run several parts in one transaction, which lasts if one of them must; if it is taken back, each part in one of
    its own. Raises what `run_steps` raises."""
    parts = [part for part in parts if part.steps]
    together = _together(begin, [step for part in parts for step in part.steps], any(part.lasting for part in parts))
    for part in parts:
        if together is None:
            part.take(run_steps(begin, part.steps, lasting=part.lasting))
        else:
            part.take(together[: len(part.steps)])
            del together[: len(part.steps)]


def run_step(begin: Begin, step: Callable[[UnitOfWork], T]) -> T:
    """What the step gives, committed. Raises what the step raises, and what beginning and committing raise."""
    (outcome,) = run_steps(begin, [step])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def run_steps(begin: Begin, steps: Sequence[Callable[[UnitOfWork], T]], *, lasting: bool = True) -> list[T | Refusal]:
    """What each step gives or is refused with, in their order. Raises whatever else a step raises, of several the
    first. `lasting` as in `Begin`.

    A step that is refused after the database refused a statement takes the whole unit back; then each runs alone, so
    that none is refused for another's sake. A step may run twice, the first time in a unit that is not committed; and
    it must not begin units of its own. A step that gives a refusal back, instead of raising it, says that it wrote
    nothing.
    """
    together = _together(begin, steps, lasting)
    return _each_alone(begin, steps, lasting) if together is None else together


def _together(begin: Begin, steps: Sequence[Callable[[UnitOfWork], Any]], lasting: bool) -> list[Any] | None:
    """What the steps give in one unit; None when it was taken back for one of several."""
    if not steps:
        return []
    try:
        with begin(lasting=lasting) as work:
            outcomes = [step(work) for step in steps]
            if not all(isinstance(outcome, Refusal) for outcome in outcomes):
                work.commit()
            return outcomes
    except Refusal as refusal:
        if len(steps) == 1 or refusal.code in _OUTAGES:
            return [refusal.again() for _ in steps]  # each caller raises one of their own
    except Exception:
        if len(steps) == 1:
            raise
    return None


def _each_alone(begin: Begin, steps: Sequence[Callable[[UnitOfWork], T]], lasting: bool) -> list[T | Refusal]:
    outcomes: list[T | Refusal] = []
    bug: Exception | None = None
    for step in steps:
        try:
            outcomes += run_steps(begin, [step], lasting=lasting)
        except Exception as error:  # the others are carried out all the same
            bug = bug or error
    if bug is not None:
        raise bug
    return outcomes
