"""Decisions: what may be certified, for how long, under which rules. Pure functions over domain values and data files."""
