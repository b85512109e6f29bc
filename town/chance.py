"""Chance that is the same for the same seed: the one source of it in a made-up town."""

from __future__ import annotations

from random import Random

Chance = Random
"""Draws that a seed decides. Keys and serials are not drawn from it: the authority draws its own."""
