"""Measurements: what this authority does in a second, beside what the machine and others do in the same second."""
