"""The rules on simulated traffic: abusers are found, nobody else is accused. docs/detection.md has full runs."""

from __future__ import annotations

from config.rules import load_detection
from detection.simulation import ABUSES, EVASIONS, World, simulate


def test_nearly_all_abusers_are_found_within_a_day_and_nobody_else_is_accused() -> None:
    """A sixth of the verifiers and a fifth of the people of a run that is published."""
    found = simulate(World(11, people=60_000, each=1, days=15, share=6), load_detection(), 15)
    assert sum(found.abusers.values()) == len((*ABUSES, *EVASIONS))
    assert found.rate(ABUSES) >= 0.8
    assert found.verifier_days > 250
    assert found.false_alarms == 0


def test_without_rules_nobody_is_found() -> None:
    assert simulate(World(1, people=70_000, each=1, days=14, share=12), {}, 9).rate(ABUSES) == 0
