"""Decisions: what may be certified, for how long, under which rules. Pure functions over values and data files."""
